//! The one table: a row for each figure, a column for each contender, ours judged by its bound.

use core::fmt::Write as _;

use serde::Serialize;

use crate::series::Series;

/// One figure of everybody.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    /// What our worst value may be.
    pub(crate) bound: Option<f64>,
    /// Ours first, in the order of the columns; none where it was not measured.
    pub(crate) figures: Vec<Option<Series>>,
}

impl Row {
    /// Whether our worst value is within the bound; without a bound there is nothing to miss.
    pub(crate) fn met(&self) -> bool {
        match (self.bound, self.figures.first()) {
            (Some(bound), Some(Some(ours))) => ours.max <= bound,
            (Some(_), _) => false,
            (None, _) => true,
        }
    }

    fn ours(&self) -> Option<f64> {
        self.figures.first()?.as_ref().map(|series| series.median)
    }
}

/// Everything measured in one run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    /// The columns: ours first.
    pub(crate) contenders: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// What else must be known to read it.
    pub(crate) notes: Vec<String>,
}

impl Table {
    /// The rows whose bound we miss.
    pub(crate) fn missed(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| !row.met()).collect()
    }

    /// The table as Markdown, which reads as well on a screen.
    pub(crate) fn draw(&self) -> String {
        let heads = ["", "bound"].map(str::to_owned).into_iter();
        let mut lines = vec![heads.chain(self.contenders.iter().cloned()).collect()];
        lines.extend(self.rows.iter().map(cells));
        let mut text = align(&lines);
        for note in &self.notes {
            let _ = write!(text, "\n- {note}");
        }
        text
    }
}

fn cells(row: &Row) -> Vec<String> {
    let bound = row.bound.map_or_else(String::new, |bound| {
        let verdict = if row.met() { "met" } else { "MISSED" };
        format!("≤ {}, {verdict}", number(bound))
    });
    let ours = row.ours();
    let figures = row.figures.iter().enumerate().map(|(column, figure)| {
        let Some(series) = figure else {
            return String::new();
        };
        let beside = ours.filter(|_| column > 0);
        beside.map_or_else(
            || spread(series),
            |ours| format!("{}{}", spread(series), ratio(series.median, ours)),
        )
    });
    let title = format!("{}, {}", row.title, row.unit);
    [title, bound].into_iter().chain(figures).collect()
}

/// The median and, of several values, the extremes.
fn spread(series: &Series) -> String {
    let Series {
        median, min, max, ..
    } = series;
    if series.values.len() == 1 {
        number(*median)
    } else {
        format!("{} ({} to {})", number(*median), number(*min), number(*max))
    }
}

/// How many times ours a figure is.
fn ratio(theirs: f64, ours: f64) -> String {
    if ours <= 0.0 {
        return String::new();
    }
    format!(", {}×", number(theirs / ours))
}

/// Three digits that count.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        ..1.0 => 3,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    if digits > 0 {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell: &String| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if index == 0 {
            for width in &widths {
                let _ = write!(text, "|{:-<1$}", "", width + 2);
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bound: Option<f64>, figures: &[Option<&[f64]>]) -> Row {
        Row {
            title: "power cut".to_owned(),
            unit: "ms",
            bound,
            figures: figures
                .iter()
                .map(|values| Series::new(values.unwrap_or_default().to_vec()))
                .collect(),
        }
    }

    /// Aim: our worst value decides, not the median and not a peer's; what is not measured is not met.
    #[test]
    fn worst_of_ours_decides() {
        assert!(row(Some(560.0), &[Some(&[400.0, 560.0]), Some(&[900.0])]).met());
        assert!(!row(Some(560.0), &[Some(&[400.0, 410.0, 561.0]), None]).met());
        assert!(!row(Some(560.0), &[None, Some(&[1.0])]).met());
        assert!(row(None, &[Some(&[9e9])]).met());
    }

    /// Aim: the whole table, as it is printed: bounds, ranges, ratios to ours, gaps.
    #[test]
    fn drawn() {
        let table = Table {
            contenders: vec!["Systole".to_owned(), "another".to_owned()],
            rows: vec![
                row(Some(560.0), &[Some(&[400.0, 450.0, 600.0]), Some(&[900.0])]),
                row(None, &[Some(&[0.0]), None]),
            ],
            notes: vec!["one".to_owned()],
        };
        let expected = "\
|               | bound         | Systole          | another |
|---------------|---------------|------------------|---------|
| power cut, ms | ≤ 560, MISSED | 450 (400 to 600) | 900, 2× |
| power cut, ms |               | 0                |         |

- one";
        assert_eq!(table.draw(), expected);
        assert_eq!(table.missed().len(), 1);
    }

    /// Aim: small figures keep digits, so that one just above its bound shows it; large ones do not
    /// pretend to have any.
    #[test]
    fn numbers() {
        let texts = [0.0, 0.1008, 0.5, 2.25, 13.0, 459.6].map(number);
        assert_eq!(texts, ["0", "0.101", "0.5", "2.2", "13", "460"]);
    }
}
