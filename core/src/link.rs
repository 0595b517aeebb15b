//! One configured path to the peer: what it has brought, and what had no effect.

use crate::config::Encoding;
use crate::id::LinkId;
use crate::limits::LINKS_MAX;
use crate::report::{LinkStatus, Refusal};
use crate::time::{Duration, Instant};

use heapless::Vec;

const REASONS: usize = Refusal::ALL.len();

/// Between two reports about refused frames and lost messages.
pub(crate) const TRAFFIC_EVERY: Duration = Duration::from_secs(10);

/// Refused frames of one link, by reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    total: [u64; REASONS],
    unreported: [u32; REASONS],
}

impl Refusals {
    fn count(&mut self, reason: Refusal) {
        if let Some(total) = self.total.get_mut(reason as usize) {
            *total = total.saturating_add(1);
        }
        if let Some(unreported) = self.unreported.get_mut(reason as usize) {
            *unreported = unreported.saturating_add(1);
        }
    }

    fn total(&self, reason: Refusal) -> u64 {
        self.total.get(reason as usize).copied().unwrap_or(0)
    }

    /// Takes the next reason that has not been reported, and how often.
    ///
    /// A starting peer sends a few frames that are not proven yet; only more of them are news.
    fn take_unreported(&mut self) -> Option<(Refusal, u32)> {
        const UNPROVEN_NEWS: u32 = 20;
        let mut reasons = self.unreported.iter_mut().zip(Refusal::ALL);
        let (unreported, reason) = reasons.find(|(unreported, reason)| {
            let unproven = *reason == Refusal::Unproven;
            **unreported >= if unproven { UNPROVEN_NEWS } else { 1 }
        })?;
        Some((reason, core::mem::take(unreported)))
    }
}

/// One link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) encoding: Encoding,
    works: bool,
    heard: Option<Instant>,
    /// The highest sequence number heard here in this run of the peer.
    highest: u64,
    /// The peer's last word on whether it hears us here.
    echoed: bool,
    status: LinkStatus,
    refusals: Refusals,
}

impl Link {
    /// Whether the peer was heard here within the span.
    pub(crate) fn hears(&self, now: Instant, within: Duration) -> bool {
        self.heard.is_some_and(|at| now.since(at) < within)
    }

    pub(crate) const fn heard(&self) -> Option<Instant> {
        self.heard
    }

    pub(crate) const fn status(&self) -> LinkStatus {
        self.status
    }

    pub(crate) fn refused(&self, reason: Refusal) -> u64 {
        self.refusals.total(reason)
    }

    fn judge(&self, now: Instant, within: Duration) -> LinkStatus {
        if !self.works {
            LinkStatus::Failed
        } else if !self.hears(now, within) {
            LinkStatus::Dead
        } else if self.echoed {
            LinkStatus::Up
        } else {
            LinkStatus::OneWay
        }
    }
}

/// All links of a node.
#[derive(Clone, Debug)]
pub(crate) struct Links(Vec<Link, LINKS_MAX>);

