//! The table at the end: each step, what the client saw, and what to expect.

use systole_core::time::Duration;

use super::screen::{Style, Tone};
use super::story::Step;

/// The lines of the table.
pub(super) fn draw(steps: &[Step], style: Style) -> Vec<String> {
    let mut lines = vec![format!(
        "   {:<32}{:>10}{:>10}   {}",
        "the client had no answer for", "address", "HTTP", "expected of the address"
    )];
    for (step, number) in steps.iter().zip(1..) {
        let good = step.address <= step.expected;
        let verdict = if good { Tone::Good } else { Tone::Bad };
        let remark = if good { "" } else { ", missed" };
        lines.push(format!(
            "{number}  {:<32}{}{:>10}   {}",
            step.title,
            style.paint(verdict, &format!("{:>10}", length(step.address))),
            length(step.http),
            style.paint(verdict, &format!("at most {}{remark}", step.expected)),
        ));
    }
    lines
}

fn length(time: Duration) -> String {
    if time == Duration::ZERO {
        "none".to_owned()
    } else {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use systole_core::time::Instant;

    use super::*;

    /// Aim: figures stand below each other, and a missed expectation is marked.
    #[test]
    fn marks_what_is_missed() {
        let step = |address, http| Step {
            title: "power cut",
            began: Instant::default(),
            expected: Duration::from_millis(560),
            address: Duration::from_millis(address),
            http: Duration::from_millis(http),
        };
        let style = Style {
            colour: false,
            unicode: false,
            columns: 80,
        };
        let expected = "   \
the client had no answer for       address      HTTP   expected of the address
1  power cut                             none     534ms   at most 560ms
2  power cut                            600ms     700ms   at most 560ms, missed";
        let drawn = draw(&[step(0, 534), step(600, 700)], style).join("\n");
        assert_eq!(drawn, expected);
    }
}
