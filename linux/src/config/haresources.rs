//! Reads haresources: one group a line, its preferred node and its resources.

mod rules;

use core::net::{Ipv4Addr, Ipv6Addr};

use super::diag::{Diagnostic, File, Span};
use super::text::{self, Spanned, Word};
use super::{AddressStyle, Group, Resource, address};

/// A group and where its parts stand.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) node: Spanned<String>,
    pub(crate) resources: Vec<Spanned<Resource>>,
    /// The resources as written.
    texts: Vec<Spanned<String>>,
}

/// Reads haresources for the nodes of ha.cf (none: unknown, and nothing is said about names).
pub(crate) fn read(text: &str, nodes: &[String]) -> (Vec<Line>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut groups = Vec::new();
    for words in logical_lines(text, &mut diagnostics) {
        groups.extend(group(&words, nodes, &mut diagnostics));
    }
    rules::check(&groups, &mut diagnostics);
    (groups, diagnostics)
}

/// The groups without places; only meaningful when there was no error.
pub(crate) fn groups(lines: &[Line]) -> Vec<Group> {
    lines
        .iter()
        .map(|line| Group {
            name: line
                .texts
                .first()
                .map(|text| text.value.clone())
                .unwrap_or_default(),
            node: line.node.value.clone(),
            resources: line.resources.iter().map(|r| r.value.clone()).collect(),
        })
        .collect()
}

/// A checksum that is the same on both nodes when their files say the same.
///
/// It covers nodes and resources as written, in their order: a group's name on the wire is its
/// first resource as written, and the order of groups is that in which they are acquired.
pub(crate) fn digest(lines: &[Line]) -> u32 {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    for line in lines {
        digest.update(line.node.value.as_bytes());
        for text in &line.texts {
            digest.update(b" ");
            digest.update(text.value.as_bytes());
        }
        digest.update(b"\n");
    }
    digest.finalize()
}

/// Words of each logical line: comments gone, continuations joined.
fn logical_lines<'a>(text: &'a str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Vec<Word<'a>>> {
    let mut logical = Vec::new();
    let mut current: Vec<Word<'a>> = Vec::new();
    let mut open: Option<Span> = None;
    for (offset, line) in text::lines(text) {
        let body = text::without_comment(line);
        let (body, mut continues) = match body.strip_suffix('\\') {
            Some(rest) if body.len() == line.len() => (rest, true),
            _ => (body, false),
        };
        let mut words = text::words(body, offset, char::is_whitespace);
        if let Some(last) = words.last()
            && last.text.ends_with('\\')
        {
            diagnostics.push(lost_continuation(last));
            words.pop();
            continues = true;
        }
        if open.is_some() && words.is_empty() && !continues {
            diagnostics.extend(open.take().map(|span| dangling(&span)));
        }
        current.extend(words);
        let end = offset.saturating_add(body.len());
        open = continues.then_some(end..end.saturating_add(1));
        if !continues && !current.is_empty() {
            logical.push(core::mem::take(&mut current));
        }
    }
    diagnostics.extend(open.map(|span| dangling(&span)));
    if !current.is_empty() {
        logical.push(current);
    }
    logical
}

fn dangling(span: &Span) -> Diagnostic {
    Diagnostic::warning(File::Haresources, "the line goes on, but nothing follows")
        .at(span, "continues with an empty line")
        .help("remove the `\\`")
}

fn lost_continuation(word: &Word<'_>) -> Diagnostic {
    let span = word.span.end.saturating_sub(1)..word.span.end;
    Diagnostic::error(
        File::Haresources,
        "a `\\` continues the line only as its very last character",
    )
    .at(&span, "a blank or a comment follows")
    .help("remove everything after the `\\`, blanks too")
}

