//! The words of a scenario.

use systole_core::auth::Method;
use systole_core::config::{AutoFailback, Encoding};
use systole_core::event::{Command, Operation};
use systole_core::hold::Hold;

use super::Scenario;
use crate::clock::{MILLI, Micros, SECOND};
use crate::forge::{Forgery, forge};
use crate::machine::{Behaviour, Input};
use crate::random::{Ppm, Random};
use crate::setup::{NAMES, NodeSetup};

type Outcome<T = ()> = Result<T, String>;

fn span(word: &str) -> Outcome<Micros> {
    let (digits, unit) = word
        .strip_suffix("ms")
        .map(|digits| (digits, MILLI))
        .or_else(|| word.strip_suffix('s').map(|digits| (digits, SECOND)))
        .ok_or("a time ends in s or ms")?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let number = |text: &str| text.parse::<u64>().map_err(|_| "no number".to_owned());
    let mut micros = number(whole)? * unit;
    if !part.is_empty() {
        micros += number(part)? * unit / 10_u64.pow(u32::try_from(part.len()).unwrap_or(0));
    }
    Ok(micros)
}

fn ppm(word: &str) -> Outcome<Ppm> {
    let digits = word.strip_suffix('%').ok_or("a chance ends in %")?;
    let percent: u64 = digits.parse().map_err(|_| "no number")?;
    Ok(percent * 10_000)
}

fn node(word: &str) -> Outcome<usize> {
    let found = NAMES.iter().position(|name| *name == word);
    found.ok_or_else(|| format!("no node {word}"))
}

fn hold(word: &str) -> Outcome<Hold> {
    Hold::parse(word.as_bytes()).ok_or_else(|| "none, local, foreign or all".to_owned())
}

fn pair(word: &str) -> Outcome<(&str, &str)> {
    word.split_once('=')
        .ok_or_else(|| format!("{word} needs a value"))
}

fn keys(word: &str) -> Outcome<Vec<(u8, Method, String)>> {
    word.split(',')
        .map(|key| {
            let mut parts = key.split(':');
            let index = parts
                .next()
                .and_then(|it| it.parse().ok())
                .ok_or("number:method:key")?;
            let method = parts
                .next()
                .and_then(Method::parse)
                .ok_or("number:method:key")?;
            Ok((index, method, parts.next().unwrap_or("").to_owned()))
        })
        .collect()
}

fn behaviour(word: &str) -> Outcome<Option<Behaviour>> {
    match word {
        "works" => Ok(None),
        "fails" => Ok(Some(Behaviour::Fails)),
        "hangs" => Ok(Some(Behaviour::Hangs)),
        _ => Err("works, fails or hangs".to_owned()),
    }
}

