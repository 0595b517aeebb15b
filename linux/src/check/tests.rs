//! The checks of the machine, against a made-up machine in a directory.

use core::net::IpAddr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::machine::OwnAddress;
use super::*;

struct Scene {
    dir: tempfile::TempDir,
    machine: Machine,
}

const HA_CF: &str = "keepalive 2\nudpport 695\nucast eth0 192.168.1.1\nucast eth0 192.168.1.2\n\
                     auto_failback on\nnode rproxy1 rproxy2\n";

impl Scene {
    /// A machine on which everything is as it should be.
    fn good() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine {
            root: dir.path().to_owned(),
            addresses: vec![
                own("eth0", "192.168.1.1", 24),
                own("eth1", "10.8.0.250", 24),
            ],
        };
        let scene = Self { dir, machine };
        scene.write("etc/ha.d/ha.cf", HA_CF);
        scene.write("etc/ha.d/haresources", "rproxy1 10.8.0.1 nginx\n");
        scene.write("etc/ha.d/authkeys", "auth 1\n1 sha1 0123456789abcdef\n");
        scene.chmod("etc/ha.d/authkeys", 0o600);
        scene.write(
            "etc/hosts",
            "127.0.0.1 localhost\n192.168.1.1 RProxy1 # us\n192.168.1.2 x rproxy2\n",
        );
        scene.write("proc/sys/kernel/hostname", "rproxy1\n");
        scene.write(
            "proc/net/route",
            "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
             eth1 0000080A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
        );
        scene.write("sys/class/net/eth0/x", "");
        scene.write("sys/class/net/eth1/x", "");
        scene.write("lib/systemd/system/nginx.service", "");
        scene
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn chmod(&self, path: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.dir.path().join(path), permissions).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn report(&self) -> (String, u8) {
        let options = Options {
            config_dir: self.dir.path().join("etc/ha.d"),
            node: Some("rproxy1".to_owned()),
            files_only: false,
            json: false,
        };
        report(&options, &self.machine, Style::Plain).unwrap()
    }

    /// Checks that the report holds `part`, and has the exit code.
    fn says(&self, part: &str, code: u8) {
        let (text, found) = self.report();
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
        assert_eq!(found, code, "{text}");
    }
}

fn own(interface: &str, address: &str, prefix: u32) -> OwnAddress {
    OwnAddress {
        interface: interface.to_owned(),
        address: address.parse::<IpAddr>().unwrap(),
        prefix,
    }
}

/// Aim: on a machine that is set up rightly nothing is said but what was understood.
#[test]
fn good_machine() {
    let (text, code) = Scene::good().report();
    assert!(
        text.contains("is in order: no errors, no warnings"),
        "{text}"
    );
    assert_eq!(code, 0);
}

/// Aim: each init system's way to start nginx at boot is found, with its own command.
#[test]
fn started_at_boot() {
    let systemd = Scene::good();
    systemd.link(
        "etc/systemd/system/multi-user.target.wants/nginx.service",
        "/gone",
    );
    systemd.says("systemctl disable --now nginx", 0);
    let debian = Scene::good();
    debian.link("etc/rc3.d/S01nginx", "../init.d/nginx");
    debian.says("update-rc.d nginx disable", 0);
    let red_hat = Scene::good();
    red_hat.link("etc/rc.d/rc3.d/S85nginx", "../init.d/nginx");
    red_hat.says("chkconfig nginx off", 0);
    let stopped = Scene::good();
    stopped.link("etc/rc3.d/K01nginx", "../init.d/nginx");
    stopped.says("no errors, no warnings", 0);
    // Under systemd the unit hides the links of its init script.
    let hidden = Scene::good();
    hidden.link("etc/rc3.d/S01nginx", "../init.d/nginx");
    hidden.write("run/systemd/system/x", "");
    hidden.says("no errors, no warnings", 0);
}

/// Aim: names that are missing in /etc/hosts, or are not this machine's, are told.
#[test]
fn names_of_machines() {
    let scene = Scene::good();
    scene.write("etc/hosts", "192.168.1.1 rproxy1\n#192.168.1.2 rproxy2\n");
    scene.says("`rproxy2` is not in /etc/hosts", 0);
    let scene = Scene::good();
    scene.write("proc/sys/kernel/hostname", "web7\n");
    scene.says("this machine is called `web7`", 0);
}

