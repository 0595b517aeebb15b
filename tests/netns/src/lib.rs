//! What the tests in namespaces share: real daemons on two nodes of the demo's laboratory.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "these are the helpers of tests: what they cannot do fails the test"
)]

pub mod cable;

use core::time::Duration;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};
use systole::clock::{duration, now};
use systole::demo::analysis::{longest_outage, outages, overlaps};
use systole::demo::lab::{Interrupt, Lab, LabError, Network, Settings};
use systole::demo::sample::{Host, Probe, Sample};
use systole_core::time::{Duration as Span, Instant};

/// The preferred node of the article.
pub const FIRST: Host = Host::First;
/// Its peer.
pub const SECOND: Host = Host::Second;

/// deadtime in the tests: long enough for a busy machine.
pub const DEADTIME: Duration = Duration::from_secs(1);

/// On top of what a thing takes by itself, on a busy machine.
pub const MARGIN: Duration = Duration::from_secs(1);

/// What has not happened by then never will.
pub const LIMIT: Duration = Duration::from_secs(15);

/// A probe that fails is known to have failed by then.
const VERDICT: Duration = Duration::from_millis(300);

/// The article's files with the timings of the tests.
#[must_use]
pub fn settings() -> Settings {
    Settings {
        keepalive: Duration::from_millis(100),
        warntime: Duration::from_millis(500),
        deadtime: DEADTIME,
        initdead: Duration::from_secs(4),
        ..Settings::default()
    }
}

/// The `systole` to test: the one in `SYSTOLE_BINARY`, else it is built, of the same profile as the tests.
#[must_use]
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(path) = std::env::var_os("SYSTOLE_BINARY") {
            return PathBuf::from(path);
        }
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--package",
            "systole",
            "--bin",
            "systole",
        ]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot build systole"
        );
        // This test is target/<profile>/deps/<test>.
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("tests are built below target");
        profile.join("systole")
    };
    BINARY.get_or_init(build).clone()
}

/// One laboratory at a time: two would disturb each other's timings.
///
/// The turn ends when the value is dropped, or with the process.
#[must_use]
pub fn turn() -> Flock<File> {
    let uid = nix::unistd::geteuid();
    let path = std::env::temp_dir().join(format!("systole-netns-{uid}.lock"));
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .expect("the lock file");
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .expect("a turn")
}

/// Two nodes, a client, and what a test does with them; a failure prints the logs of both nodes.
#[derive(Debug)]
pub struct World {
    lab: Lab,
    two_holders_allowed: bool,
    _turn: Flock<File>,
}