impl Scenario {
    /// One command.
    pub(super) fn execute(&mut self, text: &str) -> Outcome {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["cluster", settings @ ..] => self.configure(settings),
            ["start", name, "forgetting"] => {
                let node = node(name)?;
                self.cluster().start(node, true);
                Ok(())
            }
            ["start", names @ ..] => self.each(names, |cluster, node| cluster.start(node, false)),
            ["crash", names @ ..] => self.each(names, crate::cluster::Cluster::crash),
            ["pause", names @ ..] => self.each(names, crate::cluster::Cluster::pause),
            ["resume", names @ ..] => self.each(names, crate::cluster::Cluster::resume),
            ["run", time] => {
                let span = span(time)?;
                self.run(span);
                Ok(())
            }
            ["standby", name, groups] => self.command(name, Command::Standby(hold(groups)?)),
            ["takeover", name, groups] => self.command(name, Command::Takeover(hold(groups)?)),
            ["stop", name] => self.command(name, Command::Stop),
            ["cut" | "join" | "path", rest @ ..] => self.network(words[0], rest),
            [
                "agent" | "group" | "clock" | "slow" | "undrained" | "link" | "keys",
                name,
                rest @ ..,
            ] => {
                let node = node(name)?;
                self.machine(words[0], node, rest)
            }
            ["replay" | "forge", name, rest @ ..] => {
                let node = node(name)?;
                self.attack(words[0], node, rest)
            }
            _ => Err("no such command".to_owned()),
        }
    }

    fn each(
        &mut self,
        names: &[&str],
        act: impl Fn(&mut crate::cluster::Cluster, usize),
    ) -> Outcome {
        for name in names {
            act(self.cluster(), node(name)?);
        }
        Ok(())
    }

    fn command(&mut self, name: &str, command: Command) -> Outcome {
        let node = node(name)?;
        self.cluster().command(node, command);
        Ok(())
    }

    fn configure(&mut self, settings: &[&str]) -> Outcome {
        for setting in settings {
            let (name, value) = pair(setting)?;
            match name.split_once('.') {
                Some((owner, name)) => {
                    configure_node(&mut self.setup.nodes[node(owner)?], name, value)?;
                }
                None if name == "links" => {
                    let encoding = |link: &str| {
                        if link.starts_with("tty") {
                            Encoding::Classic
                        } else {
                            Encoding::Netstring
                        }
                    };
                    let links = value.split(',');
                    self.setup.links = links.map(|it| (it.to_owned(), encoding(it))).collect();
                }
                None if name == "groups" => {
                    self.setup.groups.clear();
                    for group in value.split(',') {
                        let (name, owner) = group.split_once('@').ok_or("group@node")?;
                        self.setup.groups.push((name.to_owned(), node(owner)?));
                    }
                }
                None => {
                    for node in &mut self.setup.nodes {
                        configure_node(node, name, value)?;
                    }
                }
            }
        }
        if let Some(cluster) = &mut self.cluster {
            cluster.setup = self.setup.clone();
        }
        Ok(())
    }

    fn link(&self, name: &str) -> Outcome<usize> {
        let found = self.setup.links.iter().position(|(link, _)| link == name);
        found.ok_or_else(|| format!("no link {name}"))
    }

    /// `cut LINK [from NODE]`, `join LINK [from NODE]`, `path LINK [from NODE] key=value ...`.
    fn network(&mut self, verb: &str, words: &[&str]) -> Outcome {
        let [name, rest @ ..] = words else {
            return Err("which link?".to_owned());
        };
        let link = self.link(name)?;
        let (senders, settings) = match rest {
            ["from", name, rest @ ..] => (vec![node(name)?], rest),
            rest => (vec![0, 1], rest),
        };
        for sender in senders {
            let path = &mut self.cluster().network.paths[link][sender];
            if verb != "path" {
                path.cut = verb == "cut";
            }
            for setting in settings {
                match pair(setting)? {
                    ("latency", value) => path.latency = span(value)?,
                    ("jitter", value) => path.jitter = span(value)?,
                    ("loss", value) => path.loss = ppm(value)?,
                    ("duplicate", value) => path.duplicate = ppm(value)?,
                    ("corrupt", value) => path.corrupt = ppm(value)?,
                    ("reorder", value) => {
                        path.reorder = ppm(value)?;
                        path.reorder_by = SECOND / 5;
                    }
                    (name, _) => return Err(format!("a path has no {name}")),
                }
            }
        }
        Ok(())
    }

    fn machine(&mut self, verb: &str, node: usize, words: &[&str]) -> Outcome {
        match (verb, words) {
            ("agent", settings) => {
                for setting in settings {
                    let (operation, time) = pair(setting)?;
                    let which = operation_named(operation)? as usize;
                    let span = span(time)?;
                    self.cluster().machines[node].agent.takes[which] = (span, span);
                }
            }
            ("group", [name, settings @ ..]) => {
                let found = self
                    .setup
                    .groups
                    .iter()
                    .position(|(group, _)| group == name);
                let group = found.ok_or_else(|| format!("no group {name}"))?;
                for setting in settings {
                    let (operation, how) = pair(setting)?;
                    let which = operation_named(operation)? as usize;
                    self.cluster().machines[node].agent.settled[group][which] = behaviour(how)?;
                }
            }
            ("clock", [step]) => {
                let back = step.strip_prefix('-');
                let micros = span(back.unwrap_or(step).trim_start_matches('+'))?.cast_signed();
                self.cluster()
                    .step_clock(node, if back.is_some() { -micros } else { micros });
            }
            ("slow", [time]) => self.cluster().machines[node].slow = span(time)?,
            ("undrained", [time]) => {
                let until = self.cluster().now + span(time)?;
                self.cluster().machines[node].undrained_until = until;
            }
            ("link", [name, state]) => {
                let link = self.link(name)?;
                self.cluster()
                    .give(node, Input::Link(link, *state == "works"));
            }
            ("keys", [list]) => {
                self.setup.nodes[node].keys = keys(list)?;
                let read = self.setup.nodes[node].authkeys();
                self.cluster().give(node, Input::Keys(Box::new(read)));
            }
            _ => return Err("words are missing".to_owned()),
        }
        Ok(())
    }

    /// `replay NODE`: everything it has handled so far arrives once more.
    /// `forge NODE LINK KIND`: something that nobody sent arrives.
    fn attack(&mut self, verb: &str, node: usize, words: &[&str]) -> Outcome {
        match (verb, words) {
            ("replay", []) => {
                let recorded = self.cluster().recorded.clone();
                for frame in recorded.into_iter().filter(|it| it.receiver == node) {
                    self.cluster().inject(node, frame.link, frame.bytes);
                }
                Ok(())
            }
            ("forge", [link, kind]) => {
                let link = self.link(link)?;
                let kind = Forgery::ALL
                    .into_iter()
                    .find(|it| format!("{it:?}").to_lowercase() == *kind)
                    .ok_or("wrongkey, stranger, unproven, sessionless, malformed or garbage")?;
                let encoding = self.setup.links[link].1;
                let bytes = forge(&self.setup, node, encoding, kind, &mut Random::new(1));
                self.cluster().inject(node, link, bytes);
                Ok(())
            }
            _ => Err("words are missing".to_owned()),
        }
    }
}

fn operation_named(word: &str) -> Outcome<Operation> {
    match word {
        "acquire" => Ok(Operation::Acquire),
        "release" => Ok(Operation::Release),
        _ => Err("acquire or release".to_owned()),
    }
}

fn configure_node(node: &mut NodeSetup, name: &str, value: &str) -> Outcome {
    match name {
        "keepalive" => node.keepalive = span(value)?,
        "deadtime" => node.deadtime = span(value)?,
        "warntime" => node.warntime = span(value)?,
        "initdead" => node.initdead = span(value)?,
        "failback" => {
            node.failback = match value {
                "on" => AutoFailback::On,
                "off" => AutoFailback::Off,
                "legacy" => AutoFailback::Legacy,
                _ => return Err("on, off or legacy".to_owned()),
            }
        }
        "keys" => node.keys = keys(value)?,
        "digest" => node.digest = value.parse().map_err(|_| "a number")?,
        "uuid" => node.uuid = [value.parse().map_err(|_| "a number below 256")?; 16],
        _ => return Err(format!("no setting {name}")),
    }
    Ok(())
}
