//! Leases of service addresses on a real kernel.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that goes wrong must stop"
)]

use core::net::IpAddr;
use core::time::Duration;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::thread::JoinHandle;

use serde_json::Value;
use systole::clock;
use systole::config::{Address, AddressStyle};
use systole::service_ip::{Lease, Pulse, ServiceIp, ServiceIpError};
use systole_core::time::Duration as Span;
use tokio::time::{Instant, sleep};

mod support;
use support::{Neighbour, has, ip, isolated};

fn address(style: AddressStyle, text: &str) -> Address {
    Address {
        text: text.to_owned(),
        style,
        address: text.parse().unwrap(),
        prefix: None,
        interface: None,
        label: None,
        broadcast: None,
    }
}

fn service() -> Address {
    address(AddressStyle::IPaddr, "10.8.0.1")
}

fn service6() -> Address {
    address(AddressStyle::IPv6addr, "fd08::1")
}

fn open(deadtime: u64) -> ServiceIp {
    let lease = Lease::new(Span::from_millis(deadtime));
    ServiceIp::new(Path::new("/nonexistent"), lease).unwrap()
}

fn cabled() -> Neighbour {
    let neighbour = Neighbour::new();
    let own = ["10.8.0.11/24", "fd08::11/64"];
    neighbour.cable("eth2", "client", &own, &["10.8.0.99/24", "fd08::99/64"]);
    neighbour
}

fn here(address: &Address) -> bool {
    has(address.address)
}

async fn ms(millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}

/// Waits until an address has come or gone; says how long that took.
async fn until(address: &Address, wanted: bool, limit: u64) -> Duration {
    let begun = Instant::now();
    while here(address) != wanted {
        let took = begun.elapsed();
        assert!(
            took < Duration::from_millis(limit),
            "not {wanted} in {took:?}"
        );
        ms(1).await;
    }
    begun.elapsed()
}

/// What `ip` says about an address; without the lifetimes, which are given apart.
fn shown(address: IpAddr) -> (u64, u64, Value) {
    let text = ip("-j addr show dev eth2");
    let links: Value = serde_json::from_str(&text).unwrap();
    let wanted = address.to_string();
    let mut found = links
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|link| link["addr_info"].as_array().unwrap())
        .find(|info| info["local"] == wanted.as_str())
        .expect("the address is there")
        .clone();
    let mut take = |key: &str| found.as_object_mut().unwrap().remove(key).unwrap();
    let valid = take("valid_life_time").as_u64().unwrap();
    let preferred = take("preferred_life_time").as_u64().unwrap();
    // The trace that renewing leaves on IPv6.
    found.as_object_mut().unwrap().remove("autojoin");
    (valid, preferred, found)
}

/// A heart that beats until this is dropped.
struct Heart(Option<Sender<()>>, Option<JoinHandle<()>>);

impl Heart {
    fn new(pulse: Pulse) -> Self {
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || {
            let every = Duration::from_millis(100);
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                pulse.beat(clock::now());
            }
        });
        Self(Some(stop), Some(thread))
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        drop(self.0.take());
        self.1.take().map(JoinHandle::join);
    }
}

/// Aim: while the heart beats, no look and no word of the kernel ever has the address gone, and
/// nothing but its lifetime changes.
#[test]
fn renewed_without_interruption() {
    isolated(async || {
        let _neighbour = cabled();
        let service_ip = open(2_250);
        service_ip.add(&service()).await.unwrap();
        service_ip.add(&service6()).await.unwrap();
        let [own, own6] = [service().address, service6().address];
        let before = (shown(own), shown(own6));
        assert_eq!((before.0.0, before.0.1), (1, 1));
        assert_eq!((before.1.0, before.1.1), (1, 1));
        let label = before.0.2["label"].as_str().unwrap();
        assert_eq!(
            (label, &before.0.2["broadcast"]),
            ("eth2:0", &"10.8.0.255".into())
        );
        let mut monitor = Command::new("ip")
            .args(["-o", "monitor", "address"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let heart = Heart::new(service_ip.pulse());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            assert!(
                here(&service()) && here(&service6()),
                "{:?}",
                begun.elapsed()
            );
            ms(2).await;
        }
        let after = (shown(own), shown(own6));
        assert_eq!(before.0.2, after.0.2);
        assert_eq!(before.1.2, after.1.2);
        monitor.kill().unwrap();
        monitor.wait().unwrap();
        let mut text = String::new();
        monitor.stdout.unwrap().read_to_string(&mut text).unwrap();
        let renewals = text.matches("10.8.0.1/").count();
        // Each third of a second at the earliest; a beat comes each tenth.
        assert!((8..=15).contains(&renewals), "{renewals}: {text}");
        assert!(!text.contains("Deleted"), "{text}");
        assert_eq!(service_ip.owned().await.unwrap(), [own, own6]);
        drop(heart);
    });
}

/// Aim: without beats the kernel takes both kinds of address away, in time; what else is in the
/// network stays, also when ours was its first.
#[test]
fn gone_by_itself() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &[], &[]);
        for scope in ["all", "eth3"] {
            let path = format!("/proc/sys/net/ipv4/conf/{scope}/promote_secondaries");
            std::fs::write(path, "0").unwrap();
        }
        let service_ip = open(3_000);
        let mut first = address(AddressStyle::IPaddr2, "10.9.0.1");
        first.interface = Some("eth3".to_owned());
        first.prefix = Some(24);
        service_ip.add(&first).await.unwrap();
        ip("addr add 10.9.0.2/24 dev eth3");
        service_ip.add(&service6()).await.unwrap();
        assert_eq!(shown(service6().address).0, 1);
        let heart = Heart::new(service_ip.pulse());
        ms(2_500).await;
        assert!(here(&first) && here(&service6()));
        drop(heart);
        let took = until(&first, false, 3_000).await;
        assert!(took > Duration::from_millis(500), "{took:?}");
        until(&service6(), false, 2_900).await;
        println!("gone after {took:?}");
        assert!(here(&address(AddressStyle::IPaddr2, "10.9.0.2")));
        let routes = ip("-6 route show dev eth2");
        assert!(routes.contains("fd08::/64"), "{routes}");
    });
}

