//! What a received frame means.

use super::{ACK_EVERY, Node, Phase};
use crate::config::Encoding;
use crate::hold::Hold;
use crate::id::LinkId;
use crate::outbox::{Occasion, Outgoing};
use crate::peer::{Admission, PeerKind};
use crate::report::{NodeStatus, Refusal, Report};
use crate::sequence::Novelty;
use crate::time::Duration;
use crate::timer::TimerId;
use crate::wire::envelope::authenticate;
use crate::wire::message::{Body, Header, Message, parse};

impl Node {
    pub(super) fn on_frame(&mut self, link: LinkId, bytes: &[u8]) {
        let Some(encoding) = self.links.get(link).map(|link| link.encoding) else {
            return;
        };
        if self.phase == Phase::Stopped {
            return;
        }
        let crc_allowed = encoding == Encoding::Classic;
        let fields = match authenticate(bytes, &self.config.keys, crc_allowed) {
            Ok(fields) => fields,
            Err(reason) => return self.refuse(link, reason),
        };
        match parse(&fields) {
            Ok(message) => self.on_message(link, &message),
            Err(reason) => self.refuse(link, reason),
        }
    }

    fn refuse(&mut self, link: LinkId, reason: Refusal) {
        self.links.on_refused(link, reason);
        self.report_traffic_now_and_then();
    }

    /// Reports at once, then at most once in a while: a bad network must not fill the log.
    fn report_traffic_now_and_then(&mut self) {
        if !self.timers.is_set(TimerId::Traffic) {
            self.report_traffic();
        }
    }

    fn on_message(&mut self, link: LinkId, message: &Message<'_>) {
        let header = &message.header;
        let ours = header.src_uuid == Some(self.config.uuid);
        if header.src.eq_ignore_ascii_case(self.config.node.as_str()) && ours {
            return; // Our own words, come back over the network.
        }
        if !header.src.eq_ignore_ascii_case(self.config.peer.as_str()) {
            return self.refuse(link, Refusal::UnknownNode);
        }
        if ours && !self.peer.uuid_clash {
            self.peer.uuid_clash = true;
            self.report(Report::UuidClash);
        }
        let is_status = matches!(message.body, Body::Status { .. });
        match self.peer.admit(header, is_status, self.sid) {
            Admission::Same => {}
            Admission::NewRun => self.on_new_run(header),
            Admission::Ignored => {
                if let (Body::Shutdone, Some(sequence)) = (message.body, header.seq) {
                    self.outbox.push(Outgoing::Ack(sequence));
                }
                return;
            }
            Admission::Challenge => {
                self.challenge();
                self.refuse(link, Refusal::Unproven);
                return self.probe(link);
            }
            Admission::Refused(reason) => {
                self.refuse(link, reason);
                return self.probe(link);
            }
        }
        match header.seq {
            Some(sequence) => self.on_sequenced(link, sequence, message),
            None => self.on_unsequenced(message),
        }
    }

    /// Answers a session that has not proved itself, so that a living peer can: at most once in half
    /// a heartbeat interval, because a recording may be what asks.
    fn probe(&mut self, link: LinkId) {
        let pause = self.config.keepalive.divided_by(2);
        let again = self.probed_at.is_none_or(|at| self.now.since(at) >= pause);
        if let Some(session) = self.peer.candidate.take_if(|_| again) {
            self.probed_at = Some(self.now);
            self.outbox.push(Outgoing::Probe(session, link));
        }
    }

    fn on_new_run(&mut self, header: &Header<'_>) {
        let kind = self.peer.kind;
        let older = header.generation < self.peer.generation;
        let report = self.peer.on_new_run(header);
        if let Some(report) = report {
            self.report(report);
        }
        if report == Some(Report::PeerReturned) && self.peer.kind == PeerKind::Heartbeat {
            self.on_original_returned();
        }
        if kind != self.peer.kind {
            self.report(Report::PeerIsSystole(self.peer.kind == PeerKind::Systole));
        }
        self.reports_owed = 0;
        // Before this run it may have called traffic to itself that is ours now.
        for side in self.wants.sides() {
            self.groups.announce(side);
        }
        if older {
            self.challenge(); // What the run before it has said looks newer from now on.
        }
        self.links.on_new_session();
        self.abort_standby();
        // The new run waits for our echo: do not let it wait for the next heartbeat.
        self.outbox.push(Outgoing::Status(self.own_status));
    }

    /// Whether a message is meant for this node.
    fn addressed(&self, header: &Header<'_>) -> bool {
        match (header.dest_uuid, header.dest) {
            (Some(uuid), _) if !self.peer.uuid_clash => uuid == self.config.uuid,
            (_, Some(name)) => name.eq_ignore_ascii_case(self.config.node.as_str()),
            (_, None) => true,
        }
    }

    fn on_sequenced(&mut self, link: LinkId, sequence: u64, message: &Message<'_>) {
        let header = &message.header;
        let systole = self.peer.kind == PeerKind::Systole;
        let fresh = !systole || header.echo == Some(self.sid);
        let echo = match header.echo {
            _ if fresh => Some(true),
            Some(_) => None,
            None => Some(false),
        };
        let newest = sequence > self.peer.window.highest();
        if self.peer.window.covers(sequence) {
            self.links.on_heard(link, sequence, echo, self.now);
        }
        // What came before on another link says nothing new about the peer's life.
        if newest {
            self.on_peer_heard();
        }
        let before = self.peer.window.missing_count();
        let novelty = self.peer.on_sequence(sequence);
        match novelty {
            Novelty::Seen => {
                // Its first copy may have come over a link on which the peer does not hear us.
                if fresh && sequence == self.peer.window.highest() {
                    self.on_header(sequence, header, fresh);
                }
                return;
            }
            Novelty::Newest | Novelty::Jump => {
                let lost = self.peer.window.missing_count().saturating_sub(before);
                self.messages_lost = self.messages_lost.saturating_add(lost);
                self.report_traffic_now_and_then();
            }
            Novelty::Late => {}
        }
        if sequence % ACK_EVERY == self.ack_residue {
            self.outbox.push(Outgoing::Ack(self.peer.window.complete()));
        }
        if newest {
            self.on_header(sequence, header, fresh);
        }
        if self.addressed(header) {
            self.on_body(sequence, &message.body, newest);
        }
    }

