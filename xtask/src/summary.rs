//! What `test` and `ci` end with: one row per stage, then one plain line.

use core::time::Duration;

use anyhow::{Result, bail};

use crate::libtest::Counts;

/// One stage that has run.
pub(crate) struct Stage {
    /// What was run.
    pub(crate) name: &'static str,
    /// What it counted; `None` for a stage that is one check.
    pub(crate) counts: Option<Counts>,
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Everything that has run.
#[derive(Default)]
pub(crate) struct Summary(pub(crate) Vec<Stage>);

impl Summary {
    /// The table and the closing line. A stage without tests of its own counts as one.
    pub(crate) fn render(&self) -> String {
        let mut sum = Counts::default();
        let row = |stage: &Stage| {
            let counts = stage.total();
            sum += counts;
            let why = stage.failure.as_deref().unwrap_or_default();
            let (passed, failed, seconds) = (counts.passed, counts.failed, stage.took.as_secs());
            format!(
                "{:<20}{passed:>8}{failed:>8}{seconds:>9}  {why}\n",
                stage.name
            )
        };
        let rows: String = self.0.iter().map(row).collect();
        let head = format!(
            "{:<20}{:>8}{:>8}{:>9}",
            "stage", "passed", "failed", "seconds"
        );
        format!(
            "\n{head}\n{rows}\n{} passed, {} failed\n",
            sum.passed, sum.failed
        )
    }

    /// Prints it; an error when any stage failed.
    pub(crate) fn finish(&self) -> Result<()> {
        print!("{}", self.render());
        let failed: Vec<_> = self
            .0
            .iter()
            .filter(|stage| stage.failure.is_some())
            .map(|stage| stage.name)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        bail!("failed: {}", failed.join(", "))
    }
}

impl Stage {
    /// Its tests, and the stage itself when it failed without a failed test or has none.
    fn total(&self) -> Counts {
        let mut counts = self.counts.unwrap_or_default();
        match (&self.failure, counts.failed, self.counts) {
            (Some(_), 0, _) => counts.failed = 1,
            (None, _, None) => counts.passed = 1,
            _ => {}
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &'static str, counts: Option<Counts>, failure: Option<&str>) -> Stage {
        Stage {
            name,
            counts,
            failure: failure.map(Into::into),
            took: Duration::from_secs(7),
        }
    }

    /// Aim: the last line sums tests and single checks.
    #[test]
    fn closing_line_sums() {
        let tests = Counts {
            passed: 40,
            failed: 0,
            ignored: 0,
        };
        let summary = Summary(vec![
            stage("nostd", None, None),
            stage("tests", Some(tests), None),
        ]);
        assert!(
            summary.render().ends_with("\n41 passed, 0 failed\n"),
            "{}",
            summary.render()
        );
        assert!(summary.finish().is_ok());
    }

    /// Aim: a stage that fails without a failed test (it did not compile) still counts as failed.
    #[test]
    fn a_failed_stage_is_never_zero_failed() {
        let none = Some(Counts::default());
        let summary = Summary(vec![stage("tests", none, Some("did not compile"))]);
        assert!(
            summary.render().ends_with("\n0 passed, 1 failed\n"),
            "{}",
            summary.render()
        );
        assert!(
            summary
                .finish()
                .unwrap_err()
                .to_string()
                .contains("failed: tests")
        );
    }
}
