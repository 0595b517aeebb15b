//! Measured values of one kind, and what is said of them.

use serde::Serialize;
use systole_core::time::Duration;

/// The values of several runs, sorted; there is at least one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Series {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) values: Vec<f64>,
}

impl Series {
    /// `None` without any value.
    pub(crate) fn new(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(*values.get(middle - 1)?, upper)
        };
        Some(Self {
            median,
            min,
            max,
            values,
        })
    }
}

/// A time in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    // Twelve days in microseconds fit exactly.
    f64::from(u32::try_from(time.as_micros() / 10).unwrap_or(u32::MAX)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the median is the middle one, or between the two in the middle; nothing is said about nothing.
    #[test]
    fn medians() {
        let median = |values: &[f64]| Series::new(values.to_vec()).map(|s| s.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 5.0, 6.0]), Some(5.5));
    }

    /// Aim: the extremes are those of the values, whatever their order.
    #[test]
    fn extremes() {
        let series = Series::new(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((series.min, series.max), (1.0, 3.0));
    }

    /// Aim: times keep a hundredth of a millisecond.
    #[test]
    fn milliseconds() {
        assert!((millis(Duration::from_micros(12_345)) - 12.34).abs() < 1e-9);
    }
}
