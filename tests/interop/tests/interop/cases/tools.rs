//! The original's tools and ours, asked the same about the same cluster.

use std::os::unix::fs::symlink;
use std::process::Command;

use systole::demo::lab::output_within;
use systole::demo::sample::Host;

use crate::original;
use crate::pair::{Files, LIMIT, Pair, Role, binary};

/// Questions to `cl_status` whose answers must not depend on which daemon is asked.
const QUESTIONS: [&[&str]; 18] = [
    &["hbstatus"],
    &["listnodes"],
    &["listnodes", "-n"],
    &["listnodes", "-p"],
    &["nodestatus", "rproxy1"],
    &["nodestatus", "rproxy2"],
    &["nodestatus", "rproxy1", "-m"],
    &["nodestatus", "rproxy9"],
    &["nodetype", "rproxy1"],
    &["nodeweight", "rproxy1"],
    &["rscstatus"],
    &["rscstatus", "-m"],
    &["hbparameter", "-p", "keepalive"],
    &["hbparameter", "-p", "auto_failback"],
    &["hbparameter", "-p", "nonsense"],
    &["listhblinks"],
    &["nonsense"],
    &[],
];

/// Aim: a script that asks `cl_status` gets the same words and the same exit code from both daemons, also
/// for wrong questions.
pub(super) fn answer_alike(role: Role) -> String {
    let pair = Pair::running(role, &Files::default());
    let name = pair.lab().directory().join("cl_status");
    symlink(binary(), &name).expect("a name for the tool");
    let peers = QUESTIONS
        .map(<[&str]>::to_vec)
        .into_iter()
        .chain(["listhblinks", "hblinkstatus"].map(|verb| vec![verb, "PEER"]))
        .chain([vec!["hblinkstatus", "PEER", "eth0"]]);
    let mut different = Vec::new();
    let mut asked = 0;
    for question in peers {
        let answer = |host: Host, program: &str| {
            let peer = host.peer().name();
            let args = question
                .iter()
                .map(|&it| if it == "PEER" { peer } else { it });
            let space = pair.lab().node(host).space().expect("a machine that is on");
            let mut command: Command = space.command(program);
            let output = output_within(command.args(args), LIMIT).expect("an answer");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            (output.status.code(), lines)
        };
        let theirs = answer(role.theirs(), original::CL_STATUS);
        let ours = answer(role.ours(), &name.display().to_string());
        asked += 1;
        if theirs != ours {
            different.push(format!("{question:?}: {theirs:?}, Systole {ours:?}"));
        }
    }
    if !different.is_empty() {
        pair.fail(&format!("answers differ:\n{}", different.join("\n")));
    }
    pair.verdict();
    format!("{asked} questions")
}
