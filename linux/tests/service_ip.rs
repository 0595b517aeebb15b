//! Service addresses on a real kernel, seen from the neighbour.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must stop"
)]

use core::net::IpAddr;
use core::time::Duration;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, socket};
use systole::config::{Address, AddressStyle};
use systole::service_ip::{ServiceIp, ServiceIpError};
use tokio::time::{Instant, sleep};

mod support;
use support::{Neighbour, capabilities_given, ip, isolated, with_capabilities};

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

/// Opens with a runtime directory that does not exist: this kernel keeps the marks itself.
fn open() -> ServiceIp {
    ServiceIp::new(Path::new("/nonexistent"), None).unwrap()
}

/// A neighbour on the service network.
fn cabled() -> Neighbour {
    let neighbour = Neighbour::new();
    let own = ["10.8.0.11/24", "fd08::11/64"];
    neighbour.cable("eth2", "client", &own, &["10.8.0.99/24", "fd08::99/64"]);
    neighbour
}

fn shown(what: &str) -> String {
    ip(&format!("-o -d addr show to {what}"))
}

/// Hears every frame at the neighbour.
struct Ear(OwnedFd);

impl Ear {
    fn new(neighbour: &Neighbour) -> Self {
        Self(neighbour.run(|| {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let all = SockProtocol::EthAll;
            socket(AddressFamily::Packet, SockType::Raw, flags, all).unwrap()
        }))
    }

    /// The announcements heard so far: ARP operation or ICMP type, and the address.
    /// Blocks the runtime while frames may be on their way, so no further ones leave meanwhile.
    fn announcements(&self) -> Vec<(u8, IpAddr)> {
        std::thread::sleep(Duration::from_millis(30));
        let mut heard = Vec::new();
        let mut frame = [0; 2048];
        while let Ok(len) = recv(self.0.as_raw_fd(), &mut frame, MsgFlags::empty()) {
            let frame = &frame[..len];
            if frame[12..14] == [0x08, 0x06] && frame[28..32] == frame[38..42] {
                let octets: [u8; 4] = frame[28..32].try_into().unwrap();
                heard.push((frame[21], octets.into()));
            } else if frame[12..14] == [0x86, 0xdd] && frame[20] == 58 && frame[54] == 136 {
                let octets: [u8; 16] = frame[62..78].try_into().unwrap();
                heard.push((frame[54], octets.into()));
            }
        }
        heard
    }
}

fn mac() -> String {
    let link = ip("-o link show eth2");
    let (_, rest) = link.split_once("link/ether ").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Aim: a bare address gets interface, prefix, broadcast and alias; the neighbour, which
/// remembered the failed node, has the new one before `add` returns.
#[test]
fn add_v4() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.ip("neigh add 10.8.0.1 lladdr 02:00:00:00:00:99 dev client nud reachable");
        let ear = Ear::new(&neighbour);
        let service_ip = open();
        let begun = Instant::now();
        let added = service_ip.add(&service()).await.unwrap();
        println!("add and announce took {:?}", begun.elapsed());
        let own: IpAddr = "10.8.0.1".parse().unwrap();
        assert_eq!(ear.announcements(), [(1, own), (2, own)]);
        let known = neighbour.ip("neigh show 10.8.0.1");
        assert!(known.contains(&mac()), "{known}");
        assert!(!added.adopted);
        let text = shown("10.8.0.1");
        assert!(text.contains("10.8.0.1/24 brd 10.8.0.255"), "{text}");
        assert!(text.contains("eth2:0"), "{text}");
        assert!(service_ip.holds(own).await.unwrap());
        assert_eq!(service_ip.owned().await.unwrap(), [own]);
        neighbour.run(|| {
            let ping = std::process::Command::new("ping")
                .args(["-c1", "-W2", "10.8.0.1"])
                .output();
            assert!(ping.unwrap().status.success());
        });
    });
}

/// Aim: IPv6 is usable at once, and the neighbour learns it from the advertisement.
#[test]
fn add_v6() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.ip("neigh add fd08::1 lladdr 02:00:00:00:00:99 dev client nud reachable");
        let ear = Ear::new(&neighbour);
        let service_ip = open();
        service_ip.add(&service6()).await.unwrap();
        let own: IpAddr = "fd08::1".parse().unwrap();
        assert_eq!(ear.announcements(), [(136, own)]);
        let known = neighbour.ip("neigh show fd08::1");
        assert!(known.contains(&mac()), "{known}");
        let text = shown("fd08::1");
        assert!(
            text.contains("fd08::1/64") && !text.contains("tentative"),
            "{text}"
        );
        std::net::UdpSocket::bind((own, 0)).unwrap();
        assert!(service_ip.remove(own).await.unwrap());
        assert_eq!(shown("fd08::1"), "");
    });
}

