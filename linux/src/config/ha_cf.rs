//! Reads ha.cf.
//!
//! Each line is looked up in the table of directives. What concerns one line is said here and in
//! `media`; rules between lines (`timing`, `nodes`, logs) are checked when the whole file is read.

mod mcast;
mod media;
mod nodes;
mod scalar;
mod serial;
mod timing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use systole_core::config::AutoFailback;
use systole_core::time::Duration;

use super::diag::{Diagnostic, File, Span};
use super::directives::{self, Act, DIRECTIVES, Handling, Scalar};
use super::lookup::Lookup;
use super::text::{self, Spanned, Word};
use super::{LinkConfig, LogConfig};

pub(crate) use media::is_interface;
pub(crate) use timing::Timing;

/// What ha.cf says, as far as it could be understood.
#[derive(Debug, Default)]
pub(crate) struct HaCf {
    /// Every node once, in lower case, where it was first named.
    pub(crate) nodes: Vec<Spanned<String>>,
    pub(crate) keepalive: Option<Spanned<Duration>>,
    pub(crate) deadtime: Option<Spanned<Duration>>,
    pub(crate) warntime: Option<Spanned<Duration>>,
    pub(crate) initdead: Option<Spanned<Duration>>,
    pub(crate) auto_failback: Option<Spanned<AutoFailback>>,
    pub(crate) hopfudge: Option<Spanned<u8>>,
    pub(crate) serial_auth: Option<Spanned<u8>>,
    pub(crate) links: Vec<Link>,
    pub(crate) use_logd: Option<Spanned<bool>>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) debug_file: Option<PathBuf>,
    /// In lower case; perhaps `none`.
    pub(crate) facility: Option<String>,
    pub(crate) debug: u8,
    /// The last value of every recorded directive, as written.
    pub(crate) directives: Vec<(String, String)>,
    /// How often a media line was met, also a wrong one.
    media_lines: usize,
}

/// A link and where its words stand.
#[derive(Debug)]
pub(crate) struct Link {
    /// `None` when the peer's name was not looked up.
    pub(crate) config: Option<LinkConfig>,
    /// The whole line.
    pub(crate) line: Span,
    /// The interface, or the path of the serial device.
    pub(crate) interface: Spanned<String>,
}

/// One line: a directive and its values.
struct Line<'a> {
    name: &'static str,
    directive: Word<'a>,
    values: Vec<Word<'a>>,
}

impl Line<'_> {
    /// From the first value to the last.
    fn values_span(&self) -> Span {
        let start = self
            .values
            .first()
            .map_or(self.directive.span.end, |w| w.span.start);
        let end = self.values.last().map_or(start, |w| w.span.end);
        start..end
    }

    /// From the directive to the last value.
    fn span(&self) -> Span {
        self.directive.span.start..self.values_span().end.max(self.directive.span.end)
    }
}

/// Collects what the lines say.
struct Reader<'a> {
    text: &'a str,
    lookup: &'a Lookup,
    config: HaCf,
    /// Where each scalar directive was last met.
    seen: BTreeMap<&'static str, Span>,
    ports: media::Ordered<u16>,
    bauds: media::Ordered<u32>,
    /// Whether a node's name could not be read.
    misread_node: bool,
    diagnostics: Vec<Diagnostic>,
}

/// Reads ha.cf of the node `own`. A cluster can be made of it when no diagnostic is an error.
pub(crate) fn read(text: &str, own: &str, lookup: &Lookup) -> (HaCf, Timing, Vec<Diagnostic>) {
    let mut reader = Reader {
        text,
        lookup,
        config: HaCf::default(),
        seen: BTreeMap::new(),
        ports: media::Ordered::new(media::default_port(lookup)),
        bauds: media::Ordered::new(serial::DEFAULT_BAUD),
        misread_node: false,
        diagnostics: Vec::new(),
    };
    for (offset, line) in text::lines(text) {
        reader.line(offset, line);
    }
    reader.finish_media();
    reader.check_nodes(own);
    reader.check_failback();
    reader.check_logs();
    let timing = reader.check_timing();
    reader.check_serial(timing.keepalive);
    (reader.config, timing, reader.diagnostics)
}

