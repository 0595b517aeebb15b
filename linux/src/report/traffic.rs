//! Sentences about links and messages.

use systole_core::id::LinkId;
use systole_core::report::{LinkStatus, Refusal, Report};

use super::{Level, Names, Words};

impl Names {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each function words its own kinds; a test sees that none is left out"
    )]
    pub(super) fn traffic(&self, report: Report) -> Words {
        let peer = &self.peer;
        Some(match report {
            Report::Link { link, status } => self.link_changed(link, status),
            Report::FramesRefused {
                link,
                reason,
                count,
            } => self.refused(link, reason, count),
            Report::MessagesLost(count) => (
                Level::Warning,
                "messages_lost",
                format!("{count} messages from {peer} were lost and are asked for again"),
            ),
            _ => return None,
        })
    }

    fn link_changed(&self, link: LinkId, status: LinkStatus) -> (Level, &'static str, String) {
        let (link, peer) = (self.link(link), &self.peer);
        match status {
            LinkStatus::Up => (
                Level::Info,
                "link_up",
                format!("{link} is up: {peer} and we hear each other"),
            ),
            LinkStatus::OneWay => (
                Level::Warning,
                "link_one_way",
                format!("{link} is one-way: we hear {peer}, it does not hear us; check firewalls"),
            ),
            LinkStatus::Dead => (
                Level::Warning,
                "link_dead",
                format!(
                    "{link} is dead: nothing from {peer}; check cable, switch, firewall, and \
                     authkeys (`systole status` counts wrong signatures)"
                ),
            ),
            LinkStatus::Failed => (
                Level::Error,
                "link_failed",
                format!("{link} cannot send or receive; it is tried again until it can"),
            ),
        }
    }

    fn refused(&self, link: LinkId, reason: Refusal, count: u32) -> (Level, &'static str, String) {
        let why = match reason {
            Refusal::Oversize => "too long for a heartbeat; something else uses this port",
            Refusal::Envelope => "no heartbeat message; something else uses this port",
            Refusal::Key => "signed with a key that authkeys here does not allow",
            Refusal::Signature => "wrong signature; compare authkeys on both nodes",
            Refusal::Malformed => "signed, but fields are missing or unreadable",
            Refusal::UnknownNode => {
                "from neither node of this cluster, or from a second machine with this node's \
                 name; compare the `node` lines and `uname -n`"
            }
            Refusal::Replay => "heard before, or of an earlier run; perhaps a replay attack",
            Refusal::Unproven => "not proven fresh; perhaps a replayed recording",
        };
        let (link, some) = (
            self.link(link),
            if count == 1 { "message" } else { "messages" },
        );
        let text = format!("{count} {some} on {link} had no effect: {why}");
        (Level::Warning, "frames_refused", text)
    }
}
