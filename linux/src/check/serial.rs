//! The serial devices that ha.cf names.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use nix::unistd::{AccessFlags, access};

use crate::config::diag::{Diagnostic, File};
use crate::config::{Link, LinkConfig, Parts};

use super::machine::{Machine, file_name};

pub(super) fn check(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    for link in &parts.ha_cf.links {
        let serial = link.config.as_ref().and_then(LinkConfig::serial);
        if let Some(serial) = serial {
            found.extend(device(machine, link, &serial.device));
        }
    }
}

fn device(machine: &Machine, link: &Link, device: &str) -> Option<Diagnostic> {
    let path = machine.path(device.trim_start_matches('/'));
    let error = |title: String, label: &str, help: String| {
        let found = Diagnostic::error(File::HaCf, title).at(&link.interface.span, label);
        Some(found.help(help))
    };
    let Ok(metadata) = std::fs::metadata(&path) else {
        return error(
            format!("this machine has no serial device {device}"),
            "not there",
            here(machine),
        );
    };
    if !metadata.file_type().is_char_device() {
        return error(
            format!("{device} is no serial device"),
            "not a character device",
            here(machine),
        );
    }
    if access(&path, AccessFlags::R_OK | AccessFlags::W_OK).is_err() {
        return error(
            format!("{device} may not be opened by this user"),
            "no permission to read and write",
            "run this as root, or add the user to the group of the device (often `dialout`)"
                .to_owned(),
        );
    }
    let (pid, program) = user(machine, &path)?;
    error(
        format!("{device} is used by `{program}` (process {pid})"),
        "would take the heartbeats away",
        "stop that program; a login on the line is switched off by `systemctl disable --now \
         serial-getty@NAME` or in /etc/inittab"
            .to_owned(),
    )
}

/// What serial devices there are, for the administrator to choose from.
fn here(machine: &Machine) -> String {
    // A port without a driver behind it has a device too, but no `device/driver`.
    let real = |path: &Path| path.join("device/driver").exists();
    let names: Vec<String> = machine
        .list("sys/class/tty")
        .iter()
        .filter(|path| real(path))
        .map(|path| format!("/dev/{}", file_name(path)))
        .collect();
    if names.is_empty() {
        "this machine shows no serial device; see `dmesg | grep tty`".to_owned()
    } else {
        format!("this machine has {}", names.join(", "))
    }
}

/// Another program that has the device open, as far as this user may see.
fn user(machine: &Machine, device: &Path) -> Option<(u32, String)> {
    let target = device.canonicalize().ok()?;
    let processes = machine.list("proc");
    let mut pids = processes
        .iter()
        .filter_map(|path| file_name(path).parse::<u32>().ok());
    let pid = pids.find(|pid| {
        let mut open = machine.list(&format!("proc/{pid}/fd")).into_iter();
        open.any(|fd| std::fs::read_link(fd).is_ok_and(|link| link == target))
    })?;
    let program = machine.program(pid);
    // Our own daemon may run, and the original is told about elsewhere.
    (!matches!(program.as_str(), "systole" | "heartbeat")).then_some((pid, program))
}