impl Links {
    pub(crate) fn new(encodings: &[Encoding]) -> Self {
        Self(
            encodings
                .iter()
                .map(|&encoding| Link {
                    encoding,
                    works: true,
                    heard: None,
                    highest: 0,
                    echoed: false,
                    status: LinkStatus::Dead,
                    refusals: Refusals::default(),
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, id: LinkId) -> Option<&Link> {
        self.0.get(usize::from(id.0))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        (0_u8..).map(LinkId).zip(self.0.iter())
    }

    /// Bit n for link n.
    pub(crate) fn mask(&self) -> u8 {
        self.iter().fold(0, |mask, (id, _)| mask | 1 << id.0)
    }

    pub(crate) fn on_changed(&mut self, id: LinkId, works: bool) {
        if let Some(link) = self.0.get_mut(usize::from(id.0)) {
            link.works = works;
            link.heard = link.heard.filter(|_| works);
        }
    }

    /// A new run of the peer has begun: nothing heard before counts.
    pub(crate) fn on_new_session(&mut self) {
        for link in &mut self.0 {
            link.heard = None;
            link.highest = 0;
            link.echoed = false;
        }
    }

    /// A sequenced message of the peer's present run came here. Only one that is newer than all
    /// before it on this link shows that the link works: others may be late, or played back.
    pub(crate) fn on_heard(
        &mut self,
        id: LinkId,
        sequence: u64,
        echo: Option<bool>,
        now: Instant,
    ) -> bool {
        match self.0.get_mut(usize::from(id.0)) {
            Some(link) if sequence > link.highest => {
                link.highest = sequence;
                link.heard = Some(now);
                link.echoed = echo.unwrap_or(link.echoed);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn on_refused(&mut self, id: LinkId, reason: Refusal) {
        if let Some(link) = self.0.get_mut(usize::from(id.0)) {
            link.refusals.count(reason);
        }
    }

    pub(crate) fn take_refusals(&mut self) -> Option<(LinkId, Refusal, u32)> {
        self.0.iter_mut().zip(0_u8..).find_map(|(link, index)| {
            let (reason, count) = link.refusals.take_unreported()?;
            Some((LinkId(index), reason, count))
        })
    }

    /// Whether the peer says on any link that it hears us.
    pub(crate) fn two_way(&self, now: Instant, within: Duration) -> bool {
        self.0
            .iter()
            .any(|link| link.judge(now, within) == LinkStatus::Up)
    }

    /// Judges every link anew and gives the next one whose status has changed.
    pub(crate) fn next_change(
        &mut self,
        now: Instant,
        within: Duration,
    ) -> Option<(LinkId, LinkStatus)> {
        self.0.iter_mut().zip(0_u8..).find_map(|(link, index)| {
            let status = link.judge(now, within);
            (status != link.status).then(|| {
                link.status = status;
                (LinkId(index), status)
            })
        })
    }

    /// When the next link that brings something will have been silent for the span.
    pub(crate) fn deadline(&self, within: Duration) -> Option<Instant> {
        self.0
            .iter()
            .filter(|link| matches!(link.status, LinkStatus::Up | LinkStatus::OneWay))
            .filter_map(|link| link.heard.map(|at| at + within))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_millis(500);
    const ID: LinkId = LinkId(0);

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    /// Aim: a link is up while it brings newer messages and the peer hears us, one-way when it does
    /// not, and dead after the span.
    #[test]
    fn status_follows_what_is_heard() {
        let mut links = Links::new(&[Encoding::Netstring]);
        assert_eq!(links.next_change(at(0), SPAN), None);
        assert!(links.on_heard(ID, 1, Some(false), at(0)));
        assert_eq!(
            links.next_change(at(0), SPAN),
            Some((ID, LinkStatus::OneWay))
        );
        assert!(links.on_heard(ID, 2, Some(true), at(100)));
        assert_eq!(links.next_change(at(100), SPAN), Some((ID, LinkStatus::Up)));
        assert!(
            !links.on_heard(ID, 2, Some(true), at(300)),
            "a played-back message proves nothing"
        );
        assert_eq!(links.deadline(SPAN), Some(at(600)));
        assert_eq!(links.next_change(at(599), SPAN), None);
        assert_eq!(
            links.next_change(at(600), SPAN),
            Some((ID, LinkStatus::Dead))
        );
        links.on_changed(ID, false);
        assert_eq!(
            links.next_change(at(600), SPAN),
            Some((ID, LinkStatus::Failed))
        );
    }

    /// Aim: refused frames are counted each, and reported together.
    #[test]
    fn refusals_are_counted() {
        let mut links = Links::new(&[Encoding::Netstring]);
        for _ in 0..3 {
            links.on_refused(ID, Refusal::Signature);
        }
        links.on_refused(ID, Refusal::Unproven);
        assert_eq!(links.take_refusals(), Some((ID, Refusal::Signature, 3)));
        assert_eq!(links.take_refusals(), None);
        assert_eq!(
            links.get(ID).map(|link| link.refused(Refusal::Signature)),
            Some(3)
        );
        assert_eq!(
            links.get(ID).map(|link| link.refused(Refusal::Unproven)),
            Some(1)
        );
    }
}