/// Aim: an address that somebody deletes is added and announced again at the next renewal; one
/// that was removed as it should stays away, and one that is put there by hand then is not touched.
#[test]
fn deleted_or_removed() {
    isolated(async || {
        let neighbour = cabled();
        let service_ip = open(2_250);
        let _heart = Heart::new(service_ip.pulse());
        service_ip.add(&service()).await.unwrap();
        let before = shown(service().address).2;
        ms(7_000).await; // The announcements have ended.
        ip("addr del 10.8.0.1/24 dev eth2");
        neighbour.ip("neigh replace 10.8.0.1 lladdr 02:00:00:00:00:99 dev client nud reachable");
        until(&service(), true, 700).await;
        ms(100).await;
        assert_eq!(shown(service().address).2, before);
        let known = neighbour.ip("neigh show 10.8.0.1");
        assert!(!known.contains("02:00:00:00:00:99"), "{known}");
        assert!(service_ip.remove(service().address).await.unwrap());
        ms(1_200).await;
        assert!(!here(&service()));
        ip("addr add 10.8.0.1/24 dev eth2");
        let error = service_ip.remove(service().address).await.unwrap_err();
        assert!(matches!(error, ServiceIpError::Foreign { .. }), "{error}");
        ms(500).await;
        assert_eq!(shown(service().address).0, u64::from(u32::MAX));
    });
}

/// Aim: after a pause between lease and deadtime the address comes back, but not before a peer that
/// has taken over would have said so.
#[test]
fn back_after_a_pause() {
    isolated(async || {
        let _neighbour = cabled();
        let service_ip = open(3_000);
        let pulse = service_ip.pulse();
        service_ip.add(&service()).await.unwrap();
        pulse.beat(clock::now());
        let last = Instant::now();
        ms(2_600).await;
        assert!(!here(&service()));
        let _heart = Heart::new(pulse);
        until(&service(), true, 2_000).await;
        let back = last.elapsed();
        let expected = Duration::from_millis(3_450)..Duration::from_millis(3_900);
        assert!(expected.contains(&back), "{back:?}");
        ms(2_500).await;
        assert!(here(&service()));
    });
}

/// Aim: an address of a group that is being released stays while the heart beats on, because the
/// end of the group may need it; but once it has gone it does not come back, until it is acquired anew.
#[test]
fn forgone() {
    isolated(async || {
        let _neighbour = cabled();
        let service_ip = open(2_250);
        let pulse = service_ip.pulse();
        service_ip.add(&service()).await.unwrap();
        let heart = Heart::new(pulse.clone());
        pulse.forgo(service().address);
        ms(2_500).await;
        assert!(here(&service()));
        drop(heart);
        until(&service(), false, 2_250).await;
        let _heart = Heart::new(pulse);
        ms(2_500).await;
        assert!(!here(&service()));
        assert!(!service_ip.add(&service()).await.unwrap().adopted);
        ms(2_000).await;
        assert!(here(&service()));
    });
}

/// Aim: a restarted daemon that adopts an address gives it a whole lease again, or none when its
/// deadtime has become too short for one; and the other way round.
#[test]
fn adopted() {
    isolated(async || {
        let _neighbour = cabled();
        for wanted in [service(), service6()] {
            open(4_000).add(&wanted).await.unwrap();
            ms(1_500).await;
            let second = open(20_000);
            assert!(second.add(&wanted).await.unwrap().adopted);
            assert_eq!(shown(wanted.address).0, 18);
            assert!(open(1_000).add(&wanted).await.unwrap().adopted);
            assert_eq!(shown(wanted.address).0, u64::from(u32::MAX));
            assert!(open(20_000).add(&wanted).await.unwrap().adopted);
            assert_eq!(shown(wanted.address).0, 18);
        }
    });
}
