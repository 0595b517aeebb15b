//! What the samples mean: who answered when, for how long nobody did, and whether two did at once.

use systole_core::time::{Duration, Instant};

use super::sample::{Host, Probe, Sample};

/// Questions answered by both that are no further apart than this belong to one overlap.
const OVERLAP_GAP_MAX: Duration = Duration::from_millis(100);

/// A stretch of time in which one node answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The node.
    pub host: Host,
    /// Its first answer.
    pub from: Instant,
    /// Its last answer.
    pub until: Instant,
}

/// A stretch of time in which nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The last good answer before it.
    pub from: Instant,
    /// The first good answer after it; `None` while it lasts.
    pub until: Option<Instant>,
}

impl Outage {
    /// How long it lasted, counting until `end` when it did not end.
    #[must_use]
    pub fn duration(&self, end: Instant) -> Duration {
        self.until.unwrap_or(end).since(self.from)
    }
}

/// A stretch of time in which both nodes answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Its begin.
    pub from: Instant,
    /// Its end.
    pub until: Instant,
}

/// The good answers of one kind of probe, by the time they arrived.
fn answers(samples: &[Sample], probe: Probe) -> Vec<(Instant, Host)> {
    let mut all: Vec<_> = samples
        .iter()
        .filter(|s| s.probe == probe)
        .filter_map(Sample::good)
        .collect();
    all.sort_unstable();
    all
}

/// When the unanswered probes of one kind were sent, in order.
fn failures(samples: &[Sample], probe: Probe) -> Vec<Instant> {
    let mut all: Vec<_> = samples
        .iter()
        .filter(|s| s.probe == probe && s.failed())
        .map(|s| s.sent)
        .collect();
    all.sort_unstable();
    all
}

/// Whether a failure lies strictly between two times; both lists are sorted.
fn failed_between(failures: &[Instant], from: Instant, until: Instant) -> bool {
    let first = failures.partition_point(|&sent| sent <= from);
    failures.get(first).is_some_and(|&sent| sent < until)
}

/// The outages of one kind of probe.
///
/// A pause between two answers is an outage only when a probe sent within it failed: a client that was
/// itself held up for a moment saw none.
#[must_use]
pub fn outages(samples: &[Sample], probe: Probe) -> Vec<Outage> {
    let answers = answers(samples, probe);
    let failures = failures(samples, probe);
    let mut found: Vec<Outage> = answers
        .windows(2)
        .filter_map(|pair| match pair {
            [(from, _), (until, _)] if failed_between(&failures, *from, *until) => Some(Outage {
                from: *from,
                until: Some(*until),
            }),
            _ => None,
        })
        .collect();
    if let (Some(&(last, _)), Some(&failed)) = (answers.last(), failures.last())
        && failed > last
    {
        found.push(Outage {
            from: last,
            until: None,
        });
    }
    found
}

/// The longest outage that touches the time from `from` to `until`; zero when there was none.
#[must_use]
pub fn longest_outage(samples: &[Sample], probe: Probe, from: Instant, until: Instant) -> Duration {
    outages(samples, probe)
        .into_iter()
        .filter(|outage| outage.from <= until && outage.until.is_none_or(|end| end >= from))
        .map(|outage| outage.duration(until))
        .max()
        .unwrap_or(Duration::ZERO)
}

/// Who answered, one span after the other; a failed probe or another node's answer ends a span.
#[must_use]
pub fn spans(samples: &[Sample], probe: Probe) -> Vec<Span> {
    let failures = failures(samples, probe);
    let mut spans: Vec<Span> = Vec::new();
    for (at, host) in answers(samples, probe) {
        match spans.last_mut() {
            Some(span) if span.host == host && !failed_between(&failures, span.until, at) => {
                span.until = at;
            }
            _ => spans.push(Span {
                host,
                from: at,
                until: at,
            }),
        }
    }
    spans
}

