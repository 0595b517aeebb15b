//! Plays every file of `tests/scenarios` and compares its timelines with those it holds.
//!
//! `SYSTOLE_BLESS=1 cargo test -p systole-sim --test scenarios` writes the present ones.

use std::fs;
use std::path::PathBuf;

/// Aim: every scenario goes as its file says.
#[test]
fn scenarios() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let bless = std::env::var_os("SYSTOLE_BLESS").is_some();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("tests/scenarios can be read")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    let mut differing = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("a scenario can be read");
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        match systole_sim::scenario::replay(&text) {
            Err(why) => panic!("{name}: {why}"),
            Ok(fresh) if fresh == text => {}
            Ok(fresh) if bless => fs::write(path, fresh).expect("a scenario can be written"),
            Ok(fresh) => differing.push(format!("{name}: {}", first_difference(&text, &fresh))),
        }
    }
    assert!(
        differing.is_empty(),
        "timelines have changed; look, then bless with SYSTOLE_BLESS=1:\n{}",
        differing.join("\n")
    );
}

fn first_difference(old: &str, new: &str) -> String {
    let mut lines = old.lines().zip(new.lines()).enumerate();
    lines.find(|(_, (old, new))| old != new).map_or_else(
        || "one is longer".to_owned(),
        |(number, (old, new))| format!("line {}\n  - {old}\n  + {new}", number + 1),
    )
}