/// Aim: a missing interface is an error, told once, with the likely one.
#[test]
fn missing_interface() {
    let mut scene = Scene::good();
    std::fs::rename(
        scene.dir.path().join("sys/class/net/eth0"),
        scene.dir.path().join("sys/class/net/eth2"),
    )
    .unwrap();
    scene.machine.addresses.remove(0);
    scene.says("this machine has no interface `eth0`", 1);
    let (text, _) = scene.report();
    assert_eq!(text.matches("no interface `eth0`").count(), 1, "{text}");
}

/// Aim: links that lead to this machine alone are an error; a peer elsewhere is a warning.
#[test]
fn links_lead_to_the_peer() {
    let scene = Scene::good();
    scene.write(
        "etc/ha.d/ha.cf",
        &HA_CF.replace("192.168.1.2", "10.8.0.250"),
    );
    scene.says("no link leads to the other node", 1);
    scene.write(
        "etc/ha.d/ha.cf",
        &HA_CF.replace("192.168.1.2", "192.168.2.2"),
    );
    scene.says("192.168.2.2 is in no network of eth0", 0);
}

/// Aim: a service address without a network, or with the default route's alone, is told.
#[test]
fn service_network() {
    let scene = Scene::good();
    scene.write("etc/ha.d/haresources", "rproxy1 10.9.0.1 nginx\n");
    scene.says(
        "no interface has a network for the service address 10.9.0.1",
        1,
    );
    scene.write(
        "proc/net/route",
        "h\neth1 00000000 0100080A 0003 0 0 0 00000000 0 0 0\n",
    );
    scene.says(
        "only the default route leads to the service address 10.9.0.1",
        0,
    );
    scene.write("etc/ha.d/haresources", "rproxy1 10.9.0.1/24/eth1 nginx\n");
    scene.says("no errors, no warnings", 0);
    scene.write("etc/ha.d/haresources", "rproxy1 IPv6addr::fd00::80 nginx\n");
    scene.says(
        "no interface has a network for the service address fd00::80",
        1,
    );
    let zeros = "0".repeat(28);
    scene.write(
        "proc/net/ipv6_route",
        &format!("fd00{zeros} 40 {zeros}0000 00 {zeros}0000 00000100 1 0 1 eth1\n"),
    );
    scene.says("no errors, no warnings", 0);
}

/// Aim: an address that the system itself configures is told, but not while Systole runs.
#[test]
fn foreign_service_address() {
    let mut scene = Scene::good();
    scene.machine.addresses.push(own("eth1", "10.8.0.1", 24));
    scene.says("10.8.0.1 is already on eth1", 1);
    scene.write("proc/4000000/comm", "systole\n");
    scene.says("no errors, no warnings", 0);
    scene.write(
        "etc/network/interfaces",
        "iface eth1 inet static\n  gateway 10.8.0.1\n  address 10.8.0.1/24\n",
    );
    scene.says("10.8.0.1 also stands in /etc/network/interfaces, line 3", 0);
}

/// Aim: a port that another program has is an error that names it; our own daemon is none.
#[test]
fn taken_port() {
    let scene = Scene::good();
    scene.write(
        "proc/net/udp",
        "sl local rem st tx rx tr uid to inode\n\
         1: 00000000:02B7 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 x 0\n",
    );
    scene.says("UDP port 695 is taken by another program", 1);
    scene.write("proc/4000002/comm", "systole\n");
    scene.says("no errors, no warnings", 0);
    std::fs::remove_dir_all(scene.dir.path().join("proc/4000002")).unwrap();
    scene.link("proc/4000001/fd/5", "socket:[4711]");
    scene.write("proc/4000001/comm", "rsyncd\n");
    scene.says("UDP port 695 is taken by `rsyncd` (process 4000001)", 1);
    scene.write("proc/4000001/comm", "heartbeat\n");
    scene.says(
        "the original heartbeat runs on this machine (process 4000001)",
        0,
    );
    scene.write("proc/4000001/comm", "systole\n");
    scene.says("no errors, no warnings", 0);
}

