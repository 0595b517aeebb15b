//! Scenarios: commands and the timeline that follows, in one readable file.
//!
//! A file is blocks of commands, each block followed by `----` and what happened. Lines that begin
//! with `#` are comments. `tests/scenarios/README.md` lists the commands.

mod commands;

use crate::cluster::Cluster;
use crate::describe::{describe, line};
use crate::setup::Setup;

/// A scenario being played.
#[derive(Debug)]
pub struct Scenario {
    setup: Setup,
    cluster: Option<Cluster>,
    both: Vec<bool>,
    lines: Vec<String>,
}

/// Plays a file again and gives it back with the timelines as they are now.
///
/// # Errors
/// The line that is no command, and why.
pub fn replay(text: &str) -> Result<String, String> {
    let mut scenario = Scenario::new();
    let mut fresh = String::new();
    let mut in_output = false;
    for (number, line) in text.lines().enumerate() {
        if in_output {
            if line.is_empty() {
                in_output = false;
                fresh.push('\n');
            }
            continue;
        }
        fresh.push_str(line);
        fresh.push('\n');
        if line == "----" {
            in_output = true;
            for line in scenario.timeline() {
                fresh.push_str(&line);
                fresh.push('\n');
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            scenario
                .execute(line)
                .map_err(|why| format!("line {}: \"{line}\": {why}", number + 1))?;
        }
    }
    Ok(fresh)
}

impl Scenario {
    fn new() -> Self {
        let setup = Setup::default();
        Self {
            setup,
            cluster: None,
            both: Vec::new(),
            lines: Vec::new(),
        }
    }

    fn cluster(&mut self) -> &mut Cluster {
        let setup = &self.setup;
        self.cluster
            .get_or_insert_with(|| Cluster::new(setup.clone(), 1))
    }

    /// Runs for a while, and says in the timeline when both machines have a group at once.
    fn run(&mut self, span: u64) {
        let until = self.cluster().now + span;
        let mut more = true;
        while more {
            self.collect();
            more = self.cluster().step(until);
        }
    }

    /// What has happened since the last timeline, and who has what now.
    fn timeline(&mut self) -> Vec<String> {
        self.collect();
        let mut lines = core::mem::take(&mut self.lines);
        lines.push(self.holders());
        lines
    }

    fn collect(&mut self) {
        let lines = &mut self.lines;
        let cluster = self
            .cluster
            .get_or_insert_with(|| Cluster::new(self.setup.clone(), 1));
        for fact in cluster.take_facts() {
            lines.extend(describe(&cluster.setup, &fact));
        }
        self.both.resize(cluster.setup.groups.len(), false);
        for (group, was) in self.both.iter_mut().enumerate() {
            let both = cluster.present(0, group) && cluster.present(1, group);
            if both != core::mem::replace(was, both) {
                let name = &cluster.setup.groups[group].0;
                let text = if both {
                    "IS ON BOTH"
                } else {
                    "is no longer on both"
                };
                lines.push(line(cluster.now, "==", &format!("{name} {text}")));
            }
        }
    }

    /// Who has what at the end of a block.
    fn holders(&mut self) -> String {
        let cluster = self.cluster();
        let groups = cluster
            .setup
            .groups
            .iter()
            .enumerate()
            .map(|(group, (name, _))| {
                let on = match [cluster.present(0, group), cluster.present(1, group)] {
                    [false, false] => "nowhere",
                    [true, false] => "on rproxy1",
                    [false, true] => "on rproxy2",
                    [true, true] => "ON BOTH",
                };
                format!("{name} {on}")
            });
        let groups: Vec<String> = groups.collect();
        line(cluster.now, "==", &groups.join(", "))
    }
}
