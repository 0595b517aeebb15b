//! The lease in the life of two real daemons: a node that is killed or stopped loses its service
//! address before its peer takes it over.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong must stop")]

use core::net::IpAddr;
use core::time::Duration;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use systole::clock;
use systole::config::{Address, AddressStyle};
use systole::service_ip::ServiceIp;
use systole_core::time::{Duration as Span, Instant};
use tempfile::TempDir;

mod support;
use support::{Neighbour, has, isolated};

const SERVICE: &str = "10.8.0.1";

fn ms(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// A daemon and its directories; killed when this is dropped.
struct Node {
    dir: TempDir,
    process: Child,
}

fn write_files(dir: &Path) {
    let log = dir.join("log").display().to_string();
    let ha_cf = format!(
        "logfile {log}\nkeepalive 200ms\nwarntime 1s\ndeadtime 3s\ninitdead 3s\n\
         ucast eth1 192.168.1.1\nucast eth1 192.168.1.2\nauto_failback off\nnode alpha beta\n"
    );
    fs::write(dir.join("ha.cf"), ha_cf).unwrap();
    fs::write(dir.join("haresources"), format!("alpha {SERVICE}\n")).unwrap();
    let keys = dir.join("authkeys");
    fs::write(&keys, "auth 1\n1 sha1 thirty-two-characters-are-enough\n").unwrap();
    fs::set_permissions(keys, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Node {
    /// Starts a daemon in the calling thread's namespace.
    fn start(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_files(dir.path());
        let place = |what: &str| -> PathBuf { dir.path().join(what) };
        let process = Command::new(env!("CARGO_BIN_EXE_systole"))
            .args(["--node", name, "--config-dir"])
            .arg(dir.path())
            .arg("--state-dir")
            .arg(place("state"))
            .arg("--runtime-dir")
            .arg(place("run"))
            .arg("run")
            .spawn()
            .unwrap();
        Self { dir, process }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Looks for the service address in one namespace, some 500 times a second.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Seen>>);

#[derive(Clone, Copy, Default)]
struct Seen {
    here: bool,
    /// The address was last found then.
    last: Option<Instant>,
    /// It came then, or a little earlier: the time of the look before.
    came: Option<Instant>,
    looks: u32,
    over: bool,
}

impl Watch {
    /// Watches the calling thread's namespace.
    fn start(&self) -> JoinHandle<()> {
        let seen = Arc::clone(&self.0);
        let address: IpAddr = SERVICE.parse().unwrap();
        thread::spawn(move || {
            let mut before = clock::now();
            while !seen.lock().unwrap().over {
                let begun = clock::now();
                let here = has(address);
                let mut seen = seen.lock().unwrap();
                if here {
                    if !seen.here {
                        seen.came = Some(before);
                    }
                    seen.last = Some(clock::now());
                }
                seen.here = here;
                seen.looks += 1;
                drop(seen);
                before = begun;
                thread::sleep(Duration::from_millis(2));
            }
        })
    }

    fn seen(&self) -> Seen {
        *self.0.lock().unwrap()
    }

    fn until(&self, wanted: bool, limit: Span) {
        let begun = clock::now();
        while self.seen().here != wanted {
            assert!(clock::now().since(begun) < limit, "not {wanted} in time");
            ms(1);
        }
    }
}

/// Two nodes, the first of which holds the service.
struct Pair {
    first: Node,
    second: Node,
    watches: [Watch; 2],
    threads: Vec<JoinHandle<()>>,
    _neighbour: Neighbour,
}

impl Pair {
    fn new() -> Self {
        let neighbour = Neighbour::new();
        neighbour.cable("eth1", "eth1", &["192.168.1.1/24"], &["192.168.1.2/24"]);
        neighbour.cable("eth2", "eth2", &["10.8.0.11/24"], &["10.8.0.12/24"]);
        let watches = [Watch::default(), Watch::default()];
        let theirs = watches[1].clone();
        let threads = vec![watches[0].start(), neighbour.run(move || theirs.start())];
        let first = Node::start("alpha");
        let second = neighbour.run(|| Node::start("beta"));
        watches[0].until(true, Span::from_secs(10));
        let pair = Self {
            first,
            second,
            watches,
            threads,
            _neighbour: neighbour,
        };
        ms(1_500);
        pair.check_held_by_first_only();
        pair
    }

    fn check_held_by_first_only(&self) {
        assert!(self.watches[0].seen().here);
        assert_eq!(self.watches[1].seen().came, None);
    }

    /// Waits for the takeover; the address must have gone from the first node before.
    fn check_takeover(&self, stopped: Instant) {
        self.watches[1].until(true, Span::from_secs(6));
        let [first, second] = [&self.watches[0], &self.watches[1]].map(Watch::seen);
        let (gone, came) = (first.last.unwrap(), second.came.unwrap());
        println!(
            "gone {} after the stop, taken over after {}",
            gone.since(stopped),
            came.since(stopped)
        );
        assert!(!first.here && gone < came);
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for watch in &self.watches {
            watch.0.lock().unwrap().over = true;
        }
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        if thread::panicking() {
            eprintln!("beta: {}", self.second.log());
        }
    }
}

/// Aim: the address of a killed daemon goes by itself before the peer adds it.
#[test]
fn killed() {
    isolated(async || {
        let pair = Pair::new();
        pair.first.signal(Signal::SIGKILL);
        let looks = pair.watches.clone().map(|watch| watch.seen().looks);
        let stopped = clock::now();
        pair.check_takeover(stopped);
        let took = clock::now().since(stopped).as_millis();
        for (watch, before) in pair.watches.iter().zip(looks) {
            let rate = u64::from(watch.seen().looks - before) * 1_000 / took;
            assert!(rate >= 200, "only {rate} looks a second");
        }
    });
}

/// Aim: so does that of a stopped one, and when it goes on it lets go and does not bring it back.
#[test]
fn stopped_and_continued() {
    isolated(async || {
        let pair = Pair::new();
        pair.first.signal(Signal::SIGSTOP);
        pair.check_takeover(clock::now());
        ms(500);
        let gone = pair.watches[0].seen().last;
        pair.first.signal(Signal::SIGCONT);
        ms(5_000);
        assert_eq!(pair.watches[0].seen().last, gone, "it came back");
        assert!(pair.watches[1].seen().here);
        assert!(
            pair.first.log().contains("everything is released first"),
            "it has to say why it let go"
        );
    });
}

/// Aim: a stop longer than the lease but shorter than deadtime costs the address only while it lasts;
/// the peer never takes it.
#[test]
fn stopped_for_less_than_deadtime() {
    isolated(async || {
        let pair = Pair::new();
        pair.first.signal(Signal::SIGSTOP);
        pair.watches[0].until(false, Span::from_millis(2_400));
        pair.first.signal(Signal::SIGCONT);
        pair.watches[0].until(true, Span::from_secs(3));
        ms(3_000);
        pair.check_held_by_first_only();
        assert!(pair.first.log().contains("so the kernel has withdrawn it"));
    });
}

/// Aim: an address of an earlier run that haresources does not name any more is removed at the
/// start, and said so; what others have put there stays.
#[test]
fn strays_are_removed() {
    isolated(async || {
        let neighbour = Neighbour::new();
        neighbour.cable("eth1", "eth1", &["192.168.1.1/24"], &[]);
        neighbour.cable("eth2", "eth2", &["10.8.0.11/24", "10.8.0.78/24"], &[]);
        let earlier = ServiceIp::new(Path::new("/nonexistent"), None).unwrap();
        let stray = Address {
            text: "10.8.0.77".to_owned(),
            style: AddressStyle::IPaddr2,
            address: "10.8.0.77".parse().unwrap(),
            prefix: None,
            interface: None,
            label: None,
            broadcast: None,
        };
        earlier.add(&stray).await.unwrap();
        drop(earlier);
        let node = Node::start("alpha");
        let begun = clock::now();
        while has(stray.address) {
            assert!(clock::now().since(begun) < Span::from_secs(5), "it stays");
            ms(5);
        }
        assert!(has("10.8.0.78".parse().unwrap()));
        ms(200);
        let log = node.log();
        assert!(
            log.contains("10.8.0.77 was here from an earlier run"),
            "{log}"
        );
    });
}
