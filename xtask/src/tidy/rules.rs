//! What is wrong inside one file.

use std::path::Path;

use super::{File, Finding};
use crate::source;

/// Lines of a Rust file, so that it can be read in one go.
const FILE_LINES_MAX: usize = 500;

/// Characters of a line. rustfmt cannot break strings and comments, so this is more than its width.
const LINE_CHARACTERS_MAX: usize = 110;

/// Words that we do not use in names of our own.
const BANNED_WORDS: [&str; 4] = ["master", "slave", "whitelist", "blacklist"];

/// What may stand in code while it is written, and not when it is handed over.
const LEFTOVERS: [&str; 4] = ["todo!", "dbg!", "unimplemented!", "#[ignore"];

/// The same for comments.
const NOTES: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Everything wrong with one file. `places` are paths of this machine that no file may name.
pub(super) fn check(file: &File, places: &[String]) -> Vec<Finding> {
    let mut found = Findings {
        path: &file.path,
        list: Vec::new(),
    };
    for (number, line) in numbered(&file.text) {
        if let Some(place) = places.iter().find(|place| names(line, place)) {
            found.add(number, format!("names {place}, a place on one machine"));
        }
    }
    let extension = file.path.extension().unwrap_or_default();
    if extension == "rs" || file.text.starts_with("#!") {
        lengths(file, &mut found);
    }
    if extension == "rs" {
        rust(file, &mut found);
    }
    found.list
}

/// The checkout itself, the directory it lies in, and people's homes.
pub(super) fn places(root: &Path) -> Vec<String> {
    const COMMON: [&str; 9] = [
        "/", "/tmp", "/root", "/home", "/srv", "/opt", "/usr/src", "/var/tmp", "/mnt",
    ];
    let mut places: Vec<String> = [Some(root), root.parent()]
        .into_iter()
        .flatten()
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|path| !COMMON.contains(&path.as_str()))
        .collect();
    // Put together here, or this file would name them.
    places.extend(["home", "root"].map(|name| format!("/{name}/")));
    places
}

struct Findings<'a> {
    path: &'a Path,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, line: usize, what: String) {
        self.list.push(Finding {
            path: self.path.to_path_buf(),
            line,
            what,
        });
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn lengths(file: &File, found: &mut Findings<'_>) {
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        found.add(
            0,
            format!("{lines} lines, at most {FILE_LINES_MAX}: split it"),
        );
    }
    for (number, line) in numbered(&file.text) {
        let characters = line.chars().count();
        if characters > LINE_CHARACTERS_MAX {
            found.add(
                number,
                format!("{characters} characters, at most {LINE_CHARACTERS_MAX}"),
            );
        }
    }
}

fn rust(file: &File, found: &mut Findings<'_>) {
    let halves = source::split(&file.text);
    for (number, line) in numbered(&halves.code) {
        for leftover in LEFTOVERS
            .iter()
            .filter(|leftover| line.contains(**leftover))
        {
            found.add(number, format!("{leftover} is left over"));
        }
        for word in BANNED_WORDS.iter().filter(|word| has_word(line, word)) {
            found.add(number, format!("`{word}` is not one of our words"));
        }
    }
    for (number, line) in numbered(&halves.comments) {
        for note in NOTES
            .iter()
            .filter(|note| has_word(line, &note.to_lowercase()))
        {
            if line.contains(*note) {
                found.add(number, format!("{note}: do it, or make it an issue"));
            }
        }
    }
    let lines: Vec<_> = file.text.lines().collect();
    let code: Vec<_> = halves.code.lines().collect();
    for (index, line) in code.iter().enumerate() {
        let line = line.trim();
        let is_test = line == "#[test]" || line.starts_with("#[tokio::test");
        if is_test && !has_aim(&lines, index) {
            found.add(index + 1, "a test says what it is for: `/// Aim: …`".into());
        }
    }
}

/// Whether the comments and attributes around the `#[test]` at `index` have an aim.
fn has_aim(lines: &[&str], index: usize) -> bool {
    let (before, after) = lines.split_at(index);
    let belongs = |line: &&&str| {
        let line = line.trim_start();
        line.starts_with("///") || line.starts_with("#[")
    };
    let before = before.iter().rev().take_while(belongs);
    before
        .chain(after.iter().take_while(belongs))
        .any(|line| line.contains("/// Aim: "))
}