impl World {
    /// Both machines on, no daemon running yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let turn = turn();
        let lab = Lab::new(&binary(), settings, Interrupt::default()).expect("a laboratory");
        let mut world = Self {
            lab,
            two_holders_allowed: false,
            _turn: turn,
        };
        for host in Host::BOTH {
            world.power_on(host);
        }
        world
    }

    /// Both daemons running, the preferred node serving, both settled.
    #[must_use]
    pub fn running(settings: &Settings) -> Self {
        let mut world = Self::new(settings);
        for host in Host::BOTH {
            world.start(host);
        }
        world.served_by(FIRST);
        world.settled();
        world
    }

    /// The laboratory itself.
    #[must_use]
    pub const fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The laboratory, to do something with it.
    pub const fn lab_mut(&mut self) -> &mut Lab {
        &mut self.lab
    }

    /// Switches a machine on.
    pub fn power_on(&mut self, host: Host) {
        self.lab.power_on(host).expect("power");
    }

    /// Cuts a machine's power.
    pub fn power_cut(&mut self, host: Host) {
        self.lab.power_cut(host).expect("power cut");
    }

    /// Starts a daemon.
    pub fn start(&mut self, host: Host) {
        self.lab.node_mut(host).start().expect("a daemon that runs");
    }

    /// Stops a daemon cleanly.
    pub fn stop(&mut self, host: Host) {
        let status = self.lab.node_mut(host).stop(LIMIT).expect("a clean stop");
        assert!(
            status.is_some_and(|status| status.success()),
            "{host} stopped with {status:?}"
        );
    }

    /// Pulls a cable.
    pub fn pull(&self, host: Host, network: Network) {
        self.lab.pull(host, network).expect("a cable to pull");
    }

    /// Plugs it in again.
    pub fn plug(&self, host: Host, network: Network) {
        self.lab.plug(host, network).expect("a cable to plug");
    }

    /// Writes a file in a node's configuration directory.
    pub fn write_config(&self, host: Host, name: &str, text: &str) {
        let mode = if name == "authkeys" { 0o600 } else { 0o644 };
        let path = self.lab.node(host).paths().config.join(name);
        systole::demo::lab::write(&path, text, mode).expect("a configuration file");
    }

    /// Runs `systole` on a node.
    #[must_use]
    pub fn systole(&self, host: Host, args: &[&str]) -> Output {
        self.lab.node(host).run_systole(args).expect("an end")
    }

    /// Runs `systole` on a node until it succeeds: a command may come while something else is under way.
    pub fn command(&self, host: Host, args: &[&str]) {
        let mut said = String::new();
        let done = self
            .lab
            .interrupt()
            .wait_until("the command is taken on", LIMIT, || {
                let output = self.systole(host, args);
                said = String::from_utf8_lossy(&output.stderr).into_owned();
                output.status.success().then_some(())
            });
        assert!(
            done.is_ok(),
            "systole {args:?} on {host} kept failing: {said}"
        );
    }

    /// Waits for something.
    pub fn wait_until<T>(&mut self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let interrupt = self.lab.interrupt().clone();
        let answer = interrupt.wait_until(what, LIMIT, || ask(self));
        answer.unwrap_or_else(|error| self.fail(&error))
    }

    fn fail(&mut self, error: &LabError) -> ! {
        for host in Host::BOTH {
            if let Err(ended) = self.lab.node_mut(host).check_daemon() {
                panic!("{error}; {ended}");
            }
        }
        panic!("{error}")
    }

    /// Waits until the client, asking from now on, is served by this node; the first such answer's time.
    pub fn served_by(&mut self, host: Host) -> Instant {
        self.answered_by(Probe::Http, host)
    }

    /// Waits until this kind of probe, asked from now on, is answered by this node.
    pub fn answered_by(&mut self, probe: Probe, host: Host) -> Instant {
        let from = now();
        self.wait_until(&format!("{probe:?} is answered by {host}"), |world| {
            let fits = |s: &Sample| s.probe == probe && s.by == Some(host);
            world.lab.watch().find(from, fits)?.answered
        })
    }

    /// Waits until a node's log says this; how often it does.
    pub fn logged(&mut self, host: Host, text: &str) -> usize {
        self.wait_until(&format!("the log of {host} says {text:?}"), |world| {
            let count = world.log_count(host, text);
            (count > 0).then_some(count)
        })
    }

    /// How many lines of a node's log say this.
    #[must_use]
    pub fn log_count(&self, host: Host, text: &str) -> usize {
        self.lab
            .node(host)
            .log()
            .lines()
            .filter(|line| line.contains(text))
            .count()
    }

    /// Waits until both nodes have settled: neither moves anything, each knows the other.
    pub fn settled(&mut self) {
        for host in Host::BOTH {
            self.wait_until(&format!("{host} has settled"), |world| settled(world, host));
        }
    }

    /// The longest time without an answer since then. The client's verdict on the last probes is waited for.
    #[must_use]
    pub fn outage(&self, probe: Probe, since: Instant) -> Duration {
        let until = now();
        self.lab
            .interrupt()
            .sleep(VERDICT)
            .expect("no interruption in tests");
        let longest = longest_outage(&self.lab.watch().samples(), probe, since, until);
        Duration::from_micros(longest.as_micros())
    }

    /// The client has been answered since then, by this node only, and without a gap but for those
    /// that a machine short of processors makes by itself: the responder and nginx are processes, too.
    pub fn assert_undisturbed(&self, host: Host, since: Instant) {
        for (probe, starved) in [(Probe::Echo, 300), (Probe::Http, 900)] {
            let outage = self.outage(probe, since);
            let most = Duration::from_millis(starved);
            assert!(outage < most, "{probe:?} had an outage of {outage:?}");
        }
        let samples = self.lab.watch().since(since);
        let strange = samples
            .iter()
            .find(|s| s.good().is_some_and(|(_, by)| by != host));
        assert_eq!(strange, None, "answered by another node than {host}");
        assert!(samples.iter().any(|s| s.by == Some(host)), "nobody asked");
    }

    /// Lets this much time pass, to see that nothing happens in it.
    pub fn nothing_happens_for(&self, time: Duration) {
        self.lab
            .interrupt()
            .sleep(time)
            .expect("no interruption in tests");
    }

    /// Who serves the client now.
    pub fn holder(&mut self) -> Host {
        let from = now();
        self.wait_until("anybody serves", |world| {
            world
                .lab
                .watch()
                .find(from, |s| s.probe == Probe::Http && s.by.is_some())?
                .by
        })
    }

    /// From here on two holders are what the documentation says about this situation.
    pub const fn allow_two_holders(&mut self) {
        self.two_holders_allowed = true;
    }

    /// Waits until only this node answers neighbours and client, without a gap, for the given time.
    pub fn only_holder(&mut self, host: Host, quiet: Duration) {
        let quiet = duration(quiet);
        self.wait_until(&format!("only {host} answers, for {quiet}"), |world| {
            let at = now();
            let from = Instant::from_micros(at.as_micros().saturating_sub(quiet.as_micros()));
            let samples = world.lab.watch().since(from);
            let fine = [Probe::Http, Probe::Echo, Probe::Arp]
                .into_iter()
                .all(|probe| {
                    let mut of = samples.iter().filter(|s| s.probe == probe).peekable();
                    of.peek().is_some() && of.all(|s| s.by == Some(host))
                });
            (fine && outages(&samples, Probe::Http).is_empty() && quiet > Span::ZERO).then_some(())
        });
    }
}

/// What `systole status --json` must say before a test may go on.
fn settled(world: &World, host: Host) -> Option<()> {
    let status = world.lab.node(host).status()?;
    let is = |pointer: &str, word: &str| status.pointer(pointer).is_some_and(|v| v == word);
    let stable = |pointer: &str| status.pointer(pointer).is_some_and(|v| v == true);
    (is("/peer/status", "active") && stable("/stable") && stable("/peer/stable")).then_some(())
}

impl Drop for World {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        let overlaps = overlaps(&self.lab.watch().samples());
        let conflict = !self.two_holders_allowed && !overlaps.is_empty();
        if failing || conflict {
            for host in Host::BOTH {
                eprintln!("---- log of {host}\n{}", self.lab.node(host).log());
            }
            for overlap in &overlaps {
                let (from, until) = (wall(overlap.from), wall(overlap.until));
                eprintln!("---- both nodes answered for the address from {from} to {until}");
            }
        }
        assert!(failing || !conflict, "two nodes held the address");
    }
}

/// The time of day in the form of the logs.
fn wall(at: Instant) -> String {
    let ago = now().since(at).as_micros();
    let wall = systole::clock::wall().as_micros().saturating_sub(ago);
    systole::clock::format_utc(Span::from_micros(wall))
}