    fn on_peer_heard(&mut self) {
        if let Some(heard) = self.peer.heard.filter(|_| self.peer.late) {
            self.peer.late = false;
            self.report(Report::PeerLateEnd(self.now.since(heard)));
        }
        self.peer.heard = Some(self.now);
        if !self.peer.alive() {
            self.set_peer_status(NodeStatus::Up);
        }
    }

    fn set_peer_status(&mut self, to: NodeStatus) {
        let from = core::mem::replace(&mut self.peer.status, to);
        if from != to {
            self.report(Report::PeerStatus { from, to });
        }
    }

    /// What every message of a Systole peer says about itself.
    fn on_header(&mut self, sequence: u64, header: &Header<'_>, fresh: bool) {
        if let Some((hold, stable)) = header.own {
            self.on_peer_report(sequence, hold, stable, fresh);
            let going = header.going.map_or(Hold::None, Hold::swapped);
            if fresh {
                self.peer.gave = header.gave.map_or(Hold::None, Hold::swapped);
                self.peer.going = going;
            } else {
                // What is remembered of older words may be gone by now.
                self.peer.going = self.peer.going.with(going);
            }
        }
        let differs = header
            .resources_digest
            .is_some_and(|it| it != self.config.resources_digest);
        if differs && !self.peer.digest_differs {
            self.report(Report::ResourcesDiffer);
        }
        self.peer.digest_differs = differs;
    }

    fn on_peer_report(&mut self, sequence: u64, hold: Hold, stable: bool, fresh: bool) {
        if self.peer.on_report(sequence, hold, stable, fresh) {
            self.report(Report::PeerHold { hold, stable });
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other message changes nothing"
    )]
    fn on_body(&mut self, sequence: u64, body: &Body<'_>, newest: bool) {
        match *body {
            Body::Status {
                status, deadtime, ..
            } if newest => {
                if let Some(deadtime) = deadtime {
                    self.on_deadtime(deadtime);
                }
                if status != NodeStatus::Dead {
                    self.set_peer_status(status.max(NodeStatus::Up));
                }
            }
            Body::Reqnodes => self.outbox.push(Outgoing::Repnodes),
            Body::Starting => {
                self.peer.begins = true;
                if self.phase == Phase::Joining && self.peer.hold.is_none() {
                    // It did not listen to our own question before.
                    self.timers.set(TimerId::Settle, Some(self.now));
                }
                self.outbox.push(Outgoing::Resource {
                    hold: self.own_hold(),
                    stable: self.own_stable(),
                    occasion: Occasion::Plain,
                });
            }
            Body::Resource {
                hold,
                full,
                stable,
                info,
            } if self.peer.kind == PeerKind::Heartbeat => {
                if info == Some("standby") {
                    self.on_releasing();
                }
                let known = self.peer.hold.unwrap_or_default().swapped();
                let hold = match hold {
                    Some(hold) if full || hold == Hold::None => hold,
                    Some(hold) => known.with(hold),
                    None => known,
                };
                self.on_peer_report(sequence, hold, stable.unwrap_or(self.peer.stable), true);
                self.answer_original();
            }
            Body::IpRequest { group } => self.on_ip_request(group),
            Body::IpRequestResp {
                group, ok: true, ..
            } => self.on_ip_granted(group),
            Body::AskResources { hold, stage } => self.on_ask(sequence, hold, stage, newest),
            Body::HbTakeover { hold } => self.on_takeover_request(hold.swapped()),
            Body::Shutdone => {
                self.outbox.push(Outgoing::Ack(sequence));
                self.report(Report::PeerStopped);
                let from = self.peer.status;
                self.peer_gone(true);
                self.report(Report::PeerStatus {
                    from,
                    to: NodeStatus::Dead,
                });
            }
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other message changes nothing"
    )]
    fn on_unsequenced(&mut self, message: &Message<'_>) {
        if !self.addressed(&message.header) {
            return;
        }
        match message.body {
            Body::Ack { sequence } => self.on_ack(sequence),
            Body::Rexmit { first, last } => {
                if let Some(lost) = self.outbox.on_rexmit(first, last) {
                    self.outbox.push(Outgoing::Nak(lost));
                }
            }
            Body::NakRexmit { first } => self.peer.window.give_up(first),
            _ => {}
        }
    }

    /// The peer says after which silence it wants to be dead. The original announces two seconds more
    /// while it starts, and thirty when it is about to restart itself.
    fn on_deadtime(&mut self, deadtime: Duration) {
        const EXTRAS: [Duration; 3] = [
            Duration::ZERO,
            Duration::from_secs(2),
            Duration::from_secs(30),
        ];
        let floor = self.config.keepalive.times(2);
        self.peer.deadtime = deadtime.max(floor);
        let own = self.config.deadtime;
        // The wire carries whole milliseconds.
        let same = |a: Duration, b: Duration| a.as_millis() == b.as_millis();
        let differs = !EXTRAS.iter().any(|extra| same(deadtime, own + *extra));
        if differs && !self.peer.deadtime_differs {
            self.report(Report::DeadtimeDiffers(deadtime));
        }
        self.peer.deadtime_differs = differs;
    }
}
