//! What a pair must come to, and the verdict on a run.

use core::fmt::Write as _;
use core::time::Duration;

use systole::clock::now;
use systole::demo::analysis::{longest_outage, overlaps};
use systole::demo::sample::{Host, Probe, Sample};
use systole_core::time::Instant;

use crate::original;
use crate::pair::{LIMIT, Pair};
use crate::view::{self, View};

impl Pair {
    /// Ends the case with a reason, and with everything that helps to find it.
    pub(crate) fn fail(&self, why: &str) -> ! {
        let status = self.lab.node(self.role.ours()).run_systole(&["status"]);
        let mut text = why.to_owned();
        if let Ok(status) = status {
            let _ = write!(text, "\n{}", String::from_utf8_lossy(&status.stdout));
        }
        for host in Host::BOTH {
            let (view, log) = (self.view(host), original::log(&self.lab, host));
            let printed = self.lab.node(host).log();
            let _ = write!(
                text,
                "\n{host} says {view:?}\n---- log of {host}\n{log}{printed}"
            );
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
        self.wait_until("ours knows what the original holds", || {
            let theirs = self.view(ours.peer()).map(|view| view.holds);
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

    /// Waits until the original no longer asks for two seconds more, as it does for five after its start.
    pub(crate) fn past_the_first_seconds(&self) {
        self.quiet(Duration::from_secs(6));
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

    /// The same where each node has run the original. Two originals with two lines for one interface
    /// read them in two processes, so their own messages overtake each other.
    pub(crate) fn verdict_of_both(self) {
        let judge = |log: &str| {
            let mut complaints = original::complaints(log);
            complaints.retain(|line| !line.contains("lost packet(s) for"));
            complaints
        };
        let first = judge(&original::log(&self.lab, self.role.ours()));
        if !first.is_empty() {
            self.fail(&format!("the original complains:\n{}", first.join("\n")));
        }
        self.judge(judge);
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
