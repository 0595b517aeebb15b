//! The rules for what the administrator left out, case by case.

use super::*;

fn interface(index: u32, name: &str) -> Interface {
    Interface {
        index,
        name: name.to_owned(),
        up: true,
    }
}

fn route(network: &str, metric: u32, index: u32) -> Route {
    let (to, prefix) = network.split_once('/').unwrap();
    Route {
        to: to.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        metric,
        index,
    }
}

/// The article's node: eth0 private, eth1 administrative, eth2 with the service network.
fn machine(routes: &[Route]) -> Machine {
    Machine {
        interfaces: vec![
            interface(2, "eth0"),
            interface(3, "eth1"),
            interface(4, "eth2"),
        ],
        held: Vec::new(),
        routes: routes.to_vec(),
    }
}

fn wanted(style: AddressStyle, address: &str) -> Address {
    Address {
        text: address.to_owned(),
        style,
        address: address.parse().unwrap(),
        prefix: None,
        interface: None,
        label: None,
        broadcast: None,
    }
}

fn held(address: &str, prefix: u8, index: u32, label: &str) -> Held {
    Held {
        address: address.parse().unwrap(),
        prefix,
        index,
        label: Some(label.to_owned()),
        ours: false,
        secondary: false,
        usable: true,
    }
}

fn placed(routes: &[Route], address: &str) -> (String, u8, Option<String>) {
    let plan = machine(routes)
        .plan(&wanted(AddressStyle::IPaddr2, address))
        .unwrap();
    let broadcast = plan.broadcast.map(|broadcast| broadcast.to_string());
    (plan.interface, plan.prefix, broadcast)
}

fn is(interface: &str, prefix: u8, broadcast: Option<&str>) -> (String, u8, Option<String>) {
    (interface.to_owned(), prefix, broadcast.map(str::to_owned))
}

/// Aim: interface, prefix and broadcast all come from the route that covers the address.
#[test]
fn from_the_route() {
    let routes = [
        route("0.0.0.0/0", 0, 3),
        route("192.168.1.0/24", 0, 2),
        route("10.8.0.0/20", 0, 4),
    ];
    assert_eq!(
        placed(&routes, "10.8.0.1"),
        is("eth2", 20, Some("10.8.15.255"))
    );
    assert_eq!(
        placed(&routes, "192.168.1.9"),
        is("eth0", 24, Some("192.168.1.255"))
    );
}

/// Aim: the lowest metric wins, even over a narrower network, as measured with `findif`.
#[test]
fn lowest_metric() {
    let routes = [
        route("10.8.0.0/24", 5, 2),
        route("10.8.0.0/16", 0, 4),
        route("10.0.0.0/8", 1, 3),
    ];
    assert_eq!(
        placed(&routes, "10.8.0.1"),
        is("eth2", 16, Some("10.8.255.255"))
    );
}

/// Aim: the default route comes last, whatever its metric.
#[test]
fn default_route_last() {
    let routes = [route("0.0.0.0/0", 0, 3), route("10.8.0.0/24", 1000, 4)];
    assert_eq!(
        placed(&routes, "10.8.0.1"),
        is("eth2", 24, Some("10.8.0.255"))
    );
}

/// Aim: of equal metric the narrower network, and of equal networks the first in the table.
#[test]
fn equals() {
    let nested = [route("10.0.0.0/8", 0, 2), route("10.8.0.0/16", 0, 4)];
    assert_eq!(
        placed(&nested, "10.8.0.1"),
        is("eth2", 16, Some("10.8.255.255"))
    );
    let twice = [route("10.8.0.0/24", 0, 3), route("10.8.0.0/24", 0, 4)];
    assert_eq!(
        placed(&twice, "10.8.0.1"),
        is("eth1", 24, Some("10.8.0.255"))
    );
}

/// Aim: with nothing but a default route its interface gets a host address, and the plan says so;
/// with a netmask given that is used.
#[test]
fn default_route_only() {
    let routes = [route("0.0.0.0/0", 100, 3)];
    assert_eq!(placed(&routes, "10.8.0.1"), is("eth1", 32, None));
    let mut address = wanted(AddressStyle::IPaddr2, "10.8.0.1");
    assert!(machine(&routes).plan(&address).unwrap().by_default_route);
    address.prefix = Some(24);
    let plan = machine(&routes).plan(&address).unwrap();
    assert_eq!(
        (plan.prefix, plan.broadcast),
        (24, Some(Ipv4Addr::new(10, 8, 0, 255)))
    );
}

/// Aim: what is written is taken as written; a route on another interface does not matter.
#[test]
fn as_written() {
    let routes = [route("10.8.0.0/24", 0, 4)];
    let mut address = wanted(AddressStyle::IPaddr2, "10.8.0.1");
    address.interface = Some("eth0".to_owned());
    let plan = machine(&routes).plan(&address).unwrap();
    assert_eq!(
        (plan.interface.as_str(), plan.prefix),
        ("eth0", 32),
        "as findif does"
    );
    address.prefix = Some(25);
    address.broadcast = Some(Ipv4Addr::new(10, 8, 0, 200));
    address.label = Some("web".to_owned());
    let plan = machine(&routes).plan(&address).unwrap();
    assert_eq!(plan.prefix, 25);
    assert_eq!(plan.broadcast, Some(Ipv4Addr::new(10, 8, 0, 200)));
    assert_eq!(plan.label.as_deref(), Some("eth0:web"));
    assert!(!plan.by_default_route);
}

