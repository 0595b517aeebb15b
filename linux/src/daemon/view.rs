//! From the core's view of itself to the report that `systole status` shows.

use systole_core::PeerKind;
use systole_core::id::{GroupId, LinkId};
use systole_core::node::Phase;
use systole_core::node::status::{LinkView, Status};
use systole_core::report::{GroupStatus, LinkStatus, Refusal, Report, StandbyEnd};
use systole_core::time::{Duration, Instant};

use crate::clock;
use crate::config::{Cluster, LinkConfig, Resource};
use crate::report::{Names, Sentence};
use crate::status::{
    Counter, Events, GroupReport, LinkReport, Parameter, PeerReport, StandbyReport, StatusReport,
};

/// What does not change while the daemon runs, and what has happened so far.
pub(super) struct View {
    started: Instant,
    initdead: Duration,
    /// When each link's status changed last.
    changed: Vec<Option<Instant>>,
    constant: StatusReport,
    events: Events,
    standby: StandbyReport,
}

impl View {
    pub(super) fn new(cluster: &Cluster, links: &[LinkConfig], names: &Names) -> Self {
        let text = |resource: &Resource| match resource {
            Resource::Address(address) => address.text.clone(),
            Resource::Agent { text, .. } => text.clone(),
        };
        let group = |group: &crate::config::Group| GroupReport {
            name: group.name.clone(),
            node: group.node.clone(),
            resources: group.resources.iter().map(text).collect(),
            ..GroupReport::default()
        };
        let link = |(name, link): (&String, &LinkConfig)| LinkReport {
            name: name.clone(),
            interface: link.interface().to_owned(),
            ..LinkReport::default()
        };
        let parameter = |(name, value): &(String, String)| Parameter {
            name: name.clone(),
            value: value.clone(),
        };
        Self {
            started: clock::now(),
            initdead: cluster.initdead,
            changed: vec![None; links.len()],
            constant: StatusReport {
                node: cluster.node.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                peer: PeerReport {
                    name: cluster.peer.clone(),
                    ..PeerReport::default()
                },
                links: names.links.iter().zip(links).map(link).collect(),
                groups: cluster.groups.iter().map(group).collect(),
                parameters: cluster.directives.iter().map(parameter).collect(),
                ..StatusReport::default()
            },
            events: Events::default(),
            standby: StandbyReport::default(),
        }
    }

    /// Takes note of what was logged.
    pub(super) fn on_report(&mut self, report: &Report, sentence: &Sentence) {
        if let Report::StandbyEnd { giving, end } = report {
            self.standby.ended += 1;
            self.standby.giving = *giving;
            self.standby.done = *end == StandbyEnd::Done;
            self.standby.outcome.clone_from(&sentence.text);
        }
        if let Report::Link { link, .. } = report
            && let Some(changed) = self.changed.get_mut(usize::from(link.0))
        {
            *changed = Some(clock::now());
        }
        self.events
            .push(clock::wall(), sentence.level.as_str(), &sentence.text);
    }

    /// The whole report. The clock is read here, because the core's own time stands still between two
    /// events.
    pub(super) fn report(&self, status: Status<'_>, dropped: u64) -> StatusReport {
        let mut report = self.constant.clone();
        let (hold, stable) = status.own_hold();
        let now = clock::now();
        let uptime = now.since(self.started);
        report.uptime_ms = uptime.as_millis();
        let waits = status.phase() == Phase::Seeking && status.peer().heard_ago.is_none();
        report.waiting_ms = (waits && uptime < self.initdead)
            .then(|| self.initdead.as_millis().saturating_sub(report.uptime_ms));
        status.own_status().as_str().clone_into(&mut report.status);
        hold.as_str().clone_into(&mut report.hold);
        report.stable = stable && !status.in_transition();
        report.standby = self.standby.clone();
        report.standby.running = status.standby_running();
        fill_peer(&mut report.peer, status);
        let links = report.links.iter_mut().zip(&self.changed);
        for ((link, changed), id) in links.zip((0..).map(LinkId)) {
            link.since_ms = changed.map(|at| now.since(at).as_millis());
            if let Some(view) = status.link(id) {
                fill_link(link, &view);
            }
        }
        for (group, id) in report.groups.iter_mut().zip((0..).map(GroupId)) {
            if let Some(view) = status.group(id) {
                word(view.status).clone_into(&mut group.status);
                group.since_ms = view.since.as_millis();
            }
        }
        report.counters = vec![Counter {
            name: "log_lines_dropped".to_owned(),
            count: dropped,
        }];
        report.events.clone_from(self.events.all());
        report
    }
}

fn fill_peer(peer: &mut PeerReport, status: Status<'_>) {
    let view = status.peer();
    view.status.as_str().clone_into(&mut peer.status);
    match view.kind {
        PeerKind::Systole => "systole",
        PeerKind::Heartbeat => "original",
        PeerKind::Unknown => "unknown",
    }
    .clone_into(&mut peer.kind);
    peer.heard_ms_ago = view.heard_ago.map(Duration::as_millis);
    let hold = view.hold.unwrap_or_default();
    hold.as_str().clone_into(&mut peer.hold);
    peer.stable = view.stable;
    peer.stopped = view.stopped;
    peer.resources_differ = view.resources_differ;
    let heard = view.heard_ago.is_some();
    peer.deadtime_ms = heard.then(|| view.deadtime.as_millis());
}

fn fill_link(link: &mut LinkReport, view: &LinkView) {
    match view.status {
        LinkStatus::Up => "up",
        LinkStatus::OneWay => "one-way",
        LinkStatus::Dead => "dead",
        LinkStatus::Failed => "failed",
    }
    .clone_into(&mut link.status);
    link.heard_ms_ago = view.heard_ago.map(Duration::as_millis);
    let counted = Refusal::ALL.into_iter().zip(view.refused);
    link.refused = counted
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| Counter {
            name: refusal(reason).to_owned(),
            count,
        })
        .collect();
}

const fn word(status: GroupStatus) -> &'static str {
    match status {
        GroupStatus::Released => "released",
        GroupStatus::Acquiring => "acquiring",
        GroupStatus::Held => "held",
        GroupStatus::Releasing => "releasing",
        GroupStatus::LeftOver => "left-over",
        GroupStatus::Stuck => "stuck",
    }
}

const fn refusal(reason: Refusal) -> &'static str {
    match reason {
        Refusal::Oversize => "oversize",
        Refusal::Envelope => "not_a_message",
        Refusal::Key => "unknown_key",
        Refusal::Signature => "wrong_signature",
        Refusal::Malformed => "unreadable",
        Refusal::UnknownNode => "unknown_node",
        Refusal::Replay => "replayed",
        Refusal::Unproven => "unproven",
    }
}
