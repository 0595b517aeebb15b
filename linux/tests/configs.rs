//! The collection of configurations in tests/configs: one that is right, and many with mistakes,
//! each with the exact text that `systole check --files-only` prints about it.
//!
//! A case is a directory. A file that it does not have is the article's. `options.txt` may say
//! `missing FILE`, `mode MODE` (of authkeys) and `node NAME` (else rproxy1). After a change of the
//! texts `SYSTOLE_BLESS=1 cargo test -p systole --test configs` writes them anew: read the diff.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on shall end"
)]

use core::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use systole::check::{self, Options};
use systole::config::render::Style;

const FILES: [&str; 3] = ["ha.cf", "haresources", "authkeys"];

/// The fewest faulty configurations that the collection shall hold.
const CASES_MIN: usize = 40;

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/configs")
}

/// What `options.txt` asks for.
struct Setup {
    node: String,
    mode: u32,
    missing: Vec<String>,
}

fn setup(case: &Path) -> Setup {
    let mut setup = Setup {
        node: "rproxy1".to_owned(),
        mode: 0o600,
        missing: Vec::new(),
    };
    for line in fs::read_to_string(case.join("options.txt"))
        .unwrap_or_default()
        .lines()
    {
        match line.split_once(' ') {
            Some(("node", name)) => name.clone_into(&mut setup.node),
            Some(("mode", mode)) => setup.mode = u32::from_str_radix(mode, 8).unwrap(),
            Some(("missing", file)) => setup.missing.push(file.to_owned()),
            _ => panic!("{}: unknown option {line:?}", case.display()),
        }
    }
    setup
}

/// Runs one case on a copy of its files and gives the text as if it had been in /etc/ha.d.
fn run(case: &Path) -> String {
    let setup = setup(case);
    let directory = tempfile::tempdir().unwrap();
    for file in FILES
        .iter()
        .filter(|file| !setup.missing.iter().any(|missing| missing == *file))
    {
        let own = case.join(file);
        let source = if own.exists() {
            own
        } else {
            collection().join("article").join(file)
        };
        fs::write(directory.path().join(file), fs::read(source).unwrap()).unwrap();
    }
    let authkeys = directory.path().join("authkeys");
    if authkeys.exists() {
        fs::set_permissions(authkeys, fs::Permissions::from_mode(setup.mode)).unwrap();
    }
    let options = Options {
        config_dir: directory.path().to_owned(),
        node: Some(setup.node),
        files_only: true,
        json: false,
    };
    let mut out = Vec::new();
    let code = check::run(&options, Style::Plain, &mut out).unwrap();
    let mut text = String::from_utf8(out)
        .unwrap()
        .replace(directory.path().to_str().unwrap(), "/etc/ha.d");
    writeln!(text, "\nexit code {code}").unwrap();
    text
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(collection().join("faulty"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

/// Compares a text with the file that keeps it, or writes the file when asked to.
fn compare(expected: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("SYSTOLE_BLESS").is_some() {
        fs::write(expected, text).unwrap();
        return Ok(());
    }
    let kept = fs::read_to_string(expected).unwrap_or_default();
    if kept == text {
        return Ok(());
    }
    Err(format!(
        "--- {}\n{kept}\n+++ now\n{text}\n",
        expected.display()
    ))
}

/// Aim: the article's files are taken without a word of complaint.
#[test]
fn article_is_clean() {
    let case = collection().join("article");
    let text = run(&case);
    assert!(
        text.starts_with("/etc/ha.d is in order: no errors, no warnings\n"),
        "{text}"
    );
    compare(&case.join("expected.txt"), &text).unwrap();
}

/// Aim: the samples that a package installs are right as they are; everybody begins with them.
#[test]
fn shipped_samples_are_clean() {
    let text = run(&collection().join("../../dist/ha.d"));
    assert!(
        text.starts_with("/etc/ha.d is in order: no errors, no warnings\n"),
        "{text}"
    );
}

/// Aim: every mistake in the collection is told in exactly the words that were approved.
#[test]
fn faulty_configurations() {
    let cases = cases();
    assert!(cases.len() >= CASES_MIN, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| compare(&case.join("expected.txt"), &run(case)).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// Aim: no case is vacuous: each one brings up something that the article does not.
#[test]
fn every_case_says_something() {
    for case in cases() {
        let text = run(&case);
        let said = ["error: ", "warning: ", "note: "]
            .iter()
            .any(|level| text.starts_with(level));
        assert!(said, "{}: {text}", case.display());
    }
}

/// Aim: no bytes in any of the files make the parsers or the renderer panic.
#[test]
fn arbitrary_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    // Pieces of real files give the noise a chance to get deep.
    let pieces: Vec<Vec<u8>> = FILES
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(collection().join("article").join(file)).unwrap();
            text.split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect::<Vec<_>>()
        })
        .chain(
            [
                "\\\n", "::", "/", "\r\n", "#", "\u{feff}", "é", "mcast", ":", "24/eth0", "99",
            ]
            .map(Vec::from),
        )
        .collect();
    for _ in 0..400 {
        for file in FILES {
            let mut bytes = Vec::new();
            for _ in 0..next() % 40 {
                let piece = usize::try_from(next() % 64).unwrap();
                match pieces.get(piece) {
                    Some(piece) => bytes.extend(piece),
                    None => bytes.extend(next().to_le_bytes()),
                }
                if next() % 3 == 0 {
                    bytes.push(b' ');
                }
            }
            fs::write(directory.path().join(file), bytes).unwrap();
        }
        let options = Options {
            config_dir: directory.path().to_owned(),
            node: Some("rproxy1".to_owned()),
            files_only: true,
            json: next() % 2 == 0,
        };
        let mut out = Vec::new();
        check::run(&options, Style::Plain, &mut out).unwrap();
        assert!(!out.is_empty());
    }
}
