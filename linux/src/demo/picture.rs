//! The timeline: who held the address and who answered the client, as one row of characters each.

use core::fmt::Write as _;

use systole_core::time::{Duration, Instant};

use super::analysis::{Outage, Span, outages, spans};
use super::sample::{Host, Probe, Sample};
use super::screen::{Style, Tone};

/// Room for the names at the left.
const MARGIN: usize = 10;

/// What is to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Picture<'a> {
    pub(super) from: Instant,
    pub(super) until: Instant,
    /// When each numbered step began.
    pub(super) steps: &'a [Instant],
    /// When which daemon ran.
    pub(super) runs: &'a [Span],
    pub(super) samples: &'a [Sample],
}

/// One character of a row, before it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Nothing,
    Running,
    Holding,
    Served(Host),
    Outage,
}

impl Picture<'_> {
    /// The lines of the picture.
    pub(super) fn draw(&self, style: Style) -> Vec<String> {
        let width = style.columns - MARGIN;
        let step = Duration::from_micros(
            self.until.since(self.from).as_micros() / u64::try_from(width).unwrap_or(1) + 1,
        );
        let mut lines = vec![self.marks(width, step)];
        let held = spans(self.samples, Probe::Arp);
        for host in Host::BOTH {
            let cells = (0..width).map(|column| {
                let (from, until) = self.slot(column, step);
                if any(&held, host, from, until) {
                    Cell::Holding
                } else if any(self.runs, host, from, until) {
                    Cell::Running
                } else {
                    Cell::Nothing
                }
            });
            lines.push(row(host.name(), cells, style));
        }
        lines.push(row("client", self.client(width, step).into_iter(), style));
        lines.push(axis(width, step));
        lines.push(legend(style, step));
        lines
    }

    fn slot(&self, column: usize, step: Duration) -> (Instant, Instant) {
        let column = u64::try_from(column).unwrap_or_default();
        (
            self.from + step.times(column),
            self.from + step.times(column + 1),
        )
    }

    fn column(&self, at: Instant, step: Duration) -> usize {
        let column = at.since(self.from).as_micros() / step.as_micros().max(1);
        usize::try_from(column).unwrap_or(usize::MAX)
    }

    fn marks(&self, width: usize, step: Duration) -> String {
        let mut line = vec![' '; width];
        for (at, digit) in self.steps.iter().zip('1'..='9') {
            if let Some(cell) = line.get_mut(self.column(*at, step)) {
                *cell = digit;
            }
        }
        let line: String = line.into_iter().collect();
        format!("{:MARGIN$}{}", "step", line.trim_end())
    }

    fn client(&self, width: usize, step: Duration) -> Vec<Cell> {
        let answers = spans(self.samples, Probe::Http);
        let outages = outages(self.samples, Probe::Http);
        let out = |from: Instant, until: Instant| {
            outages.iter().any(
                |Outage {
                     from: begin,
                     until: end,
                 }| { *begin < until && end.is_none_or(|end| end > from) },
            )
        };
        (0..width)
            .map(|column| {
                let (from, until) = self.slot(column, step);
                // However short, an outage is shown.
                if out(from, until) {
                    return Cell::Outage;
                }
                let server = Host::BOTH
                    .into_iter()
                    .find(|host| any(&answers, *host, from, until));
                server.map_or(Cell::Nothing, Cell::Served)
            })
            .collect()
    }
}

/// Whether one of the node's spans touches the time from `from` to before `until`.
fn any(spans: &[Span], host: Host, from: Instant, until: Instant) -> bool {
    spans
        .iter()
        .any(|span| span.host == host && span.from < until && span.until >= from)
}

fn character(cell: Cell, unicode: bool) -> char {
    match (cell, unicode) {
        (Cell::Nothing, _) => ' ',
        (Cell::Running, true) => '─',
        (Cell::Running, false) => '-',
        (Cell::Holding, true) => '█',
        (Cell::Holding, false) => '#',
        (Cell::Served(host), _) => char::from(b'0' + host.number()),
        (Cell::Outage, true) => '×',
        (Cell::Outage, false) => 'x',
    }
}

