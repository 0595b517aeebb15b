//! What cannot be seen from outside, and what differs on a kernel that does not keep our mark. The
//! rest is in `tests/service_ip.rs`.

use super::*;
use crate::config::AddressStyle;

#[path = "../../tests/support/mod.rs"]
mod support;
use support::{Neighbour, isolated};

fn wanted(text: &str) -> Address {
    Address {
        text: text.to_owned(),
        style: AddressStyle::IPaddr2,
        address: text.parse().unwrap(),
        prefix: None,
        interface: None,
        label: None,
        broadcast: None,
    }
}

/// Aim: with the record in a file, a restarted daemon knows its address and removes it; without the
/// record, or with the address gone from it, the same address is somebody else's.
#[test]
fn record_in_a_file() {
    isolated(async || {
        let neighbour = Neighbour::new();
        neighbour.cable("eth2", "client", &["10.8.0.11/24"], &[]);
        let dir = tempfile::tempdir().unwrap();
        let open =
            |name: &str| ServiceIp::with_ledger(Ledger::File(dir.path().join(name)), None).unwrap();
        let wanted = wanted("10.8.0.1");
        assert!(!open("record").add(&wanted).await.unwrap().adopted);
        let stranger = open("other");
        let error = stranger.add(&wanted).await.unwrap_err();
        assert!(matches!(error, ServiceIpError::Foreign { .. }), "{error}");
        assert!(stranger.remove(wanted.address).await.is_err());
        let restarted = open("record");
        assert!(restarted.add(&wanted).await.unwrap().adopted);
        assert!(restarted.remove(wanted.address).await.unwrap());
        assert!(!restarted.holds(wanted.address).await.unwrap());
        support::ip("addr add 10.8.0.1/24 dev eth2");
        assert!(
            restarted.remove(wanted.address).await.is_err(),
            "put there by hand"
        );
    });
}

/// Aim: this kernel changes the lifetime of an address that is here, and never adds one that is not,
/// whatever its kind: no renewal can bring an address back behind the peer's back.
#[test]
fn extending_never_adds() {
    isolated(async || {
        let neighbour = Neighbour::new();
        let own = ["10.8.0.11/24", "fd08::11/64"];
        neighbour.cable("eth2", "client", &own, &[]);
        let lease = Lease::new(systole_core::time::Duration::from_secs(30));
        let service_ip = ServiceIp::with_ledger(Ledger::Kernel, lease).unwrap();
        for text in ["10.8.0.1", "fd08::1"] {
            let wanted = wanted(text);
            let plan = service_ip.plan(&wanted).await.unwrap();
            assert!(!service_ip.hands.extend(&plan).await.unwrap());
            assert!(!support::has(wanted.address));
            service_ip.add(&wanted).await.unwrap();
            assert!(service_ip.hands.extend(&plan).await.unwrap());
            assert!(support::has(wanted.address));
            support::ip(&format!("addr flush dev eth2 to {text}"));
            assert!(!service_ip.hands.extend(&plan).await.unwrap());
            assert!(!support::has(wanted.address));
        }
        let plan = service_ip.plan(&wanted("10.8.0.1")).await.unwrap();
        support::ip("link del eth2");
        assert!(!service_ip.hands.extend(&plan).await.unwrap());
    });
}