/// Reads one logical line.
fn group(words: &[Word<'_>], nodes: &[String], diagnostics: &mut Vec<Diagnostic>) -> Option<Line> {
    let (node, resources) = words.split_first()?;
    let name = node.text.to_ascii_lowercase();
    if !nodes.is_empty() && !nodes.contains(&name) {
        diagnostics.push(unknown_node(node, nodes));
    }
    if resources.is_empty() {
        diagnostics.push(
            Diagnostic::warning(File::Haresources, format!("the group of `{name}` is empty"))
                .at(&node.span, "no resource follows")
                .help("add the service address and the services behind it, or remove the line"),
        );
        return None;
    }
    let mut line = Line {
        node: Spanned::new(name, &node.span),
        resources: Vec::new(),
        texts: Vec::new(),
    };
    let mut glued = false;
    for word in resources {
        if nodes.contains(&word.text.to_ascii_lowercase()) {
            diagnostics.push(
                Diagnostic::error(
                    File::Haresources,
                    format!(
                        "`{}` is a node, but stands where a resource is expected",
                        word.text
                    ),
                )
                .at(&word.span, "a node's name begins a line")
                .help("begin a new line here; look for a `\\` at the end of the line before"),
            );
            glued = true;
            continue;
        }
        line.texts
            .push(Spanned::new(word.text.to_owned(), &word.span));
        match resource(word) {
            Ok(resource) => line.resources.push(Spanned::new(resource, &word.span)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    // Two groups that were glued together have no order to speak of.
    if !glued {
        rules::check_order(&line, diagnostics);
    }
    Some(line)
}

fn unknown_node(node: &Word<'_>, nodes: &[String]) -> Diagnostic {
    let all = || nodes.iter().map(String::as_str);
    let help = if let Some(near) = text::closest(node.text, all()) {
        format!("did you mean `{near}`?")
    } else if node.text.contains("::") || bare_address(node.text) {
        format!(
            "the line must begin with its preferred node: {}",
            text::list(all(), "or")
        )
    } else {
        format!("the nodes of ha.cf are {}", text::list(all(), "and"))
    };
    Diagnostic::error(
        File::Haresources,
        format!("`{}` is not a node of this cluster", node.text),
    )
    .at(&node.span, "not named in ha.cf")
    .help(help)
}

/// Whether a word was meant as an address without a script: only digits and dots before a slash.
fn bare_address(text: &str) -> bool {
    let start = text.split('/').next().unwrap_or_default();
    start.contains('.')
        && start.starts_with(|c: char| c.is_ascii_digit())
        && start.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Reads one resource.
fn resource(word: &Word<'_>) -> Result<Resource, Box<Diagnostic>> {
    let mut parts = word.text.split("::");
    let name = parts.next().unwrap_or_default();
    let style = match name {
        "IPaddr" => Some(AddressStyle::IPaddr),
        "IPaddr2" => Some(AddressStyle::IPaddr2),
        "IPv6addr" => Some(AddressStyle::IPv6addr),
        _ => None,
    };
    if let Some(style) = style {
        let specification = word
            .text
            .get(name.len().saturating_add(2)..)
            .unwrap_or_default();
        let offset = word.span.end.saturating_sub(specification.len());
        return address::read(style, word.text, specification, offset).map(Resource::Address);
    }
    if bare_address(word.text) {
        return address::read(AddressStyle::IPaddr, word.text, word.text, word.span.start)
            .map(Resource::Address);
    }
    check_ipv6(word)?;
    check_agent(word, name)?;
    Ok(Resource::Agent {
        text: word.text.to_owned(),
        name: name.to_owned(),
        args: parts.map(str::to_owned).collect(),
    })
}

/// An IPv6 address without its script, which would be read as a script with arguments.
fn check_ipv6(word: &Word<'_>) -> Result<(), Box<Diagnostic>> {
    let address = word.text.split('/').next().unwrap_or_default();
    if address.parse::<Ipv6Addr>().is_err() {
        return Ok(());
    }
    Err(Box::new(
        Diagnostic::error(
            File::Haresources,
            format!("an IPv6 address needs its script: `{}`", word.text),
        )
        .at(&word.span, "only an IPv4 address can stand alone")
        .help(format!("write `IPv6addr::{}`", word.text)),
    ))
}

/// Whether the name of a script can be one.
fn check_agent(word: &Word<'_>, name: &str) -> Result<(), Box<Diagnostic>> {
    let error = |title: String, label: &str, help: String| {
        let span = word.span.start..word.span.start.saturating_add(name.len().max(1));
        Err(Box::new(
            Diagnostic::error(File::Haresources, title)
                .at(&span, label)
                .help(help),
        ))
    };
    if name.is_empty() {
        return error(
            format!("`{}` has no script", word.text),
            "a name must come before `::`",
            "the form is `SCRIPT::ARGUMENT::ARGUMENT`".to_owned(),
        );
    }
    let first = name.split('/').next().unwrap_or_default();
    if first.contains(':') && !name.starts_with("systemd:") {
        let fixed = word.text.replacen(':', "::", 1);
        return error(
            format!("`{name}` cannot be a script: arguments follow two colons"),
            "only one `:`",
            format!("did you mean `{fixed}`?"),
        );
    }
    if name.contains('/') || name.starts_with('.') {
        return error(
            format!("`{name}` is a path, and a script is named without one"),
            "expected a name such as nginx",
            format!(
                "scripts are looked for in resource.d, then in /etc/init.d, then as a systemd \
                 unit: write `{}`",
                name.rsplit('/').next().unwrap_or_default()
            ),
        );
    }
    if name == "systemd:" {
        return error(
            "`systemd:` names no unit".to_owned(),
            "the unit's name is missing",
            "write for example `systemd:nginx`".to_owned(),
        );
    }
    if name.parse::<Ipv4Addr>().is_err() && name.starts_with(|c: char| c.is_ascii_digit()) {
        // A word such as 10.8.0.1x was meant as an address, which no script could be.
        return error(
            format!("`{name}` is neither an address nor a script"),
            "begins like an address",
            "write for example `10.8.0.1/24/eth1`".to_owned(),
        );
    }
    Ok(())
}
