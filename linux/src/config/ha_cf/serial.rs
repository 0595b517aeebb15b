//! Serial lines: `baud`, `serial`, `serial_auth`.

use systole_core::limits::KEYS_MAX;
use systole_core::time::Duration;

use super::super::diag::{Diagnostic, File};
use super::super::text::{Spanned, Word, list};
use super::super::time::show;
use super::super::{BAUD_RATES, LinkConfig, SerialLink};
use super::{Line, Reader};

/// The original's speed.
pub(super) const DEFAULT_BAUD: u32 = 19_200;

/// About the length of a heartbeat between two Systole nodes, with sha1.
const HEARTBEAT_BYTES: u64 = 350;

/// How long a serial line of this speed is busy with one heartbeat: ten bits for each byte.
fn heartbeat_time(baud: u32) -> Duration {
    Duration::from_secs(HEARTBEAT_BYTES * 10).divided_by(baud.into())
}

/// Whether a line of this speed carries heartbeats at this interval: they may take half of it, the
/// rest is for everything else that the nodes have to say.
fn carries(baud: u32, keepalive: Duration) -> bool {
    heartbeat_time(baud).times(2) <= keepalive
}

impl Reader<'_> {
    pub(super) fn baud(&mut self, line: &Line<'_>) {
        let Some(value) = self.single(line) else {
            return;
        };
        let parsed = value.text.parse::<u32>().ok();
        let Some(baud) = parsed.filter(|baud| BAUD_RATES.contains(baud)) else {
            let rates = BAUD_RATES.map(|rate| rate.to_string());
            let rates = list(rates.iter().map(String::as_str), "or");
            self.error(
                &value.span,
                format!("`{}` is not a speed that `baud` can have", value.text),
                "unknown speed",
                format!("write {rates}, the same on both nodes"),
            );
            return;
        };
        self.set_ordered(line, baud, |reader| &mut reader.bauds);
    }

    pub(super) fn serial(&mut self, line: &Line<'_>) {
        let baud = self.bauds.take(line);
        self.config.media_lines = self.config.media_lines.saturating_add(1);
        for word in &line.values {
            if !word.text.starts_with('/') {
                self.error(
                    &word.span,
                    format!("`{}` is not the path of a serial device", word.text),
                    "does not begin with `/`",
                    format!("write the whole path: `serial /dev/{}`", word.text),
                );
                continue;
            }
            if self.is_second_use(word) {
                continue;
            }
            let config = LinkConfig::Serial(SerialLink {
                device: word.text.to_owned(),
                baud,
            });
            self.push_link(line, word, Some(config));
        }
    }

    /// Whether a device is on another line already; says so.
    fn is_second_use(&mut self, word: &Word<'_>) -> bool {
        let links = &self.config.links;
        let Some(earlier) = links.iter().find(|link| link.interface.value == word.text) else {
            return false;
        };
        self.diagnostics.push(
            Diagnostic::warning(File::HaCf, format!("`{}` is used twice", word.text))
                .at(&word.span, "adds nothing")
                .related(&earlier.interface.span, "first written here")
                .help("remove one of the two"),
        );
        true
    }

    pub(super) fn serial_auth(&mut self, value: &Word<'_>) {
        let parsed = value.text.parse::<u8>().ok();
        match parsed.filter(|index| usize::from(*index) < KEYS_MAX) {
            Some(index) => self.config.serial_auth = Some(Spanned::new(index, &value.span)),
            None => self.error(
                &value.span,
                format!("`{}` is not the number of a key", value.text),
                "expected a number from 0 to 15",
                "write the number of the crc key in authkeys: with `2 crc` there, `serial_auth 2`",
            ),
        }
    }

    /// Says which lines run at another speed than the file seems to say.
    pub(super) fn early_lines(&mut self) {
        let Some((first, later, early)) = self.bauds.early() else {
            return;
        };
        for line in early.into_iter().filter(|_| later != DEFAULT_BAUD) {
            let title =
                format!("this line runs at {DEFAULT_BAUD} baud, because `baud` comes after it");
            self.diagnostics.push(
                Diagnostic::warning(File::HaCf, title)
                    .at(&line, format!("{DEFAULT_BAUD} baud"))
                    .related(&first, "acts only on the lines below it")
                    .help("move `baud` above all `serial` lines"),
            );
        }
    }

    /// What can only be said about serial lines and the other directives together.
    pub(super) fn check_serial(&mut self, keepalive: Duration) {
        let serial = self.config.links.iter().filter_map(|link| {
            let serial = link.config.as_ref()?.serial()?;
            Some((serial, link))
        });
        let slow: Vec<_> = serial
            .clone()
            .filter(|(serial, _)| !carries(serial.baud, keepalive))
            .map(|(serial, link)| slow(serial, link, keepalive))
            .collect();
        let none = serial.count() == 0;
        self.diagnostics.extend(slow);
        if let Some(auth) = self.config.serial_auth.clone().filter(|_| none) {
            self.diagnostics.push(
                Diagnostic::note(File::HaCf, "`serial_auth` has no effect here")
                    .at(&auth.span, "there is no serial line"),
            );
        }
    }
}

/// What to say about a line on which heartbeats do not fit.
fn slow(serial: &SerialLink, link: &super::Link, keepalive: Duration) -> Diagnostic {
    let (device, baud) = (&serial.device, serial.baud);
    let help = match BAUD_RATES.iter().find(|rate| carries(**rate, keepalive)) {
        Some(rate) => format!("write `baud {rate}` above this line on both nodes"),
        None => format!(
            "make `keepalive` at least {}, which fits {} baud",
            show(heartbeat_time(460_800).times(2)),
            460_800
        ),
    };
    Diagnostic::warning(
        File::HaCf,
        format!(
            "{device} is too slow for a heartbeat every {}",
            show(keepalive)
        ),
    )
    .at(
        &link.line,
        format!(
            "one takes {} at {baud} baud, and may take half of `keepalive`",
            show(Duration::from_millis(heartbeat_time(baud).as_millis()))
        ),
    )
    .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the limit is where two heartbeats take exactly one interval.
    #[test]
    fn what_a_line_carries() {
        assert_eq!(heartbeat_time(19_200).as_millis(), 182);
        assert!(carries(19_200, Duration::from_millis(365)));
        assert!(!carries(19_200, Duration::from_millis(364)));
        assert!(carries(460_800, Duration::from_millis(16)));
    }
}