/// Aim: a resource without script or unit is an error that says where it was looked for.
#[test]
fn scripts_exist() {
    let scene = Scene::good();
    std::fs::remove_file(scene.dir.path().join("lib/systemd/system/nginx.service")).unwrap();
    scene.says("there is no script or unit for `nginx`", 1);
    scene.write("etc/ha.d/resource.d/nginx", "#!/bin/sh\n");
    scene.says("resource.d/nginx cannot be executed", 1);
    scene.says("run `chmod +x ", 1);
    scene.write("etc/init.d/nginx", "#!/bin/sh\n");
    scene.chmod("etc/init.d/nginx", 0o755);
    scene.says("resource.d/nginx cannot be executed and is passed over", 0);
    scene.chmod("etc/ha.d/resource.d/nginx", 0o755);
    scene.says("no errors, no warnings", 0);
    // Below the unit of its name a script is passed over as well.
    let scene = Scene::good();
    scene.write("etc/ha.d/resource.d/nginx", "#!/bin/sh\n");
    scene.says("started by the systemd unit of this name", 0);
}

/// Aim: a log file that `run` could not open is an error before it is run.
#[test]
fn log_files() {
    let scene = Scene::good();
    let lines = "logfile /var/log/ha/log\ndebugfile /var/log/debug\n";
    scene.write("etc/ha.d/ha.cf", &format!("{HA_CF}{lines}"));
    scene.write("var/log/debug/x", "");
    scene.says(
        "`logfile` cannot be opened: there is no directory /var/log/ha",
        1,
    );
    scene.says(
        "`debugfile` cannot be opened: /var/log/debug is a directory",
        1,
    );
    std::fs::remove_dir_all(scene.dir.path().join("var/log/debug")).unwrap();
    scene.write("var/log/ha/x", "");
    scene.says("no errors, no warnings", 0);
}

/// Aim: the JSON form carries places and counts, and the same exit code.
#[test]
fn json_form() {
    let scene = Scene::good();
    scene.write(
        "etc/ha.d/haresources",
        "rproxy1 10.8.0.1 nginx\nrproxy3 10.8.0.2\n",
    );
    let options = Options {
        config_dir: scene.dir.path().join("etc/ha.d"),
        node: Some("rproxy1".to_owned()),
        files_only: true,
        json: true,
    };
    let (text, code) = report(&options, &scene.machine, Style::Coloured).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((value["errors"].as_u64(), code), (Some(1), 1));
    let first = &value["diagnostics"][0];
    assert_eq!(
        (first["line"].as_u64(), first["column"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(first["severity"], "error");
    assert!(
        first["help"]
            .as_str()
            .unwrap()
            .contains("did you mean `rproxy1`"),
        "{text}"
    );
    assert!(Path::new(first["file"].as_str().unwrap()).ends_with("haresources"));
}

/// Aim: the real machine can be looked at by anybody without failing.
#[test]
fn this_machine_can_be_read() {
    let machine = Machine::this();
    assert!(
        machine
            .addresses
            .iter()
            .any(|own| own.address.is_loopback())
    );
}

/// Aim: files in a checkout, which are no node's own and which everybody may read, can be checked as
/// they lie there; the report says what was left out.
#[test]
fn files_of_other_machines() {
    let scene = Scene::good();
    let copy = scene.dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["ha.cf", "haresources", "authkeys"] {
        std::fs::copy(
            scene.dir.path().join("etc/ha.d").join(file),
            copy.join(file),
        )
        .unwrap();
    }
    std::fs::set_permissions(
        copy.join("authkeys"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let options = Options {
        config_dir: copy,
        node: None,
        files_only: false,
        json: false,
    };
    let (text, code) = report(&options, &scene.machine, Style::Plain).unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("the files were read as on rproxy1"), "{text}");
}

/// Aim: a serial device that is missing, no device at all, or used by a login is told, with the way
/// out; a good one is not mentioned, and is no missing interface.
#[test]
fn serial_devices() {
    let scene = Scene::good();
    scene.write("etc/ha.d/ha.cf", &format!("{HA_CF}serial /dev/ttyS7\n"));
    scene.link("sys/class/tty/ttyS0/device/driver", "/");
    scene.says("this machine has no serial device /dev/ttyS7", 1);
    scene.says("help: this machine has /dev/ttyS0", 1);
    scene.write("dev/ttyS7", "");
    scene.says("/dev/ttyS7 is no serial device", 1);
    std::fs::remove_file(scene.dir.path().join("dev/ttyS7")).unwrap();
    scene.link("dev/ttyS7", "/dev/null");
    scene.says("is in order: no errors, no warnings", 0);
    scene.says("/dev/ttyS7, serial line at 19200 baud", 0);
    scene.link("proc/42/fd/0", "/dev/null");
    scene.write("proc/42/comm", "agetty\n");
    scene.says("/dev/ttyS7 is used by `agetty` (process 42)", 1);
}
