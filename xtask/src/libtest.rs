//! Reading what `cargo test` prints.

use core::ops::AddAssign;

/// Tests that ran, summed over any number of test binaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that did not run.
    pub(crate) ignored: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// Sums every `test result:` line of `output`.
pub(crate) fn counts(output: &str) -> Counts {
    let mut sum = Counts::default();
    for line in output.lines() {
        if let Some(one) = line
            .trim()
            .strip_prefix("test result: ")
            .and_then(result_line)
        {
            sum += one;
        }
    }
    sum
}

/// `ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn result_line(text: &str) -> Option<Counts> {
    let (_, numbers) = text.split_once(". ")?;
    let number_of = |word: &str| {
        numbers.split(';').find_map(|part| {
            let (number, name) = part.trim().split_once(' ')?;
            (name == word).then(|| number.parse().ok())?
        })
    };
    Some(Counts {
        passed: number_of("passed")?,
        failed: number_of("failed")?,
        ignored: number_of("ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 2 tests
test time::tests::saturates ... ok
test result: words in a test's own output

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 4 tests
test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.20s
";

    /// Aim: the sum covers all binaries, failed and ignored tests, and no other line.
    #[test]
    fn sums_all_binaries() {
        assert_eq!(
            counts(OUTPUT),
            Counts {
                passed: 3,
                failed: 2,
                ignored: 1
            }
        );
    }

    /// Aim: output without a result line counts nothing, so that "nothing ran" can be refused.
    #[test]
    fn nothing_ran() {
        assert_eq!(counts("error: could not compile"), Counts::default());
        assert_eq!(
            counts("test result: ok. five passed; 0 failed; 0 ignored"),
            Counts::default()
        );
    }
}
