//! What differs on a kernel that does not keep our mark. The rest is in `tests/service_ip.rs`.

use super::*;
use crate::config::AddressStyle;

#[path = "../../tests/support/mod.rs"]
mod support;
use support::{Neighbour, isolated};

/// Aim: with the record in a file, a restarted daemon knows its address and removes it; without the
/// record, or with the address gone from it, the same address is somebody else's.
#[test]
fn record_in_a_file() {
    isolated(async || {
        let neighbour = Neighbour::new();
        neighbour.cable("eth2", "client", &["10.8.0.11/24"], &[]);
        let dir = tempfile::tempdir().unwrap();
        let open =
            |name: &str| ServiceIp::with_ledger(Ledger::File(dir.path().join(name))).unwrap();
        let wanted = Address {
            text: "10.8.0.1".to_owned(),
            style: AddressStyle::IPaddr2,
            address: "10.8.0.1".parse().unwrap(),
            prefix: None,
            interface: None,
            label: None,
            broadcast: None,
        };
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
