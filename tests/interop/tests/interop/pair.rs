//! A live pair: one node of each kind on the demo's laboratory, and what can be done to it.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use systole::clock::now;
use systole::demo::analysis::{longest_outage, overlaps};
use systole::demo::lab::{Interrupt, KEY, Lab, Network, Settings};
use systole::demo::sample::{Host, Probe, Sample};
use systole_core::time::Instant;

use crate::original;
use crate::view::{self, View};

/// deadtime of the cases.
pub(crate) const DEADTIME: Duration = Duration::from_secs(1);

/// What has not happened by then never will: two of the original's ten seconds and its scripts.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

/// Which of the two runs on `rproxy1`, the preferred node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Systole is `rproxy1`.
    OursPreferred,
    /// The original is `rproxy1`.
    TheirsPreferred,
}

impl Role {
    pub(crate) const BOTH: [Self; 2] = [Self::OursPreferred, Self::TheirsPreferred];

    /// The node that runs Systole.
    pub(crate) const fn ours(self) -> Host {
        match self {
            Self::OursPreferred => Host::First,
            Self::TheirsPreferred => Host::Second,
        }
    }

    /// The node that runs the original.
    pub(crate) const fn theirs(self) -> Host {
        self.ours().peer()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OursPreferred => "Systole preferred",
            Self::TheirsPreferred => "Heartbeat preferred",
        })
    }
}

/// What a case needs in the files.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) auto_failback: &'static str,
    pub(crate) links: Vec<String>,
    pub(crate) authkeys: String,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            auto_failback: "on",
            links: Host::BOTH
                .map(|host| format!("ucast eth0 192.168.1.{}", host.number()))
                .into(),
            authkeys: format!("auth 1\n1 sha1 {KEY}\n"),
        }
    }
}

impl Files {
    /// With another `auto_failback`.
    pub(crate) fn failback(word: &'static str) -> Self {
        Self {
            auto_failback: word,
            ..Self::default()
        }
    }

    fn ha_cf(&self) -> String {
        let links = self.links.join("\n");
        format!(
            "keepalive 100ms\nwarntime 500ms\ndeadtime {}ms\ninitdead 5000ms\nudpport 695\n{links}\n\
             auto_failback {}\nnode rproxy1 rproxy2\n",
            DEADTIME.as_millis(),
            self.auto_failback
        )
    }
}

/// The pair at work. Its end checks the original's log and that nobody saw two holders.
#[derive(Debug)]
pub(crate) struct Pair {
    lab: Lab,
    pub(crate) role: Role,
    two_holders_allowed: bool,
}

/// The `systole` under test: the one in `SYSTOLE_BINARY`, else it is built.
fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(path) = std::env::var_os("SYSTOLE_BINARY") {
            return PathBuf::from(path);
        }
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "systole",
                "--bin",
                "systole",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot build systole"
        );
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test.ancestors().nth(2).expect("tests are below target");
        profile.join("systole")
    };
    BINARY.get_or_init(build).clone()
}

impl Pair {
    /// Both machines on, no daemon running.
    pub(crate) fn new(role: Role, files: &Files) -> Self {
        let settings = Settings {
            probe_interval: Duration::from_millis(20),
            ..Settings::default()
        };
        let lab = Lab::new(&binary(), &settings, Interrupt::default()).expect("a laboratory");
        let mut pair = Self {
            lab,
            role,
            two_holders_allowed: false,
        };
        for host in Host::BOTH {
            original::write_files(&pair.lab, host, &files.ha_cf(), &files.authkeys);
            pair.power_on(host);
        }
        pair
    }

    /// Both daemons running and settled, the preferred node serving.
    pub(crate) fn running(role: Role, files: &Files) -> Self {
        let mut pair = Self::new(role, files);
        pair.start(role.ours());
        pair.start(role.theirs());
        pair.settled(Host::First);
        pair
    }

    pub(crate) const fn lab(&self) -> &Lab {
        &self.lab
    }

    pub(crate) fn power_on(&mut self, host: Host) {
        self.lab.power_on(host).expect("power");
        original::install(&self.lab, host);
    }

    pub(crate) fn power_cut(&mut self, host: Host) {
        self.lab.power_cut(host).expect("a power cut");
    }

    /// Starts the daemon that the role gives this node.
    pub(crate) fn start(&mut self, host: Host) {
        if host == self.role.ours() {
            self.lab.node_mut(host).start().expect("a daemon that runs");
        } else {
            original::start(self.lab.node(host).space().expect("a machine that is on"));
        }
    }

