//! Reads authkeys. No key ever leaves this file but as [`Keys`].
//!
//! What is shown of the text is decided by permission, not by prohibition: only words that are a
//! number, `auth` or the name of a method are shown, and everything else is masked.

mod sending;

use std::collections::BTreeMap;

use systole_core::auth::{Key, KeyError, Keys, Method};
use systole_core::limits::KEYS_MAX;

use super::diag::{Diagnostic, File, Span};
use super::text::{self, Spanned, Word};

/// Shorter keys can be guessed.
const KEY_BYTES_GOOD: usize = 8;

const METHODS: [&str; 3] = ["crc", "md5", "sha1"];

/// Words that are taken for a method although there is no such method.
const OTHER_METHODS: [&str; 11] = [
    "sha", "sha2", "sha-1", "sha224", "sha256", "sha384", "sha512", "hmac", "blake2", "md4", "none",
];

/// What authkeys says.
pub(crate) struct Read {
    /// The keys, when there was no error.
    pub(crate) keys: Option<Keys>,
    /// The text with everything masked that could be a secret, as long as the file.
    pub(crate) shown: String,
    /// What is to be said.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

struct Reader<'a> {
    raw: &'a [u8],
    shown: Vec<u8>,
    sending: Option<Spanned<u8>>,
    keys: BTreeMap<u8, (Key, Span)>,
    /// Whether a key line with an error was met, so that a missing key is not complained about.
    broken: bool,
    diagnostics: Vec<Diagnostic>,
}

/// Reads the bytes of authkeys.
pub(crate) fn read(raw: &[u8]) -> Read {
    let text = text::decode(raw);
    let mask = |byte: u8| {
        if byte.is_ascii_whitespace() {
            byte
        } else {
            b'*'
        }
    };
    let mut reader = Reader {
        raw,
        shown: text.bytes().map(mask).collect(),
        sending: None,
        keys: BTreeMap::new(),
        broken: false,
        diagnostics: Vec::new(),
    };
    for (offset, line) in text::lines(&text) {
        let words = text::words(line, offset, |c| c.is_ascii_whitespace());
        if let Some((first, rest)) = words.split_first()
            && !first.text.starts_with('#')
        {
            reader.line(first, rest);
        }
    }
    reader.finish()
}