/// Aim: no route, no such interface, and link-local without interface are refused by name.
#[test]
fn refused() {
    let plan = |address: &Address| machine(&[]).plan(address).unwrap_err().to_string();
    let mut address = wanted(AddressStyle::IPaddr, "10.8.0.1");
    assert!(plan(&address).starts_with("no route covers 10.8.0.1"));
    address.interface = Some("eth9".to_owned());
    assert!(plan(&address).starts_with("interface eth9 for 10.8.0.1 does not exist"));
    let local = wanted(AddressStyle::IPv6addr, "fe80::1");
    assert!(plan(&local).starts_with("fe80::1 is link-local"));
}

/// Aim: `IPaddr` takes the first free alias of its own interface; `IPaddr2` takes none.
#[test]
fn aliases() {
    let mut machine = machine(&[route("10.8.0.0/24", 0, 4)]);
    let address = wanted(AddressStyle::IPaddr, "10.8.0.1");
    let label = |machine: &Machine| machine.plan(&address).unwrap().label;
    assert_eq!(label(&machine).as_deref(), Some("eth2:0"));
    machine.held.push(held("10.8.0.7", 24, 4, "eth2:0"));
    machine.held.push(held("10.8.0.8", 24, 4, "eth2:2"));
    machine.held.push(held("10.8.0.9", 24, 3, "eth1:1"));
    assert_eq!(label(&machine).as_deref(), Some("eth2:1"));
    let plain = machine.plan(&wanted(AddressStyle::IPaddr2, "10.8.0.1"));
    assert_eq!(plain.unwrap().label, None);
}

/// Aim: the hundredth alias is the last, and the error names the way out.
#[test]
fn aliases_end_at_100() {
    let mut machine = machine(&[route("10.8.0.0/24", 0, 4)]);
    for number in 0..99 {
        machine
            .held
            .push(held("10.8.0.7", 24, 4, &format!("eth2:{number}")));
    }
    let address = wanted(AddressStyle::IPaddr, "10.8.0.1");
    assert_eq!(
        machine.plan(&address).unwrap().label.as_deref(),
        Some("eth2:99")
    );
    machine.held.push(held("10.8.0.7", 24, 4, "eth2:99"));
    let error = machine.plan(&address).unwrap_err();
    assert!(
        error.to_string().contains("use IPaddr2::10.8.0.1"),
        "{error}"
    );
}

/// Aim: a label that the kernel would refuse is refused before, with its length.
#[test]
fn long_label() {
    let mut machine = machine(&[]);
    machine.interfaces.push(interface(9, "enp0s31f6np12v"));
    let mut address = wanted(AddressStyle::IPaddr, "10.8.0.1");
    address.interface = Some("enp0s31f6np12v".to_owned());
    let error = machine.plan(&address).unwrap_err();
    assert!(
        matches!(error, ServiceIpError::LabelTooLong { .. }),
        "{error}"
    );
    address.style = AddressStyle::IPaddr2;
    assert_eq!(machine.plan(&address).unwrap().label, None);
}

/// Aim: our own address from an earlier run keeps the alias it has.
#[test]
fn own_keeps_its_alias() {
    let mut machine = machine(&[route("10.8.0.0/24", 0, 4)]);
    let mut own = held("10.8.0.1", 24, 4, "eth2:7");
    own.ours = true;
    machine.held.push(own);
    let plan = machine.plan(&wanted(AddressStyle::IPaddr, "10.8.0.1"));
    assert_eq!(plan.unwrap().label.as_deref(), Some("eth2:7"));
}

/// Aim: IPv6 takes its prefix from the route, else a host prefix, and has no broadcast or label.
#[test]
fn ipv6() {
    let routes = [
        route("::/0", 1, 3),
        route("2001:db8:8::/48", 256, 4),
        route("10.8.0.0/24", 0, 2),
    ];
    assert_eq!(placed(&routes, "2001:db8:8::1"), is("eth2", 48, None));
    assert_eq!(placed(&routes, "2001:db8:9::1"), is("eth1", 128, None));
    let mut address = wanted(AddressStyle::IPaddr, "2001:db8:8::1");
    address.label = Some("0".to_owned());
    assert_eq!(machine(&routes).plan(&address).unwrap().label, None);
}

/// Aim: networks of one and two addresses have no broadcast address (RFC 3021), the whole of IPv4
/// has one.
#[test]
fn broadcast() {
    let address = Ipv4Addr::new(10, 8, 0, 1);
    assert_eq!(highest(address, 32), None);
    assert_eq!(highest(address, 31), None);
    assert_eq!(highest(address, 30), Some(Ipv4Addr::new(10, 8, 0, 3)));
    assert_eq!(highest(address, 0), Some(Ipv4Addr::BROADCAST));
}

/// Aim: a primary with secondaries of its own network is known to carry them; others are not.
#[test]
fn carries_others() {
    let mut machine = machine(&[]);
    let primary = held("10.8.0.1", 24, 4, "eth2:0");
    let mut secondary = held("10.8.0.2", 24, 4, "eth2:1");
    secondary.secondary = true;
    machine.held = vec![primary.clone()];
    assert!(!machine.carries_others(&primary), "alone");
    machine.held.push(secondary.clone());
    assert!(machine.carries_others(&primary));
    assert!(!machine.carries_others(&secondary));
    let elsewhere = held("10.8.1.1", 24, 4, "eth2:3");
    assert!(!machine.carries_others(&elsewhere), "another network");
}
