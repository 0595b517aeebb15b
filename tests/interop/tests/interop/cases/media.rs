//! Every medium, every method.

use systole::clock::now;
use systole::demo::lab::KEY;
use systole::demo::sample::Host;
use systole_netns::cable::Cable;

use crate::pair::{Files, Pair, Role};

/// Aim: broadcast and md5 carry the whole conversation.
pub(super) fn broadcast_md5(role: Role) -> String {
    converse(role, "bcast eth0", &format!("auth 1\n1 md5 {KEY}\n"))
}

/// Aim: multicast and crc, which is all the protection an administrator has asked for, do too.
pub(super) fn multicast_crc(role: Role) -> String {
    converse(role, "mcast eth0 239.0.0.42 695 1 0", "auth 2\n2 crc\n")
}

/// Aim: two links bring every message twice; both nodes sign with the second of two keys.
pub(super) fn two_links(role: Role) -> String {
    let lines = ["eth0 192.168.1", "eth1 172.202.2"]
        .map(|net| format!("ucast {net}.1\nucast {net}.2"))
        .join("\n");
    converse(
        role,
        &lines,
        &format!("auth 2\n1 sha1 AnOlderKeyOfThePair\n2 sha1 {KEY}\n"),
    )
}

/// Aim: a serial cable alone does, in the classic encoding that the original speaks there.
pub(super) fn serial(role: Role) -> String {
    let cable = Cable::new();
    let end = |host| format!("serial {}", cable.path(host).display());
    converse_over(
        role,
        &Files {
            links: vec!["baud 115200".to_owned()],
            own_links: Host::BOTH.map(end),
            ..Files::default()
        },
    )
}

fn converse(role: Role, link: &str, authkeys: &str) -> String {
    let files = Files {
        links: vec![link.to_owned()],
        authkeys: authkeys.to_owned(),
        ..Files::default()
    };
    converse_over(role, &files)
}

fn converse_over(role: Role, files: &Files) -> String {
    let mut pair = Pair::running(role, files);
    for (from, holder) in [(Host::First, Host::Second), (Host::Second, Host::First)] {
        pair.order(from, "standby", "all");
        pair.settled(holder);
    }
    pair.past_the_first_seconds();
    let cut = now();
    pair.power_cut(role.theirs());
    pair.alone(role.ours());
    let took = pair.served_by(role.ours()).since(cut);
    pair.verdict();
    format!("replaced by Systole within {took}")
}
