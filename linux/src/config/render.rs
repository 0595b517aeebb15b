//! Shows diagnostics: compiler style for people, JSON for programs.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::diag::{Diagnostic, Severity, Source, Sources};

/// Whether rendered text carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain ASCII.
    Plain,
    /// Coloured, for a terminal.
    Coloured,
}

impl Style {
    /// Colours when `stream` is a terminal and `NO_COLOR` is not set.
    #[must_use]
    pub fn of(stream: &impl std::io::IsTerminal) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stream.is_terminal() && !refused {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// As [`Style::of`] for standard output.
    #[must_use]
    pub fn of_stdout() -> Self {
        Self::of(&std::io::stdout())
    }
}

/// Renders all diagnostics, a blank line after each.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render_one(diagnostic, sources, &renderer));
        text.push_str("\n\n");
    }
    text
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(printable(&diagnostic.title)));
    if let Some(file) = diagnostic.file {
        let source = sources.of(file);
        let path = source.path.display().to_string();
        group = match &diagnostic.span {
            Some(span) => group.element(snippet(diagnostic, span, source).path(path)),
            None => group.element(Origin::path(path)),
        };
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(printable(&diagnostic.help)));
    }
    renderer.render(&[group])
}

fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    span: &core::ops::Range<usize>,
    source: &'a Source,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let primary = AnnotationKind::Primary.span(span.clone());
    let primary = if diagnostic.label.is_empty() {
        primary
    } else {
        primary.label(printable(&diagnostic.label))
    };
    let mut snippet = Snippet::source(source.shown.as_str()).annotation(primary);
    if let Some((span, label)) = &diagnostic.related {
        snippet = snippet.annotation(
            AnnotationKind::Context
                .span(span.clone())
                .label(printable(label)),
        );
    }
    snippet
}

/// Keeps control characters of the files away from the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { '?' } else { c })
        .collect()
}

/// A diagnostic as `--json` writes it.
#[derive(Debug, Serialize)]
pub struct Json<'a> {
    /// The file's path; absent for the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// `error`, `warning` or `note`.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'a str,
    /// What is seen at that place.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub label: &'a str,
    /// How to mend it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub help: &'a str,
}

impl<'a> Json<'a> {
    /// Makes the JSON form of a diagnostic.
    #[must_use]
    pub fn of(diagnostic: &'a Diagnostic, sources: &Sources) -> Self {
        let source = diagnostic.file.map(|file| sources.of(file));
        let place = source
            .zip(diagnostic.span.as_ref())
            .map(|(source, span)| line_and_column(&source.shown, span.start));
        Self {
            file: source.map(|source| source.path.display().to_string()),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            severity: diagnostic.severity,
            message: &diagnostic.title,
            label: &diagnostic.label,
            help: &diagnostic.help,
        }
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let lines = before.matches('\n').count();
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (lines.saturating_add(1), column.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: places are counted from 1, in lines and characters.
    #[test]
    fn places() {
        assert_eq!(line_and_column("ab\ncd", 0), (1, 1));
        assert_eq!(line_and_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_and_column("\u{e4}b", 2), (1, 2));
    }

    /// Aim: what a file holds cannot steer the terminal.
    #[test]
    fn control_characters_are_masked() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a?[2Jb");
    }
}