/// Aim: announcements repeat as the original's do, and end when the address is removed.
#[test]
fn repeated_until_removed() {
    isolated(async || {
        let neighbour = cabled();
        let ear = Ear::new(&neighbour);
        let service_ip = open();
        let own = service().address;
        service_ip.add(&service()).await.unwrap();
        sleep(Duration::from_millis(900)).await;
        assert_eq!(ear.announcements().len(), 5 * 2);
        service_ip.add(&service6()).await.unwrap();
        assert!(service_ip.remove(own).await.unwrap());
        ear.announcements();
        sleep(Duration::from_millis(1300)).await;
        assert!(
            ear.announcements()
                .iter()
                .all(|(_, address)| *address != own)
        );
        assert_eq!(shown("10.8.0.1"), "");
        assert!(!service_ip.holds(own).await.unwrap());
        assert!(
            !service_ip.remove(own).await.unwrap(),
            "a second time is fine"
        );
    });
}

/// Aim: an address that we did not add is left alone, and the error says where it is and how to
/// remove it.
#[test]
fn foreign() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &["10.8.0.1/32"], &[]);
        let before = shown("10.8.0.1");
        let service_ip = open();
        let error = service_ip.add(&service()).await.unwrap_err().to_string();
        assert!(
            error.starts_with("10.8.0.1/32 is on eth3 already"),
            "{error}"
        );
        assert!(
            error.ends_with("ip addr del 10.8.0.1/32 dev eth3"),
            "{error}"
        );
        let error = service_ip.remove(service().address).await.unwrap_err();
        assert!(matches!(error, ServiceIpError::Foreign { .. }));
        assert!(!service_ip.holds(service().address).await.unwrap());
        assert_eq!(shown("10.8.0.1"), before);
    });
}

/// Aim: after a kill and a restart our address is known as ours, adopted without being taken away,
/// announced again, and removable.
#[test]
fn adopted() {
    isolated(async || {
        let neighbour = cabled();
        let first = open();
        first.add(&service()).await.unwrap();
        let before = shown("10.8.0.1");
        drop(first);
        let ear = Ear::new(&neighbour);
        let second = open();
        assert!(second.holds(service().address).await.unwrap());
        assert!(second.add(&service()).await.unwrap().adopted);
        assert_eq!(ear.announcements().len(), 2);
        assert_eq!(shown("10.8.0.1"), before);
        assert!(second.remove(service().address).await.unwrap());
    });
}

/// Aim: when haresources asks for another place, ours is moved there.
#[test]
fn moved() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &[], &[]);
        let service_ip = open();
        service_ip.add(&service()).await.unwrap();
        let mut elsewhere = address(AddressStyle::IPaddr2, "10.8.0.1");
        elsewhere.interface = Some("eth3".to_owned());
        elsewhere.prefix = Some(28);
        assert!(!service_ip.add(&elsewhere).await.unwrap().adopted);
        let text = shown("10.8.0.1");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("10.8.0.1/28 brd 10.8.0.15 scope global"),
            "{text}"
        );
        assert!(text.contains("eth3"), "{text}");
    });
}

/// Aim: a hundred aliases come quickly and all answer; the next one is refused with the way out.
#[test]
fn hundred() {
    isolated(async || {
        let neighbour = cabled();
        let ear = Ear::new(&neighbour);
        let service_ip = open();
        let all: Vec<_> = (100..200)
            .map(|last| address(AddressStyle::IPaddr, &format!("10.8.0.{last}")))
            .collect();
        let begun = Instant::now();
        let added = service_ip.add_all(&all).await.unwrap();
        let took = begun.elapsed();
        println!("100 addresses took {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(added[99].plan.label.as_deref(), Some("eth2:99"));
        assert_eq!(ear.announcements().len(), 200);
        let error = service_ip.add(&service()).await.unwrap_err();
        assert!(
            matches!(error, ServiceIpError::AliasesExhausted { .. }),
            "{error}"
        );
        let plain = address(AddressStyle::IPaddr2, "10.8.0.1");
        service_ip.add(&plain).await.unwrap();
        for one in &all {
            assert!(service_ip.remove(one.address).await.unwrap());
        }
        assert_eq!(service_ip.owned().await.unwrap(), [plain.address]);
    });
}

/// Aim: the first failure of several ends the work; those before it are there and announced.
#[test]
fn several_with_one_bad() {
    isolated(async || {
        let neighbour = cabled();
        let ear = Ear::new(&neighbour);
        let service_ip = open();
        let bad = address(AddressStyle::IPaddr, "172.16.0.1");
        let all = [service(), bad, service6()];
        let error = service_ip.add_all(&all).await.unwrap_err();
        assert_eq!(error, ServiceIpError::NoRoute(all[1].address));
        assert_eq!(service_ip.owned().await.unwrap(), [all[0].address]);
        assert_eq!(ear.announcements().len(), 2);
    });
}

/// Aim: an interface that vanishes takes the address with it; removing it succeeds.
#[test]
fn interface_gone() {
    isolated(async || {
        let _neighbour = cabled();
        let service_ip = open();
        service_ip.add(&service()).await.unwrap();
        ip("link del eth2");
        assert!(!service_ip.holds(service().address).await.unwrap());
        assert!(!service_ip.remove(service().address).await.unwrap());
    });
}

/// Aim: an interface that is down is brought up; one that is missing is named.
#[test]
fn interface_down_or_missing() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &[], &[]);
        ip("link set eth3 down");
        let service_ip = open();
        let mut named = service();
        named.interface = Some("eth3".to_owned());
        service_ip.add(&named).await.unwrap();
        let link = ip("-o link show eth3");
        assert!(link.contains(",UP"), "{link}");
        named.interface = Some("eth9".to_owned());
        let error = service_ip.plan(&named).await.unwrap_err().to_string();
        assert!(
            error.starts_with("interface eth9 for 10.8.0.1 does not exist"),
            "{error}"
        );
    });
}

