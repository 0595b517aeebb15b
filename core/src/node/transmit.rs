//! From a message's meaning to signed bytes on one link.

use super::{Node, Phase};
use crate::action::Action;
use crate::hold::Hold;
use crate::id::LinkId;
use crate::limits::FRAME_BYTES_MAX;
use crate::outbox::{Occasion, Outgoing};
use crate::peer::PeerKind;
use crate::time::Duration;
use crate::wire::message::{Body, Header, Message, emit};

impl Node {
    pub(super) fn poll_transmit(&mut self, frame: &mut [u8; FRAME_BYTES_MAX]) -> Option<Action> {
        if self.phase == Phase::Stopped {
            return None;
        }
        while let Some((outgoing, sequence, link)) = self.outbox.poll(self.links.mask(), self.now) {
            if outgoing == Outgoing::Shutdone && self.last_words == Some(0) {
                self.last_words = sequence;
            }
            let link = LinkId(link);
            let Some(encoding) = self.links.get(link).map(|link| link.encoding) else {
                continue;
            };
            let message = self.message(outgoing, sequence, link);
            if let Ok(len) = emit(frame, encoding, &self.config.keys, &message) {
                return Some(Action::Transmit { link, len });
            }
            debug_assert!(false, "limits.rs proves that every message fits a frame");
        }
        None
    }

    fn message(&self, outgoing: Outgoing, sequence: Option<u64>, link: LinkId) -> Message<'_> {
        let header = Header {
            src: self.config.node.as_str(),
            src_uuid: Some(self.config.uuid),
            dest: Self::is_addressed(outgoing).then_some(self.config.peer.as_str()),
            seq: sequence,
            generation: self.config.generation,
            unix_time: self.config.unix_time.max(1) + self.now.since(self.started).as_secs(),
            ttl: Some(self.config.ttl),
            session: Some(self.sid),
            echo: self.peer.session.filter(|_| self.hears_on(link)),
            probe: outgoing.probe(link),
            own: Some((self.own_hold(), self.own_stable())),
            gave: self.standby.gave(),
            going: Some(self.leaving()).filter(|hold| *hold != Hold::None),
            resources_digest: Some(self.config.resources_digest),
            ..Header::default()
        };
        Message {
            header,
            body: self.body(outgoing),
        }
    }

    fn hears_on(&self, link: LinkId) -> bool {
        let within = self.peer.deadtime;
        self.links
            .get(link)
            .is_some_and(|link| link.hears(self.now, within))
    }

    const fn is_addressed(outgoing: Outgoing) -> bool {
        matches!(
            outgoing,
            Outgoing::Ack(_)
                | Outgoing::Rexmit(..)
                | Outgoing::Nak(_)
                | Outgoing::Repnodes
                | Outgoing::IpRequestResponse(_)
        )
    }

    fn body(&self, outgoing: Outgoing) -> Body<'_> {
        let status = |status| Body::Status {
            status,
            deadtime: Some(self.config.deadtime),
            protocol: true,
        };
        let group = |id| {
            let name = self
                .config
                .groups
                .get(usize::from(id))
                .map(|group| group.name.as_str());
            name.unwrap_or_default()
        };
        match outgoing {
            Outgoing::Status(word) => status(word),
            Outgoing::Probe(..) => status(self.own_status),
            Outgoing::Ack(sequence) => Body::Ack { sequence },
            Outgoing::Rexmit(first, last) => Body::Rexmit { first, last },
            Outgoing::Nak(first) => Body::NakRexmit { first },
            Outgoing::Repnodes => Body::Repnodes {
                nodes: [self.config.node.as_str(), self.config.peer.as_str()],
            },
            Outgoing::Starting => Body::Starting,
            Outgoing::Resource {
                hold,
                stable,
                occasion,
            } => Body::Resource {
                hold: Some(hold),
                full: true,
                stable: Some(stable),
                info: match occasion {
                    Occasion::Plain => None,
                    Occasion::Standby => Some("standby"),
                    Occasion::Shutdown => Some("shutdown"),
                },
            },
            Outgoing::IpRequest(id) => Body::IpRequest { group: group(id.0) },
            Outgoing::IpRequestResponse(id) => Body::IpRequestResp {
                group: group(id.0),
                we_own: true,
                ok: true,
            },
            Outgoing::Ask(hold, stage) => Body::AskResources { hold, stage },
            Outgoing::HbTakeover(hold) => Body::HbTakeover { hold },
            Outgoing::Shutdone => Body::Shutdone,
        }
    }

    /// How long to wait before asking for lost messages: with jitter, as the original, so that both
    /// links have had their chance; shorter with short heartbeats between Systole nodes.
    pub(super) fn retransmit_delay(&mut self) -> Duration {
        const LEAST: Duration = Duration::from_millis(50);
        const JITTER: Duration = Duration::from_millis(200);
        let keepalive = self.config.keepalive;
        let (least, jitter) = match self.peer.kind {
            PeerKind::Systole => (
                LEAST.min(keepalive.divided_by(4)),
                JITTER.min(keepalive.divided_by(2)),
            ),
            PeerKind::Heartbeat | PeerKind::Unknown => (LEAST, JITTER),
        };
        least + Duration::from_micros(self.random.below(jitter.as_micros()))
    }
}