/// Whether the path `place` begins somewhere in `line`, not in the middle of another path.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let (before, found) = line.split_at(at);
        let ends = place.ends_with('/')
            || !found
                .chars()
                .nth(place.chars().count())
                .is_some_and(is_part_of_a_name);
        ends && !before
            .chars()
            .next_back()
            .is_some_and(|c| is_part_of_a_name(c) || "./$}*".contains(c))
    })
}

fn is_part_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Whether `line` has the lower-case `word` by itself or as a part of `snake_case` or `CamelCase`.
fn has_word(line: &str, word: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut after_lower = false;
    for c in line.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && after_lower) {
            parts.push(String::new());
        }
        after_lower = c.is_lowercase();
        if let (true, Some(part)) = (c.is_alphabetic(), parts.last_mut()) {
            part.extend(c.to_lowercase());
        }
    }
    parts.iter().any(|part| {
        part.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest == "s")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        let file = File {
            path: path.into(),
            text: text.into(),
        };
        let places = places(Path::new("/depot/systole"));
        check(&file, &places)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Aim: each leftover is found with its line, and not in strings or in other words.
    #[test]
    fn leftovers() {
        assert_eq!(
            whats("a.rs", "fn f() {\n    todo!()\n}\n"),
            ["a.rs:2: todo! is left over"]
        );
        assert_eq!(
            whats("a.rs", "#[ignore = \"slow\"]\n"),
            ["a.rs:1: #[ignore is left over"]
        );
        assert_eq!(
            whats("a.rs", "// FIXME\n"),
            ["a.rs:1: FIXME: do it, or make it an issue"]
        );
        assert!(whats("a.rs", "let a = \"todo! dbg! TODO\"; // mktemp XXXXXX\n").is_empty());
    }

    /// Aim: banned words are found inside names of both styles, and not in words that hold them.
    #[test]
    fn banned_words() {
        for name in [
            "master",
            "is_master",
            "MasterNode",
            "isMaster",
            "SLAVES",
            "slave2",
        ] {
            assert_eq!(
                whats("a.rs", &format!("let {name} = 1;")).len(),
                1,
                "{name}"
            );
        }
        for name in ["mastered", "enslave", "postmaster_", "remastering"] {
            assert!(
                whats("a.rs", &format!("let {name} = 1;")).is_empty(),
                "{name}"
            );
        }
        assert!(whats("a.rs", "// VRRP says master here\n").is_empty());
    }

    /// Aim: lengths are counted in characters, of Rust and of scripts, not of tables.
    #[test]
    fn lengths_of_lines_and_files() {
        let exact = "é".repeat(LINE_CHARACTERS_MAX);
        assert!(whats("a.rs", &format!("// {}\n", &exact[6..])).is_empty());
        assert_eq!(whats("a.rs", &format!("//{exact}\n")).len(), 1);
        assert_eq!(whats("run", &format!("#!/bin/sh\n# {exact}\n")).len(), 1);
        assert!(whats("a.md", &format!("| {exact}\n")).is_empty());
        assert!(whats("a.rs", &"\n".repeat(FILE_LINES_MAX)).is_empty());
        assert_eq!(whats("a.rs", &"\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
    }

    /// Aim: a test without an aim is found, wherever its other attributes stand.
    #[test]
    fn aims() {
        assert!(whats("a.rs", "/// Aim: x.\n#[test]\nfn f() {}\n").is_empty());
        assert!(whats("a.rs", "#[test]\n#[cfg(unix)]\n/// Aim: x.\nfn f() {}\n").is_empty());
        assert_eq!(
            whats("a.rs", "/// Aim: x.\nfn f() {}\n#[test]\nfn g() {}\n").len(),
            1
        );
        assert_eq!(whats("a.rs", "#[tokio::test]\nasync fn g() {}\n").len(), 1);
    }

    /// Aim: paths of this machine are found in any text file, relative paths that look alike not.
    #[test]
    fn paths_of_this_machine() {
        assert_eq!(whats("a.md", "see /depot/systole/core\n").len(), 1);
        assert_eq!(whats("a.toml", "path = \"/depot/tools\"\n").len(), 1);
        assert_eq!(whats("a.md", &format!("cd /{}/me/src\n", "home")).len(), 1);
        assert!(whats("a.md", "tests/depot/x ./depot/y ${A}/depot/z /depots/w\n").is_empty());
        assert!(!places(Path::new("/tmp/systole")).contains(&"/tmp".to_owned()));
    }
}
