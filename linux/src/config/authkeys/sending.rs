//! Which key signs, and what to say about it.

use std::collections::BTreeMap;

use systole_core::auth::{Key, Keys, Method};

use super::super::diag::{Diagnostic, File, Span};
use super::super::text;
use super::{Read, Reader};

impl Reader<'_> {
    pub(super) fn finish(mut self) -> Read {
        let keys = self.check_sending();
        self.diagnostics
            .extend(keys.as_ref().and_then(|keys| weak(keys, &self.keys)));
        Read {
            keys,
            shown: text::decode(&self.shown),
            diagnostics: self.diagnostics,
        }
    }

    /// Makes the keys when nothing is wrong with the file as a whole either.
    fn check_sending(&mut self) -> Option<Keys> {
        let Some(sending) = self.sending.clone() else {
            if !self.broken {
                let help = match self.keys.keys().next() {
                    Some(index) => format!("add `auth {index}` as the first line"),
                    None => "let `systole keygen` write the file, and copy it to the other node"
                        .to_owned(),
                };
                self.diagnostics.push(
                    Diagnostic::error(File::Authkeys, "no `auth` line says which key signs")
                        .help(help),
                );
            }
            return None;
        };
        let keys = self
            .keys
            .iter()
            .map(|(index, (key, _))| (*index, key.clone()));
        match Keys::new(sending.value, keys) {
            Ok(keys) => (!self.broken).then_some(keys),
            Err(_) if self.broken => None,
            Err(_) => {
                let index = sending.value;
                let numbers: Vec<String> = self.keys.keys().map(u8::to_string).collect();
                let help = if numbers.is_empty() {
                    format!("add the key: `{index} sha1 KEY`")
                } else {
                    format!(
                        "add the key (`{index} sha1 KEY`), or name one that is there: {}",
                        text::list(numbers.iter().map(String::as_str), "or")
                    )
                };
                self.error(
                    &sending.span,
                    format!("there is no key {index}"),
                    "named here",
                    help,
                );
                None
            }
        }
    }
}

/// What to say about the method of the key that signs.
fn weak(keys: &Keys, lines: &BTreeMap<u8, (Key, Span)>) -> Option<Diagnostic> {
    let (index, key) = keys.sending();
    let (_, line) = lines.get(&index)?;
    match key.method() {
        Method::Crc => Some(
            Diagnostic::warning(File::Authkeys, "`crc` proves nothing about the sender")
                .at(line, "signs every heartbeat")
                .help(
                    "anybody on the heartbeat network can speak for a node: use `sha1` with a \
                     key (`systole keygen`), unless the network is a cable between the two",
                ),
        ),
        Method::Md5 => Some(
            Diagnostic::note(
                File::Authkeys,
                "`md5` is the weaker of the two keyed methods",
            )
            .at(line, "still sound for heartbeats")
            .help("`sha1` costs as little"),
        ),
        Method::Sha1 => None,
    }
}
