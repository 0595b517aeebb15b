//! Lines and words with their places, and the nearest of some names.

use super::diag::Span;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, span: &Span) -> Self {
        Self {
            value,
            span: span.clone(),
        }
    }
}

/// The bytes of a file as a text of the same length: bytes that are no UTF-8 become `?`.
pub(crate) fn decode(bytes: &[u8]) -> String {
    core::str::from_utf8(bytes).map_or_else(
        |_| {
            let ascii = |byte: &u8| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    '?'
                }
            };
            bytes.iter().map(ascii).collect()
        },
        str::to_owned,
    )
}

/// The lines of a text with the place of their first byte, without line ends and byte order mark.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0_usize;
    text.split_inclusive('\n').map(move |whole| {
        let line = whole.trim_start_matches('\u{feff}');
        let at = start.saturating_add(whole.len().saturating_sub(line.len()));
        start = start.saturating_add(whole.len());
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

/// What stands before a `#`.
pub(crate) fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

/// The words of a line that starts at `offset`.
pub(crate) fn words(line: &str, offset: usize, separator: fn(char) -> bool) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = offset;
    for piece in line.split_inclusive(separator) {
        let text = piece.trim_end_matches(separator);
        if !text.is_empty() {
            found.push(Word {
                text,
                span: at..at.saturating_add(text.len()),
            });
        }
        at = at.saturating_add(piece.len());
    }
    found
}

/// The candidate that `word` was probably meant to be: near in spelling, whatever its case.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = (lower.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= allowed && *distance < lower.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `a`, `a and b`, `a, b and c`, each in backquotes.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>, last_word: &str) -> String {
    let mut quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.pop() {
        None => String::new(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} {last_word} {last}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: places are right with a byte order mark, CRLF and several separators.
    #[test]
    fn places_of_words() {
        let text = "\u{feff}node a\r\n\tb ,c";
        let all: Vec<_> = lines(text)
            .flat_map(|(at, line)| words(line, at, |c| c.is_whitespace() || c == ','))
            .collect();
        for word in &all {
            assert_eq!(&text[word.span.clone()], word.text);
        }
        let texts: Vec<_> = all.iter().map(|word| word.text).collect();
        assert_eq!(texts, ["node", "a", "b", "c"]);
    }

    /// Aim: bytes outside UTF-8 keep every later place where it was.
    #[test]
    fn decoding_keeps_length() {
        assert_eq!(decode(b"# f\xfcr b\xc3\xa4r"), "# f?r b??r");
        assert_eq!(decode("# für".as_bytes()), "# für");
    }

    /// Aim: only near names are offered.
    #[test]
    fn nearest_names() {
        assert_eq!(
            closest("keepalve", ["deadtime", "keepalive"]),
            Some("keepalive")
        );
        assert_eq!(closest("DeadTime", ["deadtime"]), Some("deadtime"));
        assert_eq!(closest("zebra", ["deadtime", "node"]), None);
        assert_eq!(closest("x", ["y"]), None);
    }
}
