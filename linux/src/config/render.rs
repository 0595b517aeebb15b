//! Shows diagnostics: compiler style for people, JSON for programs.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::diag::{Diagnostic, Severity, Source, Sources, Span};

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

/// The lines that a diagnostic points at; rendering shall not walk through a whole long file.
fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    span: &Span,
    source: &'a Source,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = source.shown.as_str();
    let related = diagnostic.related.as_ref();
    let first = related.map_or(span.start, |(other, _)| other.start.min(span.start));
    let last = related.map_or(span.end, |(other, _)| other.end.max(span.end));
    let before = text.get(..first).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let after = text.get(last..).unwrap_or_default();
    let rest = after.split('\n').next().unwrap_or_default();
    let end = last.saturating_add(rest.trim_end_matches('\r').len());
    let within = |span: &Span| span.start.saturating_sub(start)..span.end.saturating_sub(start);

    let mut primary = AnnotationKind::Primary.span(within(span));
    if !diagnostic.label.is_empty() {
        primary = primary.label(printable(&diagnostic.label));
    }
    let mut snippet = Snippet::source(text.get(start..end).unwrap_or_default())
        .line_start(before.matches('\n').count().saturating_add(1))
        .annotation(primary);
    if let Some((span, label)) = related {
        let context = AnnotationKind::Context.span(within(span));
        snippet = snippet.annotation(context.label(printable(label)));
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
    use super::super::diag::File;
    use super::*;

    /// Aim: places are counted from 1, in lines and characters.
    #[test]
    fn places() {
        assert_eq!(line_and_column("ab\ncd", 0), (1, 1));
        assert_eq!(line_and_column("ab\ncd", 4), (2, 2));
        assert_eq!(line_and_column("\u{e4}b", 2), (1, 2));
    }

    /// Aim: colours come only when asked for, and change nothing but colours.
    #[test]
    fn colours() {
        let said = [Diagnostic::error(File::HaCf, "no")
            .at(&(2..3), "here")
            .help("mend")];
        let mut sources = Sources::default();
        sources.ha_cf.shown = "a b\n".to_owned();
        let plain = render(&said, &sources, Style::Plain);
        let coloured = render(&said, &sources, Style::Coloured);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        let mut rest = coloured.as_str();
        let mut bare = String::new();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        assert_eq!(bare + rest, plain);
    }

    /// Aim: what a file holds cannot steer the terminal.
    #[test]
    fn control_characters_are_masked() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a?[2Jb");
    }
}
