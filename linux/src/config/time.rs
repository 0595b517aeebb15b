//! Times as ha.cf writes them: the original's `2`, `0.5`, `200ms`, `500us`, and also `2s`, `1m`, `1h`.

use systole_core::time::Duration;

/// The longest time that is taken: nobody wants a node to be dead for longer without knowing.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// It does not begin with a number.
    Number,
    /// It is below zero.
    Negative,
    /// What follows the number is no unit.
    Unit,
    /// Another number follows.
    Several,
    /// It is longer than a day.
    TooLong,
}

impl TimeError {
    /// How to mend it.
    pub(crate) const fn help(self) -> &'static str {
        match self {
            Self::TooLong => "write a shorter time; to stop for maintenance stop the daemon",
            Self::Several => "keep the one that is meant",
            Self::Number | Self::Negative | Self::Unit => {
                "write seconds (`2`, `0.5`) or a unit: `200ms`, `2s`, `1m`"
            }
        }
    }

    /// What is wrong, for the label.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Number => "not a number with an optional unit",
            Self::Negative => "below zero",
            Self::Unit => "unknown unit",
            Self::Several => "more than one value",
            Self::TooLong => "longer than 24 hours",
        }
    }
}

/// A time in whole milliseconds, and whether it had to be rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) time: Duration,
    pub(crate) rounded: bool,
}

/// Reads a time: a number, perhaps with a fraction, and a unit; without one, seconds.
///
/// It is rounded to the nearest millisecond, halves upwards, as the original does.
pub(crate) fn parse(text: &str) -> Result<Parsed, TimeError> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(TimeError::Negative);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(TimeError::Number);
    }
    let unit = unit.trim();
    if unit.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(TimeError::Several);
    }
    let nanos_per_unit = unit_nanos(unit).ok_or(TimeError::Unit)?;
    let digits = |digits: &str| {
        if digits.is_empty() {
            Ok(0)
        } else {
            digits.parse::<u64>().map_err(|_| TimeError::TooLong)
        }
    };
    // Twelve digits of a fraction are finer than a nanosecond of the longest unit.
    let fraction = fraction.get(..12).unwrap_or(fraction);
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let nanos = u128::from(digits(whole)?)
        .saturating_mul(nanos_per_unit)
        .saturating_add(u128::from(digits(fraction)?).saturating_mul(nanos_per_unit) / scale);
    let millis =
        u64::try_from(nanos.saturating_add(500_000) / 1_000_000).map_err(|_| TimeError::TooLong)?;
    let time = Duration::from_millis(millis);
    if time > LONGEST {
        return Err(TimeError::TooLong);
    }
    Ok(Parsed {
        time,
        rounded: u128::from(millis).saturating_mul(1_000_000) != nanos,
    })
}

/// Nanoseconds of a unit.
fn unit_nanos(unit: &str) -> Option<u128> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "us" | "\u{b5}s" | "usec" | "usecs" | "microsecond" | "microseconds" => 1_000,
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1_000_000,
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Shows a time the way an administrator writes it: `2s`, `350ms`.
pub(crate) fn show(time: Duration) -> String {
    if time.as_millis().is_multiple_of(1_000) {
        format!("{}s", time.as_secs())
    } else {
        format!("{}ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Result<u64, TimeError> {
        parse(text).map(|parsed| parsed.time.as_millis())
    }

    /// Aim: the original's forms and ours mean what they say.
    #[test]
    fn forms() {
        for (text, expected) in [
            ("2", 2_000),
            (" 2 ", 2_000),
            ("0.5", 500),
            (".5", 500),
            ("5.", 5_000),
            ("200ms", 200),
            ("200 msec", 200),
            ("1.5ms", 2),
            ("500us", 1),
            ("499us", 0),
            ("1500 usec", 2),
            ("2s", 2_000),
            ("2 s", 2_000),
            ("1m", 60_000),
            ("1.5 min", 90_000),
            ("1h", 3_600_000),
            ("24h", 86_400_000),
            ("0.0000000000000000001", 0),
            ("+3", 3_000),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
    }

    /// Aim: what is no time is refused with its reason.
    #[test]
    fn refusals() {
        for (text, error) in [
            ("", TimeError::Number),
            (".", TimeError::Number),
            ("1.2.3", TimeError::Number),
            ("two", TimeError::Number),
            ("-2", TimeError::Negative),
            ("2x", TimeError::Unit),
            ("2 3", TimeError::Several),
            ("86401", TimeError::TooLong),
            ("99999999999999999999999h", TimeError::TooLong),
        ] {
            assert_eq!(millis(text), Err(error), "{text}");
        }
    }

    /// Aim: rounding is noticed, and only then.
    #[test]
    fn rounding_is_told() {
        assert!(parse("500us").unwrap().rounded);
        assert!(!parse("2").unwrap().rounded);
        assert!(!parse("0.001").unwrap().rounded);
    }
}
