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
    let ask = |args: &[&str]| original::tool(space, original::CL_STATUS, args);
    Some(View {
        holds: ask(&["rscstatus"])?,
        // `dead` comes with exit code 1.
        peer: ask(&["nodestatus", host.peer().name()]).unwrap_or_else(|| "dead".to_owned()),
    })
}

/// Ours, from `systole status --json`; nothing while it does not answer.
pub(crate) fn of_systole(lab: &Lab, host: Host) -> Option<View> {
    let status = lab.node(host).status()?;
    let word = |pointer: &str| status.pointer(pointer)?.as_str().map(str::to_owned);
    let stable = |pointer: &str| status.pointer(pointer).is_some_and(|it| it == true);
    let peer = word("/peer/status")?;
    let moving = !stable("/stable") || (peer == "active" && !stable("/peer/stable"));
    Some(View {
        holds: if moving {
            "transition".to_owned()
        } else {
            word("/hold")?
        },
        peer,
    })
}

/// What our node says that its peer holds.
pub(crate) fn peer_of_systole(lab: &Lab, host: Host) -> Option<String> {
    let status = lab.node(host).status()?;
    status.pointer("/peer/hold")?.as_str().map(str::to_owned)
}
