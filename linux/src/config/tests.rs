//! Whole files, read from a directory.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use diag::Severity;

const HA_CF: &str = "use_logd on\nkeepalive 2\ndeadtime 30\nwarntime 10\ninitdead 120\n\
                     udpport 695\nucast eth0 192.168.1.1\nucast eth0 192.168.1.2\n\
                     auto_failback on\nnode rproxy1 RProxy2\n";

/// A directory with three good files.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "ha.cf", HA_CF);
    write(dir.path(), "haresources", "rproxy1 10.8.0.1 nginx\n");
    write(dir.path(), "authkeys", "auth 1\n1 sha1 0123456789abcdef\n");
    dir
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn files_only() -> LoadOptions {
    LoadOptions {
        files_only: true,
        ..LoadOptions::default()
    }
}

fn cluster(dir: &Path) -> Cluster {
    let loaded = load(dir, "RPROXY1", &files_only());
    loaded
        .cluster
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// The titles of the errors.
fn errors(dir: &Path) -> Vec<String> {
    let loaded = load(dir, "rproxy1", &files_only());
    let errors = loaded
        .diagnostics
        .into_iter()
        .filter(|d| d.severity == Severity::Error);
    errors.map(|d| d.title).collect()
}

/// Aim: what the article's files say arrives unchanged.
#[test]
fn article_means_what_it_says() {
    let dir = directory();
    let cluster = cluster(dir.path());
    assert_eq!(
        (cluster.node.as_str(), cluster.peer.as_str()),
        ("rproxy1", "rproxy2")
    );
    let times = [
        cluster.keepalive,
        cluster.warntime,
        cluster.deadtime,
        cluster.initdead,
    ];
    assert_eq!(times.map(Duration::as_secs), [2, 10, 30, 120]);
    assert_eq!((cluster.auto_failback, cluster.ttl), (AutoFailback::On, 3));
    assert!(cluster.log.system && cluster.log.file.is_none());
    assert_eq!(cluster.keys.sending().0, 1);
    let recorded = |name: &str| {
        let found = cluster.directives.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(recorded("keepalive"), Some("2"));
    assert_eq!((recorded("node"), recorded("ucast")), (None, None));
    let group = &cluster.groups[0];
    assert_eq!(
        (group.name.as_str(), group.node.as_str()),
        ("10.8.0.1", "rproxy1")
    );
    assert!(matches!(&group.resources[1], Resource::Agent { name, .. } if name == "nginx"));
}

/// Aim: the same file serves both nodes, each of which drops the lines with its own address.
#[test]
fn own_links_are_dropped() {
    let dir = directory();
    let cluster = cluster(dir.path());
    assert_eq!(cluster.links.len(), 2);
    let own = ["192.168.1.1".parse().unwrap(), "::1".parse().unwrap()];
    let links = cluster.without_own(&own);
    assert_eq!(links.len(), 1);
    let link = links[0].udp().unwrap();
    assert_eq!(link.medium, Medium::Ucast("192.168.1.2".parse().unwrap()));
    assert_eq!(link.port, 695);
}

/// Aim: udpport acts on the lines after it only, several times if asked.
#[test]
fn udpport_is_positional() {
    let dir = directory();
    let ports = "bcast eth1\nudpport 700\nbcast eth2, eth3\nudpport 701\nbcast eth4\n";
    write(
        dir.path(),
        "ha.cf",
        &format!("{ports}auto_failback off\nnode rproxy1 rproxy2\n"),
    );
    let ports: Vec<u16> = cluster(dir.path())
        .links
        .iter()
        .map(|link| link.udp().unwrap().port)
        .collect();
    assert_eq!(ports, [694, 700, 700, 701]);
}

/// Aim: baud acts on the lines after it only, and a line can name several devices.
#[test]
fn baud_is_positional() {
    let dir = directory();
    write(
        dir.path(),
        "ha.cf",
        "serial /dev/ttyS0\nbaud 115200\nserial /dev/ttyS1 /dev/ttyS2\nserial_auth 1\n\
         auto_failback off\nnode rproxy1 rproxy2\n",
    );
    let cluster = cluster(dir.path());
    let lines: Vec<_> = cluster
        .links
        .iter()
        .map(|link| link.serial().unwrap())
        .collect();
    let bauds: Vec<u32> = lines.iter().map(|line| line.baud).collect();
    assert_eq!(bauds, [19_200, 115_200, 115_200]);
    assert_eq!(cluster.links[2].name(), "serial /dev/ttyS2");
    assert_eq!(cluster.links[2].interface(), "/dev/ttyS2");
    assert_eq!(cluster.serial_auth, Some(1));
}

/// Aim: keys that lack the one of `serial_auth` are not taken over while the daemon runs.
#[test]
fn serial_key_is_looked_for() {
    let dir = directory();
    assert!(load_keys(dir.path(), Some(1)).keys.is_some());
    let lacking = load_keys(dir.path(), Some(2));
    assert!(lacking.keys.is_none());
    assert!(lacking.diagnostics[0].title.contains("no key 2"));
}

/// Aim: times that are not written have the original's defaults.
#[test]
fn default_times() {
    let dir = directory();
    write(
        dir.path(),
        "ha.cf",
        "bcast eth0\ndeadtime 8\nauto_failback on\nnode rproxy1 rproxy2\n",
    );
    let c = cluster(dir.path());
    let times = [c.keepalive, c.warntime, c.deadtime, c.initdead];
    assert_eq!(times.map(Duration::as_secs), [1, 4, 8, 16]);
}

/// Aim: the digest follows the meaning of haresources, not its layout.
#[test]
fn digest_is_of_the_meaning() {
    let dir = directory();
    let digest = |text: &str| {
        write(dir.path(), "haresources", text);
        cluster(dir.path()).resources_digest
    };
    let plain = digest("rproxy1 10.8.0.1 nginx\n");
    assert_eq!(
        plain,
        digest("# ours\n\n  RProxy1\t10.8.0.1 \\\r\n  nginx # the proxy\r\n")
    );
    for other in [
        "rproxy2 10.8.0.1 nginx\n",
        "rproxy1 10.8.0.1 nginx::x\n",
        "rproxy1 10.8.0.1\n",
        "rproxy1 IPaddr::10.8.0.1 nginx\n",
        "",
    ] {
        assert_ne!(plain, digest(other), "{other}");
    }
}

/// Aim: arguments and addresses are taken apart as the original's scripts get them.
#[test]
fn resources_have_arguments() {
    let dir = directory();
    let line =
        "rproxy1 IPaddr2::10.8.0.1/24/eth1 Filesystem::/dev/sda1::/srv::ext4 systemd:nginx\n";
    write(dir.path(), "haresources", line);
    let resources = cluster(dir.path()).groups[0].resources.clone();
    assert!(matches!(&resources[0], Resource::Address(a) if a.style == AddressStyle::IPaddr2));
    let Resource::Agent { args, .. } = &resources[1] else {
        panic!("{resources:?}");
    };
    assert_eq!(args, &["/dev/sda1", "/srv", "ext4"]);
}

/// Aim: a pipe, a directory or a giant in place of a file is an error at once, not a wait.
#[test]
fn odd_files() {
    let dir = directory();
    std::fs::remove_file(dir.path().join("ha.cf")).unwrap();
    nix::unistd::mkfifo(&dir.path().join("ha.cf"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::fs::remove_file(dir.path().join("haresources")).unwrap();
    std::fs::create_dir(dir.path().join("haresources")).unwrap();
    write(dir.path(), "authkeys", &"#".repeat(300 * 1024));
    assert_eq!(
        errors(dir.path()),
        [
            "ha.cf is not a regular file",
            "haresources is not a regular file",
            "authkeys is larger than 256 KiB",
        ]
    );
}

/// Aim: keys that others may read are not used, also not when they are read again.
#[test]
fn exposed_keys_are_refused() {
    let dir = directory();
    assert!(load_keys(dir.path(), None).keys.is_some());
    let path = dir.path().join("authkeys");
    for mode in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(load_keys(dir.path(), None).keys.is_none(), "{mode:o}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(load_keys(dir.path(), None).keys.is_some());
}

/// Aim: a host name is looked up when the machine may be asked, and only then.
#[test]
fn host_names_are_looked_up() {
    let dir = directory();
    let named = HA_CF.replace("192.168.1.2", "no-such-host.invalid");
    write(dir.path(), "ha.cf", &named);
    assert!(errors(dir.path()).is_empty());
    let loaded = load(dir.path(), "rproxy1", &LoadOptions::default());
    assert!(loaded.cluster.is_none());
    assert!(loaded.diagnostics[0].title.contains("no-such-host.invalid"));
}

/// Aim: the name is that of nodeinfo, else that of the system.
#[test]
fn name_of_this_node() {
    let dir = directory();
    assert!(!own_name(dir.path()).unwrap().is_empty());
    write(dir.path(), "nodeinfo", "RProxy7\nmore\n");
    assert_eq!(own_name(dir.path()).unwrap(), "rproxy7");
}
