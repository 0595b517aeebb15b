//! Network namespaces of the tests' own, so that nothing outside can be touched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "a test that cannot be set up must stop; each user of this uses a part of it"
)]

use core::time::Duration;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use nix::sched::{CloneFlags, unshare};
use tokio::time::Instant;

const INSIDE: &str = "SYSTOLE_TEST_NAMESPACE";

/// Puts the calling test's thread into a fresh network namespace and runs `test` there with a
/// current-thread runtime. Without root the test runs itself again in a user namespace.
pub(crate) fn isolated<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    if !nix::unistd::geteuid().is_root() {
        assert!(
            std::env::var_os(INSIDE).is_none(),
            "not root inside of the user namespace"
        );
        let name = std::thread::current().name().unwrap().to_owned();
        assert_ne!(
            name, "main",
            "without root this needs more than one test thread"
        );
        let status = Command::new("unshare")
            .arg("--map-root-user")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .unwrap();
        assert!(
            status.success(),
            "{name} failed, or this kernel allows neither root nor user namespaces \
             (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces)"
        );
        return;
    }
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    ip("link set lo up");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test());
}

/// Runs `ip` in the calling thread's namespace; it must succeed.
pub(crate) fn ip(arguments: &str) -> String {
    let output = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .expect("the tests need iproute2's ip command");
    assert!(
        output.status.success(),
        "ip {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A second namespace: the neighbour's.
pub(crate) struct Neighbour {
    jobs: Option<Sender<Box<dyn FnOnce() + Send>>>,
    thread: Option<JoinHandle<()>>,
    id: i32,
}

impl Neighbour {
    pub(crate) fn new() -> Self {
        let (jobs, work) = channel::<Box<dyn FnOnce() + Send>>();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            tell.send(nix::unistd::gettid().as_raw()).unwrap();
            for job in work {
                job();
            }
        });
        let neighbour = Self {
            jobs: Some(jobs),
            thread: Some(thread),
            id: told.recv().unwrap(),
        };
        neighbour.ip("link set lo up");
        neighbour
    }

    /// Runs something in the neighbour's namespace.
    pub(crate) fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> R {
        let (tell, told) = channel();
        let jobs = self.jobs.as_ref().unwrap();
        jobs.send(Box::new(move || tell.send(job()).unwrap()))
            .unwrap();
        told.recv().unwrap()
    }

    pub(crate) fn ip(&self, arguments: &str) -> String {
        let arguments = arguments.to_owned();
        self.run(move || ip(&arguments))
    }

    /// A cable from interface `here` in the calling thread's namespace to `there` at the neighbour,
    /// both up, with these addresses.
    pub(crate) fn cable(&self, here: &str, there: &str, own: &[&str], theirs: &[&str]) {
        let id = self.id;
        ip(&format!(
            "link add {here} type veth peer name {there} netns {id}"
        ));
        for address in own {
            ip(&format!("addr add {address} dev {here}{}", nodad(address)));
        }
        for address in theirs {
            self.ip(&format!("addr add {address} dev {there}{}", nodad(address)));
        }
        self.ip(&format!("link set {there} up"));
        ip(&format!("link set {here} up"));
        // Until the kernel has seen the carrier on both ends it drops what is sent.
        let begun = Instant::now();
        let up = |text: String| text.contains("state UP");
        while !up(ip(&format!("link show {here}"))) || !up(self.ip(&format!("link show {there}"))) {
            assert!(begun.elapsed() < PATIENCE, "{here} has no carrier");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn nodad(address: &str) -> &'static str {
    if address.contains(':') { " nodad" } else { "" }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A failed job has been reported to whoever asked for it.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Says to a test that it has been started anew, and with which capabilities.
const CAPABILITIES: &str = "SYSTOLE_TEST_CAPABILITIES";

/// The capabilities that [`with_capabilities`] has started this test with.
pub(crate) fn capabilities_given() -> Option<String> {
    std::env::var(CAPABILITIES).ok()
}

/// Runs one test of this binary again, in this namespace, with these capabilities only:
/// `-all`, or `-all,+net_raw`.
pub(crate) fn with_capabilities(set: &str, name: &str) {
    let output = Command::new("setpriv")
        .arg(format!("--bounding-set={set}"))
        .arg("--inh-caps=-all")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CAPABILITIES, set)
        .output()
        .expect("the tests need util-linux's setpriv command");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Longer than anything here should take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Whether an address is in the calling thread's namespace.
pub(crate) fn has(address: core::net::IpAddr) -> bool {
    nix::ifaddrs::getifaddrs().unwrap().any(|found| {
        let storage = found.address;
        let v4 = storage.and_then(|it| it.as_sockaddr_in().map(|it| it.ip().into()));
        let v6 = storage.and_then(|it| it.as_sockaddr_in6().map(|it| it.ip().into()));
        v4.or(v6) == Some(address)
    })
}
