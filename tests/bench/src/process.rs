//! What the processes on a node cost, as the kernel counts it.

use core::ops::Add;
use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

/// A process of the contender on a node.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) name: String,
    started: u64,
}

/// The processes in the pid namespace of `first`, but for the lab's own and nginx; oldest first.
pub(crate) fn on_machine(first: i32) -> Vec<Process> {
    let namespace = |path: &Path| fs::read_link(path.join("ns/pid")).ok();
    let Some(wanted) = namespace(&proc(first)) else {
        return Vec::new();
    };
    let mut found: Vec<Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| namespace(&entry.path()).as_ref() == Some(&wanted))
        .filter_map(|entry| {
            let path = entry.path();
            let command = fs::read_to_string(path.join("cmdline")).ok()?;
            if command.split('\0').any(|word| word == "demo-part") {
                return None;
            }
            let pid = entry.file_name().to_str()?.parse().ok()?;
            process(pid, &fs::read_to_string(path.join("stat")).ok()?)
        })
        .filter(|process| process.name != "nginx")
        .collect();
    found.sort_by_key(|process| (process.started, process.pid));
    found
}

fn proc(pid: i32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// Reads `/proc/PID/stat`, proc(5).
fn process(pid: i32, stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut words = after.split_whitespace();
    if words.next()? == "Z" {
        return None;
    }
    // Field 22; the state, just read, is field 3.
    let started = words.nth(18)?.parse().ok()?;
    Some(Process {
        pid: Pid::from_raw(pid),
        name: name.to_owned(),
        started,
    })
}

/// What processes have used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) processes: u32,
    pub(crate) resident_kib: u64,
    pub(crate) proportional_kib: u64,
    pub(crate) cpu_nanos: u64,
}

impl Add for Usage {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            processes: self.processes + more.processes,
            resident_kib: self.resident_kib + more.resident_kib,
            proportional_kib: self.proportional_kib + more.proportional_kib,
            cpu_nanos: self.cpu_nanos + more.cpu_nanos,
        }
    }
}

/// The usage of all of them together; one that has gone counts nothing.
pub(crate) fn usage(processes: &[Process]) -> Usage {
    let usages = processes.iter().filter_map(|process| one(process.pid));
    usages.fold(Usage::default(), Add::add)
}

fn one(pid: Pid) -> Option<Usage> {
    let path = proc(pid.as_raw());
    let status = fs::read_to_string(path.join("status")).ok()?;
    let rollup = fs::read_to_string(path.join("smaps_rollup")).ok()?;
    let threads = fs::read_dir(path.join("task")).ok()?.flatten();
    let cpu_nanos = threads
        .filter_map(|thread| nanos(&fs::read_to_string(thread.path().join("schedstat")).ok()?))
        .sum();
    Some(Usage {
        processes: 1,
        resident_kib: kib(&status, "VmRSS:")?,
        proportional_kib: kib(&rollup, "Pss:")?,
        cpu_nanos,
    })
}

/// The time on a processor in nanoseconds: exact, where the ticks of `stat` are not.
fn nanos(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

/// The value of a line like `VmRSS:      1234 kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a name with blanks and parentheses does not shift the fields; a zombie is no process.
    #[test]
    fn reads_stat() {
        let rest = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 88";
        let found = process(42, &format!("42 (a) b (c) S {rest}")).unwrap();
        assert_eq!((found.name.as_str(), found.started), ("a) b (c", 4711));
        assert!(process(42, &format!("42 (a) Z {rest}")).is_none());
    }

    /// Aim: the named line is found, and only that.
    #[test]
    fn reads_kib() {
        let text = "VmHWM:\t  100 kB\nVmRSS:\t    12 kB\n";
        assert_eq!(kib(text, "VmRSS:"), Some(12));
        assert_eq!(kib(text, "Rss:"), None);
    }

    /// Aim: this very process costs something, and the more the longer it runs.
    #[test]
    fn own_usage() {
        let own = Process {
            pid: Pid::this(),
            name: "own".to_owned(),
            started: 0,
        };
        let before = usage(core::slice::from_ref(&own));
        assert!(before.resident_kib > 0 && before.processes == 1);
        assert!(before.proportional_kib <= before.resident_kib);
        let work: u64 = (0..1_000_000).fold(0, |sum, n| core::hint::black_box(sum + n));
        assert!(work > 0);
        assert!(usage(&[own]).cpu_nanos > before.cpu_nanos);
    }
}
