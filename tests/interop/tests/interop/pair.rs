//! A live pair: one node of each kind on the demo's laboratory, and what can be done to it.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use systole::demo::lab::{Interrupt, KEY, Lab, Network, Settings};
use systole::demo::sample::Host;

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
    /// One more link that is another on each node, such as its end of a serial cable.
    pub(crate) own_links: [String; 2],
}

impl Default for Files {
    fn default() -> Self {
        Self {
            auto_failback: "on",
            links: Host::BOTH
                .map(|host| format!("ucast eth0 192.168.1.{}", host.number()))
                .into(),
            authkeys: format!("auth 1\n1 sha1 {KEY}\n"),
            own_links: Default::default(),
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

    fn ha_cf(&self, host: Host) -> String {
        let [first, second] = &self.own_links;
        let own = if host == Host::First { first } else { second };
        let links = format!("{}\n{own}", self.links.join("\n"));
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
    pub(crate) lab: Lab,
    pub(crate) role: Role,
    pub(crate) two_holders_allowed: bool,
}

/// The `systole` under test: the one in `SYSTOLE_BINARY`, else it is built.
pub(crate) fn binary() -> PathBuf {
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
            original::write_files(&pair.lab, host, &files.ha_cf(host), &files.authkeys);
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
}