/// When a neighbour's questions for the service address were each answered by both nodes.
///
/// The address may move as fast as it likes: only two answers to the same question are a conflict.
#[must_use]
pub fn overlaps(samples: &[Sample]) -> Vec<Overlap> {
    let mut answers: Vec<(Instant, Host)> = samples
        .iter()
        .filter(|sample| sample.probe == Probe::Arp)
        .filter_map(|sample| Some((sample.sent, sample.by?)))
        .collect();
    answers.sort_unstable();
    let mut found: Vec<Overlap> = Vec::new();
    for pair in answers.windows(2) {
        let [(asked, one), (again, other)] = *pair else {
            continue;
        };
        if asked != again || one == other {
            continue;
        }
        match found.last_mut() {
            Some(last) if asked.since(last.until) <= OVERLAP_GAP_MAX => last.until = asked,
            _ => found.push(Overlap {
                from: asked,
                until: asked,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    /// Samples every 5 ms from a drawing: `1` and `2` are answers, `-` is none, a blank is no probe at all.
    fn draw(probe: Probe, drawing: &str) -> Vec<Sample> {
        drawing
            .chars()
            .zip(0_u64..)
            .filter(|(mark, _)| *mark != ' ')
            .map(|(mark, slot)| {
                let by = match mark {
                    '1' => Some(Host::First),
                    '2' => Some(Host::Second),
                    _ => None,
                };
                let sent = at(slot * 5);
                Sample {
                    probe,
                    sent,
                    answered: by.map(|_| sent),
                    by,
                }
            })
            .collect()
    }

    /// Aim: an outage runs from the last good answer to the first good one after it.
    #[test]
    fn outage_between_answers() {
        let samples = draw(Probe::Http, "111----222");
        assert_eq!(
            outages(&samples, Probe::Http),
            [Outage {
                from: at(10),
                until: Some(at(35))
            }]
        );
        assert_eq!(
            longest_outage(&samples, Probe::Http, at(0), at(45)),
            Duration::from_millis(25)
        );
        assert_eq!(outages(&samples, Probe::Echo), []);
    }

    /// Aim: a client that did not ask for a while reports no outage.
    #[test]
    fn pause_of_the_client_is_no_outage() {
        assert_eq!(outages(&draw(Probe::Http, "11       11"), Probe::Http), []);
    }

    /// Aim: an outage that never ends is seen, and counts up to the end of the question.
    #[test]
    fn outage_without_end() {
        let samples = draw(Probe::Http, "11----");
        assert_eq!(
            outages(&samples, Probe::Http),
            [Outage {
                from: at(5),
                until: None
            }]
        );
        assert_eq!(
            longest_outage(&samples, Probe::Http, at(10), at(105)),
            Duration::from_millis(100)
        );
    }

    /// Aim: an outage before the time asked about does not count.
    #[test]
    fn outage_elsewhere() {
        let samples = draw(Probe::Http, "1--1111111");
        assert_eq!(
            longest_outage(&samples, Probe::Http, at(20), at(45)),
            Duration::ZERO
        );
    }

    /// Aim: spans follow the node that answers and break at a failure.
    #[test]
    fn spans_follow_the_holder() {
        let spans = spans(&draw(Probe::Http, "11-1222"), Probe::Http);
        let expected = [
            Span {
                host: Host::First,
                from: at(0),
                until: at(5),
            },
            Span {
                host: Host::First,
                from: at(15),
                until: at(15),
            },
            Span {
                host: Host::Second,
                from: at(20),
                until: at(30),
            },
        ];
        assert_eq!(spans, expected);
    }

    /// Aim: a hand-over is no overlap, however quick; two answers to one question are.
    #[test]
    fn overlap_needs_both() {
        assert_eq!(overlaps(&draw(Probe::Arp, "1111222112")), []);
        let mut both = draw(Probe::Arp, "11111111");
        both.extend(draw(Probe::Arp, "    22"));
        let expected = Overlap {
            from: at(20),
            until: at(25),
        };
        assert_eq!(overlaps(&both), [expected]);
        let twice = [draw(Probe::Arp, "11"), draw(Probe::Arp, "11")].concat();
        assert_eq!(overlaps(&twice), []);
        let mut http = draw(Probe::Http, "11");
        http.extend(draw(Probe::Http, "22"));
        assert_eq!(overlaps(&http), []);
    }
}