impl Reader<'_> {
    fn error(
        &mut self,
        span: &Span,
        title: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(
            Diagnostic::error(File::HaCf, title)
                .at(span, label)
                .help(help),
        );
    }

    fn warning(
        &mut self,
        span: &Span,
        title: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(
            Diagnostic::warning(File::HaCf, title)
                .at(span, label)
                .help(help),
        );
    }

    fn line(&mut self, offset: usize, line: &str) {
        let separator = |c: char| c.is_whitespace() || c == ',';
        let mut words = text::words(text::without_comment(line), offset, separator);
        if words.is_empty() {
            return;
        }
        let directive = words.remove(0);
        let Some((name, handling)) = directives::find(directive.text) else {
            self.unknown(&directive);
            return;
        };
        let line = Line {
            name,
            directive,
            values: words,
        };
        if line.values.is_empty() && !matches!(handling, Handling::Refuse(..)) {
            self.warning(
                &line.directive.span,
                format!("`{name}` has no value and does nothing"),
                "a value must follow",
                "write the value, or remove the line",
            );
            return;
        }
        self.handle(&line, handling);
    }

    fn unknown(&mut self, directive: &Word<'_>) {
        let names = DIRECTIVES.iter().map(|(name, _)| *name);
        let help = match text::closest(directive.text, names) {
            Some(name) if name.eq_ignore_ascii_case(directive.text) => {
                format!("directives are written in lower case: `{name}`")
            }
            Some(name) => format!("did you mean `{name}`?"),
            None => "see ha.cf(5) for all directives; a comment begins with `#`".to_owned(),
        };
        let title = format!("unknown directive `{}`", directive.text);
        self.error(&directive.span, title, "not known to ha.cf", help);
    }

    fn handle(&mut self, line: &Line<'_>, handling: Handling) {
        let name = line.name;
        match handling {
            Handling::Acts(act) => self.act(line, act),
            Handling::Note(why) => {
                self.record(line);
                self.diagnostics.push(
                    Diagnostic::note(File::HaCf, format!("`{name}` has no effect here"))
                        .at(&line.directive.span, why),
                );
            }
            Handling::Warn(why, help) => self.warning(
                &line.directive.span,
                format!("`{name}` has no effect: {why}"),
                "accepted, but nothing is done about it",
                help,
            ),
            Handling::RefuseUnlessOff(why, help) => {
                let off = line
                    .values
                    .iter()
                    .all(|value| scalar::boolean(value.text) == Some(false));
                if !off {
                    let title = format!("`{name}` is refused: {why}");
                    self.error(&line.span(), title, "cannot be switched on", help);
                }
            }
            Handling::Refuse(why, help) => {
                // A refused medium is still a sign that somebody thought of links.
                if matches!(name, "mcast6" | "openais") {
                    self.config.media_lines = self.config.media_lines.saturating_add(1);
                }
                let title = format!("`{name}` is refused: {why}");
                self.error(&line.span(), title, "cannot be done here", help);
            }
        }
    }

    fn act(&mut self, line: &Line<'_>, act: Act) {
        match act {
            Act::Node => self.add_nodes(line),
            Act::Udpport => {
                self.record(line);
                self.udpport(line);
            }
            Act::Ucast => self.ucast(line),
            Act::Bcast => self.bcast(line),
            Act::OldBcast => {
                self.warning(
                    &line.directive.span,
                    "`udp` is the old name of `bcast`",
                    "still understood",
                    "write `bcast` instead",
                );
                self.bcast(line);
            }
            Act::Mcast => self.mcast(line),
            Act::Baud => {
                self.record(line);
                self.baud(line);
            }
            Act::Serial => self.serial(line),
            Act::Time(time) => {
                self.record(line);
                self.repeated(line);
                self.time(line, time);
            }
            Act::Scalar(scalar) => {
                // The original does not record what it only knows from earlier versions.
                if scalar != Scalar::NiceFailback {
                    self.record(line);
                }
                self.repeated(line);
                self.scalar(line, scalar);
            }
        }
    }

    /// Says that an earlier line of the same directive loses.
    fn repeated(&mut self, line: &Line<'_>) {
        if let Some(earlier) = self.seen.insert(line.name, line.span()) {
            let title = format!("`{}` is written twice; the last one counts", line.name);
            self.diagnostics.push(
                Diagnostic::warning(File::HaCf, title)
                    .at(&line.span(), "this one counts")
                    .related(&earlier, "this one has no effect")
                    .help("remove one of the two lines"),
            );
        }
    }

    /// Keeps the values as written, for the environment of scripts.
    fn record(&mut self, line: &Line<'_>) {
        let value = self
            .text
            .get(line.values_span())
            .unwrap_or_default()
            .to_owned();
        self.config.directives.retain(|(name, _)| name != line.name);
        self.config.directives.push((line.name.to_owned(), value));
    }

    fn check_failback(&mut self) {
        if self.config.auto_failback.is_none() && !self.seen.contains_key("auto_failback") {
            self.diagnostics.push(
                Diagnostic::warning(
                    File::HaCf,
                    "`auto_failback` is not set, so it is `legacy` as in the original",
                )
                .help(
                    "write `auto_failback on` when resources shall return to their preferred \
                     node by themselves, else `auto_failback off`",
                ),
            );
        }
    }

    fn check_logs(&mut self) {
        let config = &self.config;
        let nowhere =
            config.log_file.is_none() && config.debug_file.is_none() && config.facility().is_none();
        if let Some(use_logd) = config.use_logd.clone().filter(|set| nowhere && !set.value) {
            self.error(
                &use_logd.span,
                "nothing would be logged",
                "switched off, and there is no `logfile` or `logfacility`",
                "write `use_logd on`, or add `logfacility daemon` or a `logfile`",
            );
        }
    }
}

impl HaCf {
    /// The syslog facility, when there is one.
    fn facility(&self) -> Option<&str> {
        self.facility.as_deref().filter(|name| *name != "none")
    }

    /// Where logs go.
    pub(crate) fn log(&self) -> LogConfig {
        let facility = self.facility().map(str::to_owned);
        let nothing_set = self.use_logd.is_none()
            && self.log_file.is_none()
            && self.debug_file.is_none()
            && facility.is_none();
        LogConfig {
            file: self.log_file.clone(),
            debug_file: self.debug_file.clone(),
            facility,
            system: nothing_set || self.use_logd.as_ref().is_some_and(|set| set.value),
            debug: self.debug,
        }
    }
}