    /// Stops it cleanly.
    pub(crate) fn stop(&mut self, host: Host) {
        if host == self.role.ours() {
            let status = self.lab.node_mut(host).stop(LIMIT);
            let status = status.unwrap_or_else(|error| self.fail(&error.to_string()));
            assert!(status.is_some_and(|status| status.success()), "{status:?}");
        } else {
            original::stop(self.lab.node(host).space().expect("a machine that is on"));
        }
    }

    /// What a node says of itself and its peer.
    pub(crate) fn view(&self, host: Host) -> Option<View> {
        if host == self.role.ours() {
            view::of_systole(&self.lab, host)
        } else {
            view::of_original(self.lab.node(host).space().ok()?, host)
        }
    }

    /// Ends the case with a reason, and with everything that helps to find it.
    pub(crate) fn fail(&self, why: &str) -> ! {
        let mut text = why.to_owned();
        if let Ok(node) = self.lab.node(self.role.ours()).run_systole(&["status"]) {
            text += &format!("\n{}", String::from_utf8_lossy(&node.stdout));
        }
        for host in Host::BOTH {
            text += &format!("\n{host} says {:?}", self.view(host));
            text += &format!("\n---- log of {host}\n{}", original::log(&self.lab, host));
            text += &self.lab.node(host).log();
        }
        panic!("{text}")
    }