/// Whether a word may be shown as the number of a key.
fn is_number(word: &str) -> bool {
    word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word was meant as a method, and so is no secret.
fn is_method(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    METHODS.contains(&lower.as_str()) || OTHER_METHODS.contains(&lower.as_str())
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
            Diagnostic::error(File::Authkeys, title)
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
            Diagnostic::warning(File::Authkeys, title)
                .at(span, label)
                .help(help),
        );
    }

    /// Takes the mask from a word.
    fn show(&mut self, word: &Word<'_>) {
        if let Some(shown) = self.shown.get_mut(word.span.clone()) {
            shown.copy_from_slice(word.text.as_bytes());
        }
    }

    fn line(&mut self, first: &Word<'_>, rest: &[Word<'_>]) {
        let lower = first.text.to_ascii_lowercase();
        if lower == "auth" {
            self.show(first);
            if first.text == "auth" {
                self.auth_line(first, rest);
            } else {
                self.broken = true;
                if let Some(number) = rest.first().filter(|word| is_number(word.text)) {
                    self.show(number);
                }
                self.error(
                    &first.span,
                    "`auth` is written in lower case",
                    "not known",
                    "write `auth`",
                );
            }
        } else if first.text.bytes().all(|b| b.is_ascii_digit()) {
            self.key_line(first, rest);
        } else if is_method(first.text) {
            self.broken = true;
            self.show(first);
            self.error(
                &first.span,
                "the key has no number",
                "a number from 0 to 15 comes first",
                format!("write `1 {lower} KEY`"),
            );
        } else {
            self.broken = true;
            self.error(
                &first.span,
                "this is neither an `auth` line nor a key",
                "expected `auth` or a number from 0 to 15",
                "the file has two kinds of lines: `auth 1` and `1 sha1 KEY`",
            );
        }
    }

    /// A number from 0 to 15.
    fn index(&mut self, word: &Word<'_>) -> Option<u8> {
        if is_number(word.text) {
            self.show(word);
        }
        let index = word
            .text
            .parse::<u8>()
            .ok()
            .filter(|i| usize::from(*i) < KEYS_MAX);
        if index.is_none() {
            self.broken = true;
            self.error(
                &word.span,
                "this is not the number of a key",
                "expected a number from 0 to 15",
                "number the keys from 1; two are enough to change keys without a break",
            );
        }
        index
    }

    fn auth_line(&mut self, first: &Word<'_>, rest: &[Word<'_>]) {
        let Some((number, more)) = rest.split_first() else {
            self.broken = true;
            self.error(
                &first.span,
                "`auth` names no key",
                "a number must follow",
                "write the number of the key that signs: `auth 1`",
            );
            return;
        };
        let Some(index) = self.index(number) else {
            return;
        };
        if let Some(extra) = more.first() {
            self.broken = true;
            self.error(
                &extra.span,
                "text follows the number of `auth`",
                "nothing is expected here",
                format!("write the key on a line of its own: `{index} sha1 KEY`"),
            );
        }
        if let Some((_, key)) = self.keys.get(&index) {
            let key = key.clone();
            self.diagnostics.push(
                Diagnostic::warning(
                    File::Authkeys,
                    format!("`auth {index}` comes after key {index}"),
                )
                .at(&number.span, "understood here")
                .related(
                    &key,
                    "the original does not find a key above its `auth` line",
                )
                .help(format!("move `auth {index}` to the top of the file")),
            );
        }
        let sending = Spanned::new(index, &(first.span.start..number.span.end));
        if let Some(earlier) = self.sending.replace(sending.clone()) {
            self.diagnostics.push(
                Diagnostic::warning(
                    File::Authkeys,
                    "`auth` is written twice; the last one counts",
                )
                .at(&sending.span, "this one counts")
                .related(&earlier.span, "this one has no effect")
                .help("remove one of the two"),
            );
        }
    }

    fn key_line(&mut self, number: &Word<'_>, rest: &[Word<'_>]) {
        let index = self.index(number);
        let Some((method_word, secrets)) = rest.split_first() else {
            self.broken = true;
            self.error(
                &number.span,
                "the key has no method",
                "a method and a key must follow",
                "write `1 sha1 KEY`, or let `systole keygen` write the file",
            );
            return;
        };
        let method = self.method(method_word, !secrets.is_empty());
        if let Some(extra) = secrets.get(1) {
            let last = secrets.last().unwrap_or(extra);
            self.broken = true;
            self.error(
                &(extra.span.start..last.span.end),
                "a blank ends the key, so the rest of the line would not be part of it",
                "the original drops this without a word",
                "write a key without blanks, the same on both nodes",
            );
            return;
        }
        let (Some(index), Some(method)) = (index, method) else {
            self.broken = true;
            return;
        };
        self.key(index, method, number, method_word, secrets.first());
    }

    fn key(
        &mut self,
        index: u8,
        method: Method,
        number: &Word<'_>,
        method_word: &Word<'_>,
        secret: Option<&Word<'_>>,
    ) {
        let bytes = secret
            .and_then(|word| self.raw.get(word.span.clone()))
            .unwrap_or_default();
        let place = secret.map_or(&method_word.span, |word| &word.span);
        match Key::new(method, bytes) {
            Ok(key) => {
                if method.is_keyed() && bytes.len() < KEY_BYTES_GOOD {
                    self.warning(
                        place,
                        "the key is so short that it can be guessed",
                        &format!("fewer than {KEY_BYTES_GOOD} bytes"),
                        "let `systole keygen` make a random one",
                    );
                }
                let line = number.span.start..method_word.span.end;
                if let Some((_, earlier)) = self.keys.insert(index, (key, line.clone())) {
                    self.diagnostics.push(
                        Diagnostic::warning(
                            File::Authkeys,
                            format!("key {index} is written twice; the last one counts"),
                        )
                        .at(&line, "this one counts")
                        .related(&earlier, "this one has no effect")
                        .help("remove one of the two, or give it another number"),
                    );
                }
            }
            Err(error) => {
                self.broken = true;
                let (label, help) = match error {
                    KeyError::Missing => (
                        "a key must follow",
                        format!(
                            "write `{index} {} KEY`, or run `systole keygen`",
                            method.as_str()
                        ),
                    ),
                    KeyError::Unexpected => (
                        "nothing may follow `crc`",
                        "remove it, or write `sha1` instead of `crc` to sign with this key"
                            .to_owned(),
                    ),
                    KeyError::TooLong(_) | _ => (
                        "too long",
                        "a random key of 40 characters is plenty".to_owned(),
                    ),
                };
                self.error(place, error.to_string(), label, help);
            }
        }
    }

    /// The method; a word that is none is shown only if it cannot be the key itself.
    fn method(&mut self, word: &Word<'_>, key_follows: bool) -> Option<Method> {
        if let Some(method) = Method::parse(word.text) {
            self.show(word);
            return Some(method);
        }
        let near = text::closest(word.text, METHODS);
        if is_method(word.text) || (key_follows && near.is_some()) {
            self.show(word);
            let lower = word.text.to_ascii_lowercase();
            let help = match near {
                Some(name) if name == lower => format!("methods are in lower case: `{name}`"),
                Some(name) if !OTHER_METHODS.contains(&lower.as_str()) => {
                    format!("did you mean `{name}`?")
                }
                _ => "the methods are `sha1`, `md5` and `crc`; take `sha1`".to_owned(),
            };
            self.error(
                &word.span,
                format!("unknown method `{}`", word.text),
                "not known",
                help,
            );
        } else {
            self.error(
                &word.span,
                "the second word of a key line is not a method",
                "expected `sha1`, `md5` or `crc`",
                "write the method between the number and the key: `1 sha1 KEY`",
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Zq7vXw2kPm";

    /// Aim: whatever is wrong with a line, the secret in it is never shown or told.
    #[test]
    fn secrets_are_never_shown() {
        for line in [
            "1 sha1 S",
            "1 SHA1 S",
            "1 S",
            "sha1 S",
            "S",
            "auth S",
            "auth 1 sha1 S",
            "1 crc S",
            "1 sha1 a S",
            "99 sha1 S",
            "S sha1 1",
            "1 sah1 S",
            "#S",
            "1S sha1",
            "1 sha1S",
        ] {
            let text = format!("auth 1\n{}\n", line.replace('S', SECRET));
            let read = read(text.as_bytes());
            let said = format!("{}{:?}", read.shown, read.diagnostics);
            assert!(!said.contains(SECRET), "{line}: {said}");
            assert_eq!(read.shown.len(), text.len());
        }
    }

    /// Aim: a key is taken byte by byte, also when it is no UTF-8.
    #[test]
    fn keys_are_bytes() {
        assert!(read(b"auth 1\n1 sha1 \xff\xfe#345678\r\n").keys.is_some());
        assert!(read(b"auth 15\n0 crc\n15 md5 abcdefgh").keys.is_some());
    }
}