/// Aim: removing an address of ours that happens to be its network's primary leaves the others,
/// which are not ours, in place, also where the kernel would take them along.
#[test]
fn secondaries_stay() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &[], &[]);
        for scope in ["all", "eth3"] {
            let path = format!("/proc/sys/net/ipv4/conf/{scope}/promote_secondaries");
            std::fs::write(path, "0").unwrap();
        }
        let service_ip = open();
        let mut first = address(AddressStyle::IPaddr2, "10.9.0.1");
        first.interface = Some("eth3".to_owned());
        first.prefix = Some(24);
        service_ip.add(&first).await.unwrap();
        ip("addr add 10.9.0.2/24 dev eth3");
        assert!(shown("10.9.0.2").contains("secondary"));
        service_ip.remove(first.address).await.unwrap();
        assert!(shown("10.9.0.2").contains("10.9.0.2/24"));
        assert_eq!(shown("10.9.0.1"), "");
    });
}

/// Aim: what was written is used, and the default route alone leads to a host address.
#[test]
fn plans_from_the_kernels_routes() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth3", "spare", &["192.168.7.1/24"], &[]);
        ip("route add default via 192.168.7.254");
        ip("route add 10.8.0.0/25 dev eth3 metric 50");
        ip("route add blackhole 172.16.0.0/16");
        let service_ip = open();
        let plan = service_ip.plan(&service()).await.unwrap();
        assert_eq!((plan.interface.as_str(), plan.prefix), ("eth2", 24));
        let far = address(AddressStyle::IPaddr2, "172.16.0.1");
        let plan = service_ip.plan(&far).await.unwrap();
        assert_eq!((plan.interface.as_str(), plan.prefix), ("eth3", 32));
        assert!(plan.by_default_route);
        let plan = service_ip.plan(&service6()).await.unwrap();
        assert_eq!((plan.interface.as_str(), plan.prefix), ("eth2", 64));
        assert_eq!(service_ip.owned().await.unwrap(), [] as [IpAddr; 0]);
    });
}

/// Aim: without capabilities the start fails and names the one that is missing; with `CAP_NET_RAW`
/// alone, adding an address does.
#[test]
fn capabilities() {
    let Some(given) = capabilities_given() else {
        return isolated(async || {
            let _neighbour = cabled();
            with_capabilities("-all", "capabilities");
            with_capabilities("-all,+net_raw", "capabilities");
        });
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let (error, what) = if given == "-all" {
            let error = ServiceIp::new(Path::new("/nonexistent"), None)
                .err()
                .unwrap();
            (error, "it needs CAP_NET_RAW")
        } else {
            let error = open().add(&service()).await.unwrap_err();
            (
                error,
                "not allowed to add 10.8.0.1/24 to eth2: it needs CAP_NET_ADMIN",
            )
        };
        assert!(error.to_string().contains(what), "{error}");
    });
}

/// Interfaces enough that the kernel gives their list in several parts.
fn many_interfaces() {
    for number in 0..30 {
        ip(&format!("link add d{number} type veth peer name p{number}"));
    }
}

/// Aim: groups that are acquired at the same moment do not spoil each other's look at the machine.
#[test]
fn many_at_once() {
    isolated(async || {
        let _neighbour = cabled();
        many_interfaces();
        let service_ip = open();
        let wanted: Vec<_> = (101..109)
            .map(|last| address(AddressStyle::IPaddr2, &format!("10.8.0.{last}")))
            .collect();
        let adding = wanted.iter().map(|wanted| service_ip.add(wanted));
        for added in futures_util::future::join_all(adding).await {
            added.unwrap();
        }
        let mut plans = wanted.iter().map(|wanted| service_ip.plan(wanted));
        let (one, two) = (plans.next().unwrap(), plans.next().unwrap());
        let removed = service_ip.remove(wanted[2].address);
        let (one, two, removed) = tokio::join!(one, two, removed);
        assert!(one.is_ok() && two.is_ok() && removed.unwrap());
    });
}

/// Aim: a release that breaks an acquire off in the middle of its look at the machine works at once.
#[test]
fn broken_off() {
    isolated(async || {
        let _neighbour = cabled();
        many_interfaces();
        let service_ip = open();
        let wanted = service();
        for polls in 1..40 {
            let mut add = Box::pin(service_ip.add(&wanted));
            for _ in 0..polls {
                let polled = core::future::poll_fn(|context| {
                    core::task::Poll::Ready(add.as_mut().poll(context))
                });
                if polled.await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(add);
            service_ip.remove(wanted.address).await.unwrap();
            assert_eq!(shown("10.8.0.1"), "");
        }
    });
}