    /// Waits for something.
    pub(crate) fn wait_until<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let end = now() + systole::clock::duration(LIMIT);
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            if now() >= end {
                self.fail(&format!("{what}: not within {} s", LIMIT.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until both nodes say the same about who holds the groups, the client is served by the right
    /// one, and the address is there and nowhere else.
    pub(crate) fn settled(&self, holder: Host) {
        self.wait_until(&format!("both agree that {holder} holds the group"), || {
            let [first, second] = Host::BOTH.map(|host| self.view(host));
            let (first, second) = (first?, second?);
            let active = first.peer == "active" && second.peer == "active";
            (active && agreed(&first, &second) == Some(holder)).then_some(())
        });
        let ours = self.role.ours();
        let theirs = self.view(ours.peer()).map(|view| view.holds);
        self.wait_until("ours knows what the original holds", || {
            (view::peer_of_systole(&self.lab, ours) == theirs).then_some(())
        });
        self.served_by(holder);
        self.exactly(holder);
    }

    /// Waits until the client is served by this node and its daemon says that it has the group: all that
    /// is told with `auto_failback legacy`, where nodes do not report what they hold.
    pub(crate) fn holds(&self, holder: Host) {
        let only = || {
            Host::BOTH.into_iter().all(|host| {
                let space = self.lab.node(host).space();
                space.map_or(true, |space| {
                    original::has_service_address(space) == (host == holder)
                })
            })
        };
        self.wait_until(&format!("the address is on {holder} only"), || {
            only().then_some(())
        });
        self.served_by(holder);
        self.exactly(holder);
    }

    /// Kills our daemon; what it has started stays.
    pub(crate) fn kill_ours(&mut self) {
        let ours = self.role.ours();
        self.lab
            .node_mut(ours)
            .kill_daemon()
            .expect("a daemon to kill");
    }

    /// Waits until this node believes itself alone and serves, whatever the other still has.
    pub(crate) fn alone_but(&self, host: Host) {
        self.wait_until(&format!("{host} believes itself alone"), || {
            let view = self.view(host)?;
            (view.peer == "dead" && view.holds == "all").then_some(())
        });
        self.served_by(host);
    }

    /// Waits until this node, its peer dead or stopped, holds everything and serves.
    pub(crate) fn alone(&self, host: Host) {
        self.wait_until(&format!("{host} holds everything"), || {
            let view = self.view(host)?;
            (view.peer != "active" && view.holds == "all").then_some(())
        });
        self.served_by(host);
        self.exactly(host);
    }

    /// The address is on this node, and on no other that has power.
    pub(crate) fn exactly(&self, holder: Host) {
        for host in Host::BOTH {
            let Ok(space) = self.lab.node(host).space() else {
                continue;
            };
            let has = original::has_service_address(space);
            if has != (host == holder) {
                self.fail(&format!(
                    "{host} has the address: {has}; the holder is {holder}"
                ));
            }
        }
    }

    /// Waits until the client, asking from now on, is served by this node; when that was.
    pub(crate) fn served_by(&self, host: Host) -> Instant {
        let from = now();
        self.wait_until(&format!("the client is served by {host}"), || {
            let fits = |s: &Sample| s.probe == Probe::Http && s.by == Some(host);
            self.lab.watch().find(from, fits)?.answered
        })
    }

    /// The longest time without an answer to the client since then.
    pub(crate) fn outage(&self, since: Instant) -> Duration {
        let until = now();
        self.quiet(Duration::from_millis(300));
        let longest = longest_outage(&self.lab.watch().samples(), Probe::Http, since, until);
        Duration::from_micros(longest.as_micros())
    }

    /// Lets time pass in which nothing is to happen.
    pub(crate) fn quiet(&self, time: Duration) {
        self.lab
            .interrupt()
            .sleep(time)
            .expect("no interruption in tests");
    }

    /// How often a node's log says this.
    pub(crate) fn logged(&self, host: Host, text: &str) -> usize {
        let log = original::log(&self.lab, host);
        log.lines().filter(|line| line.contains(text)).count()
    }

    /// From here on two holders are what no pair can avoid, of whatever kind.
    pub(crate) const fn allow_two_holders(&mut self) {
        self.two_holders_allowed = true;
    }

    /// Runs a tool of the original on its node; it must succeed.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> String {
        let host = self.role.theirs();
        let space = self.lab.node(host).space().expect("a machine that is on");
        let said = original::tool(space, program, args);
        said.unwrap_or_else(|| self.fail(&format!("{program} {args:?} failed")))
    }

    /// Runs `systole` on our node; it must succeed.
    pub(crate) fn systole(&self, args: &[&str]) {
        let output = self
            .lab
            .node(self.role.ours())
            .run_systole(args)
            .expect("an end");
        if !output.status.success() {
            self.fail(&format!(
                "systole {args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }

    /// Asks for a standby or a takeover on a node, by the tool of its daemon: `standby all`.
    pub(crate) fn order(&self, host: Host, verb: &str, what: &str) {
        if host == self.role.ours() {
            self.systole(&[verb, what]);
        } else {
            self.tool(&format!("/usr/share/heartbeat/hb_{verb}"), &[what]);
        }
    }

    /// Loses this share of what arrives at each node's heartbeat interface, in percent. The kernels of
    /// test machines often lack netem, nftables hardly ever.
    pub(crate) fn lose(&self, percent: u32) {
        for host in Host::BOTH {
            let space = self.lab.node(host).space().expect("a machine that is on");
            let script = format!(
                "nft 'table inet loss {{ chain arriving {{ type filter hook input priority 0; \
                 iif eth0 udp dport 695 numgen random mod 100 < {percent} drop; }}; }}'"
            );
            space.run("sh", &["-c", &script]).expect("a lossy network");
        }
    }

    /// Pulls both heartbeat cables' one segment, or plugs it in again.
    pub(crate) fn partition(&self, cut: bool) {
        let host = self.role.ours();
        let done = if cut {
            self.lab.pull(host, Network::Private)
        } else {
            self.lab.plug(host, Network::Private)
        };
        done.expect("a cable");
    }

    /// The verdict on the whole run; every case ends here.
    pub(crate) fn verdict(self) {
        self.judge(original::complaints);
    }

    /// The same where both have held everything on purpose, which the original may say.
    pub(crate) fn verdict_after_conflict(self) {
        self.judge(|log| {
            let mut complaints = original::complaints(log);
            complaints.retain(|line| !line.contains("Both machines own"));
            complaints
        });
    }

    /// The same where messages were lost on purpose, which the original may say.
    pub(crate) fn verdict_with_loss(self) {
        self.judge(|log| {
            let mut complaints = original::complaints(log);
            complaints.retain(|line| !line.contains("lost packet(s) for"));
            complaints
        });
    }

    fn judge(self, complaints: impl Fn(&str) -> Vec<String>) {
        let complaints = complaints(&original::log(&self.lab, self.role.theirs()));
        if !complaints.is_empty() {
            self.fail(&format!(
                "the original complains:\n{}",
                complaints.join("\n")
            ));
        }
        let refused = self.logged(self.role.ours(), "refused");
        if refused > 0 {
            self.fail("Systole has refused frames");
        }
        let overlaps = overlaps(&self.lab.watch().samples());
        if !self.two_holders_allowed && !overlaps.is_empty() {
            self.fail(&format!("two nodes held the address: {overlaps:?}"));
        }
    }
}

/// Who holds the group that prefers `rproxy1` when both words fit together: no side claimed twice, none
/// by nobody.
fn agreed(first: &View, second: &View) -> Option<Host> {
    match (first.holds.as_str(), second.holds.as_str()) {
        ("local", "local") | ("all", "none") => Some(Host::First),
        ("foreign", "foreign") | ("none", "all") => Some(Host::Second),
        _ => None,
    }
}
