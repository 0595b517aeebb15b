//! What can be said about the three files: diagnostics, and the texts they point into.

use core::ops::Range;
use std::path::PathBuf;

use serde::Serialize;

/// Bytes of a source text.
pub type Span = Range<usize>;

/// How bad it is. The order is that of gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The daemon does not start with it.
    Error,
    /// It works, but perhaps not as meant.
    Warning,
    /// Worth knowing; nothing needs to be done.
    Note,
}

/// One of the three files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// ha.cf
    HaCf,
    /// haresources
    Haresources,
    /// authkeys
    Authkeys,
}

impl File {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 3] = [Self::HaCf, Self::Haresources, Self::Authkeys];

    /// Its name in the configuration directory.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HaCf => "ha.cf",
            Self::Haresources => "haresources",
            Self::Authkeys => "authkeys",
        }
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file it is about; `None` means the machine.
    pub file: Option<File>,
    /// Where in the file; `None` means the file as a whole.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub title: String,
    /// What is seen at the span.
    pub label: String,
    /// Another place in the same file that has to do with it, and how.
    pub related: Option<(Span, String)>,
    /// How to mend it; empty when nothing needs to be done.
    pub help: String,
}

impl Diagnostic {
    fn new(severity: Severity, file: Option<File>, title: impl Into<String>) -> Self {
        Self {
            severity,
            file,
            span: None,
            title: title.into(),
            label: String::new(),
            related: None,
            help: String::new(),
        }
    }

    /// Starts an error about a file.
    pub(crate) fn error(file: File, title: impl Into<String>) -> Self {
        Self::new(Severity::Error, Some(file), title)
    }

    /// Starts a warning about a file.
    pub(crate) fn warning(file: File, title: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Some(file), title)
    }

    /// Starts a note about a file.
    pub(crate) fn note(file: File, title: impl Into<String>) -> Self {
        Self::new(Severity::Note, Some(file), title)
    }

    /// Starts an error or warning about the machine.
    pub(crate) fn machine(severity: Severity, title: impl Into<String>) -> Self {
        Self::new(severity, None, title)
    }

    /// Points at a place.
    #[must_use]
    pub(crate) fn at(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.span = Some(span.clone());
        self.label = label.into();
        self
    }

    /// Points at another place of the same file.
    #[must_use]
    pub(crate) fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related = Some((span.clone(), label.into()));
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// What is said about one file at most. More is no configuration but another kind of file.
const SAID_MAX: usize = 200;

/// Sorts by file and place; of a file with endless mistakes, keeps the first ones.
pub(crate) fn arrange(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    // What concerns the whole file comes first.
    all.sort_by_key(|d| (d.file, d.span.as_ref().map(|span| span.start)));
    let mut arranged = Vec::new();
    for said in all.chunk_by(|one, next| one.file == next.file) {
        let (kept, dropped) = said.split_at(said.len().min(SAID_MAX));
        arranged.extend_from_slice(kept);
        if let Some(worst) = dropped.iter().map(|d| d.severity).min() {
            let title = format!("{} more are not shown", dropped.len());
            let file = dropped.first().and_then(|d| d.file);
            arranged.push(
                Diagnostic::new(worst, file, title)
                    .help("mend those above first, or look whether this is the right file"),
            );
        }
    }
    arranged
}

/// How many errors and warnings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Count {
    /// Counts diagnostics.
    #[must_use]
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let of = |severity| {
            diagnostics
                .iter()
                .filter(|d| d.severity == severity)
                .count()
        };
        Self {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
        }
    }
}

/// The text of one file as it may be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// Where it was read.
    pub(crate) path: PathBuf,
    /// Its text with every secret masked; as many bytes as the file. Empty when it was not read.
    pub(crate) shown: String,
}

/// The three texts that diagnostics point into.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(crate) ha_cf: Source,
    pub(crate) haresources: Source,
    pub(crate) authkeys: Source,
}

impl Sources {
    pub(crate) const fn of(&self, file: File) -> &Source {
        match file {
            File::HaCf => &self.ha_cf,
            File::Haresources => &self.haresources,
            File::Authkeys => &self.authkeys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: endless mistakes are cut short, and an error among the rest still counts.
    #[test]
    fn endless_mistakes() {
        let warnings = (0..300).map(|at| Diagnostic::warning(File::HaCf, "w").at(&(at..at), "w"));
        let error = Diagnostic::error(File::HaCf, "e").at(&(900..901), "e");
        let other = Diagnostic::note(File::Authkeys, "n");
        let arranged = arrange(warnings.chain([other, error]).collect());
        assert_eq!(arranged.len(), 202);
        assert_eq!(arranged[200].title, "101 more are not shown");
        assert_eq!(Count::of(&arranged).errors, 1);
    }
}
