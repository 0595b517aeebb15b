//! What a node says about itself and its peer, in the words of `cl_status`.

use systole::demo::lab::{Lab, Space};
use systole::demo::sample::Host;

use crate::original;

/// One node's view of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// `none`, `local`, `foreign`, `all`, or `transition`.
    pub(crate) holds: String,
    /// `up`, `active`, `dead`.
    pub(crate) peer: String,
}

/// The original's, from `cl_status`; nothing while it does not answer.
pub(crate) fn of_original(space: &Space, host: Host) -> Option<View> {
    let ask = |args: &[&str]| original::tool(space, "/usr/bin/cl_status", args);
    Some(View {
        holds: ask(&["rscstatus"])?,
        // `dead` comes with exit code 1.
        peer: ask(&["nodestatus", host.peer().name()]).unwrap_or_else(|| "dead".to_owned()),
    })
}

/// Ours, from what it logged last.
pub(crate) fn of_systole(lab: &Lab, host: Host) -> Option<View> {
    let log = original::log(lab, host);
    let last = |mark: &str| {
        let line = log.lines().rev().find(|line| line.contains(mark))?;
        line.split_once(mark).map(|(_, rest)| rest.to_owned())
    };
    let holds = match last("this node holds ")?.as_str() {
        "nothing" => "none",
        "its local groups" => "local",
        "its foreign groups" => "foreign",
        "all groups" => "all",
        _ => "transition",
    };
    let peer = last(&format!("peer {} is now ", host.peer()))?;
    Some(View {
        holds: holds.to_owned(),
        peer: peer.split(' ').next().unwrap_or_default().to_owned(),
    })
}
