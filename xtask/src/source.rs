//! Rust source split into its code and its comments, well enough to look for words in either.

/// The two halves. Each has as many lines as the source, so that line numbers stay true.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Halves {
    /// The code; strings and characters are emptied.
    pub(crate) code: String,
    /// The comments, doc comments too.
    pub(crate) comments: String,
}

/// Splits `source`.
pub(crate) fn split(source: &str) -> Halves {
    let mut halves = Halves::default();
    let mut rest = source;
    while !rest.is_empty() {
        let (kind, length) = next_piece(rest);
        let (piece, after) = rest.split_at(length);
        match kind {
            Kind::Code => halves.code.push_str(piece),
            Kind::Comment => halves.comments.push_str(piece),
            Kind::Literal => halves.code.push_str("\"\""),
        }
        for _ in piece.matches('\n') {
            match kind {
                Kind::Code => halves.comments.push('\n'),
                Kind::Comment => halves.code.push('\n'),
                Kind::Literal => {
                    halves.code.push('\n');
                    halves.comments.push('\n');
                }
            }
        }
        rest = after;
    }
    halves
}

#[derive(Clone, Copy)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// What the text begins with, and for how many bytes (never zero).
fn next_piece(text: &str) -> (Kind, usize) {
    if text.starts_with("//") {
        return (Kind::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (
            Kind::Comment,
            text.find("*/").map_or(text.len(), |end| end + 2),
        );
    }
    if text.starts_with('"') {
        return (Kind::Literal, quoted(text));
    }
    if let Some(length) = raw_string(text).or_else(|| character(text)) {
        return (Kind::Literal, length);
    }
    // A word is one piece, so that the `r` of `for"` never looks like the start of a raw string.
    let word = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let one = text.chars().next().map_or(1, char::len_utf8);
    (Kind::Code, word.max(one))
}

/// The length of a string in plain quotes.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#` and their `b` and `c` forms.
fn raw_string(text: &str) -> Option<usize> {
    let start = text
        .strip_prefix(['b', 'c'])
        .unwrap_or(text)
        .strip_prefix('r')?;
    let hashes = start.bytes().take_while(|&byte| byte == b'#').count();
    let (marks, body) = start.split_at(hashes);
    let body = body.strip_prefix('"')?;
    let end = body
        .find(&format!("\"{marks}"))
        .map_or(body.len(), |at| at + 1 + hashes);
    Some(text.len() - body.len() + end)
}

/// The length of `'x'`, `'\n'`, `'\u{7f}'`; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        // The escaped character itself may be the quote.
        let skip = 1 + body.get(1..)?.chars().next()?.len_utf8();
        return Some(1 + skip + body.get(skip..)?.find('\'')? + 1);
    }
    let width = first.len_utf8();
    body.get(width..)?.starts_with('\'').then_some(width + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: comments and code are told apart, also when each looks like the other.
    #[test]
    fn comments_and_strings() {
        let halves = split("let a = \"// no\"; // yes \"quoted\n/* b\n*/ let c = '\"'; // d\n");
        assert_eq!(halves.code, "let a = \"\"; \n\n let c = \"\"; \n");
        assert_eq!(halves.comments, "// yes \"quoted\n/* b\n*/// d\n");
    }

    /// Aim: raw strings, escapes and lifetimes do not derail the rest of the file.
    #[test]
    fn literals() {
        let code = |text: &str| split(text).code;
        assert_eq!(
            code(r##"x(r#"a " b"#, b"\"", '\'', '\u{7f}')"##),
            r#"x("", b"", "", "")"#
        );
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code("for\"a\""), "for\"\"");
        assert_eq!(code("\"never closed"), "\"\"");
        assert_eq!(code("é'é'"), "é\"\"");
    }

    /// Aim: both halves keep the line numbers, also across strings of several lines.
    #[test]
    fn line_numbers() {
        let source = "a \"1\n2\n3\" // c\n/* 4\n5 */ b\n";
        let halves = split(source);
        assert_eq!(halves.code.lines().count(), source.lines().count());
        assert_eq!(halves.comments.lines().count(), source.lines().count());
        assert_eq!(halves.code.lines().nth(4), Some(" b"));
    }
}