fn row(name: &str, cells: impl Iterator<Item = Cell>, style: Style) -> String {
    let mut line = format!("{name:MARGIN$}");
    let cells: Vec<Cell> = cells.collect();
    for run in cells.chunk_by(|a, b| a == b) {
        let text: String = run
            .iter()
            .map(|cell| character(*cell, style.unicode))
            .collect();
        let tone = match run.first() {
            Some(Cell::Holding | Cell::Served(_)) => Tone::Good,
            Some(Cell::Outage) => Tone::Bad,
            Some(Cell::Nothing | Cell::Running) | None => Tone::Plain,
        };
        line.push_str(&style.paint(tone, &text));
    }
    line.trim_end().to_owned()
}

/// Seconds below the rows, at a distance that leaves room for the figures.
fn axis(width: usize, step: Duration) -> String {
    const ROOM: u64 = 8;
    let least = step.as_micros().saturating_mul(ROOM);
    let every = [1_u64, 2, 5, 10, 20, 50, 100, 200, 500]
        .into_iter()
        .find(|seconds| seconds * 1_000_000 >= least)
        .unwrap_or(1_000);
    let mut line = format!("{:MARGIN$}", "seconds");
    for seconds in (0..).map(|count| count * every) {
        let column = usize::try_from(seconds * 1_000_000 / step.as_micros().max(1));
        let at = MARGIN + column.unwrap_or(usize::MAX - MARGIN);
        let text = seconds.to_string();
        if at + text.len() > MARGIN + width {
            break;
        }
        let _ = write!(
            line,
            "{:gap$}{text}",
            "",
            gap = at.saturating_sub(line.len())
        );
    }
    line
}

fn legend(style: Style, step: Duration) -> String {
    let [holding, running, outage] =
        [Cell::Holding, Cell::Running, Cell::Outage].map(|cell| character(cell, style.unicode));
    format!(
        "{holding} address here  {running} standing by  1 2 who answers  \
         {outage} no answer  ({step} a column)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    fn sample(probe: Probe, millis: u64, by: Option<Host>) -> Sample {
        Sample {
            probe,
            sent: at(millis),
            answered: by.map(|_| at(millis)),
            by,
        }
    }

    /// Aim: the picture of a takeover, as a reader should see it, in plain characters.
    #[test]
    fn a_takeover() {
        let (one, two) = (Some(Host::First), Some(Host::Second));
        let mut samples = Vec::new();
        for slot in 0..400 {
            let by = match slot {
                0..=19 | 200..=220 => None,
                20..=199 => one,
                _ => two,
            };
            samples.push(sample(Probe::Http, slot * 10, by));
            samples.push(sample(Probe::Arp, slot * 10, by));
        }
        let picture = Picture {
            from: at(0),
            until: at(4_000),
            steps: &[at(0), at(1_995)],
            runs: &[
                Span {
                    host: Host::First,
                    from: at(0),
                    until: at(1_990),
                },
                Span {
                    host: Host::Second,
                    from: at(100),
                    until: at(4_000),
                },
            ],
            samples: &samples,
        };
        let style = Style {
            colour: false,
            unicode: false,
            columns: 50,
        };
        let drawn = picture.draw(style).join("\n");
        let expected = "\
step      1                  2
rproxy1   -###################
rproxy2   ----------------------##################
client     111111111111111111xxxx22222222222222222
seconds   0        1         2         3         4
# address here  - standing by  1 2 who answers  x no answer  (100ms a column)";
        assert_eq!(drawn, expected);
    }

    /// Aim: without colours there is no escape character, in unicode neither.
    #[test]
    fn no_colour_no_escapes() {
        let picture = Picture {
            from: at(0),
            until: at(10),
            steps: &[],
            runs: &[],
            samples: &[],
        };
        for unicode in [false, true] {
            let style = Style {
                colour: false,
                unicode,
                columns: 80,
            };
            assert!(
                picture
                    .draw(style)
                    .iter()
                    .all(|line| !line.contains('\x1b'))
            );
        }
    }
}
