//! Rust files that nothing includes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{File, Finding};
use crate::source;

/// Files that no `mod`, no manifest and no convention of cargo reaches.
pub(super) fn dead(files: &[File]) -> Vec<Finding> {
    let manifests: Vec<_> = files
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .collect();
    let rust: BTreeMap<&Path, String> = files
        .iter()
        .filter(|file| {
            file.path
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .map(|file| (file.path.as_path(), source::split(&file.text).code))
        .collect();
    rust.keys()
        .filter(|path| !is_root(path, &manifests) && !is_included(path, &rust))
        .map(|path| Finding {
            path: path.to_path_buf(),
            line: 0,
            what: "nothing includes this file; add its `mod` or remove it".into(),
        })
        .collect()
}

/// Whether cargo itself compiles it, by convention or because a manifest names it.
fn is_root(path: &Path, manifests: &[&File]) -> bool {
    manifests.iter().any(|manifest| {
        let package = manifest.path.parent().unwrap_or(Path::new(""));
        let Ok(inside) = path.strip_prefix(package) else {
            return false;
        };
        let home = inside.parent().unwrap_or(Path::new(""));
        ["src/main.rs", "src/lib.rs", "build.rs"]
            .map(Path::new)
            .contains(&inside)
            || ["tests", "examples", "benches", "src/bin"]
                .map(Path::new)
                .contains(&home)
            || manifest
                .text
                .contains(&format!("path = \"{}\"", inside.display()))
    })
}

/// Whether a file that may do so declares it as a module.
fn is_included(path: &Path, rust: &BTreeMap<&Path, String>) -> bool {
    let Some(mut directory) = path.parent().map(Path::to_path_buf) else {
        return false;
    };
    let mut name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if name == "mod" {
        name = directory
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        directory = directory
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
    }
    let declaration = format!("mod {name};");
    let beside: PathBuf = directory.with_extension("rs");
    rust.iter()
        .filter(|(other, _)| **other != path)
        .filter(|(other, _)| other.parent() == Some(&directory) || **other == beside)
        .any(|(_, code)| code.lines().any(|line| declares(line, &declaration)))
}

/// `pub(crate) mod name;` declares `mod name;`, `mod other_name;` does not.
fn declares(line: &str, declaration: &str) -> bool {
    let line = line.trim();
    line.strip_suffix(declaration)
        .is_some_and(|before| before.is_empty() || before.ends_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Aim: every way a file can be reached is known, so that nothing alive is reported.
    #[test]
    fn alive() {
        let files = [
            file("a/Cargo.toml", "[[bin]]\npath = \"targets/wire.rs\"\n"),
            file("a/build.rs", ""),
            file(
                "a/src/lib.rs",
                "pub mod b;\npub(crate) mod c;\n#[cfg(test)]\nmod tests;",
            ),
            file("a/src/b.rs", "#[cfg(test)]\nmod tests;"),
            file("a/src/b/tests.rs", ""),
            file("a/src/c/mod.rs", "mod d;"),
            file("a/src/c/d.rs", ""),
            file("a/src/tests.rs", ""),
            file("a/src/bin/tool.rs", ""),
            file("a/tests/it.rs", "mod common;"),
            file("a/tests/common/mod.rs", ""),
            file("a/targets/wire.rs", ""),
        ];
        assert_eq!(dead(&files), []);
    }

    /// Aim: a file whose `mod` is gone, commented out or of another name is reported.
    #[test]
    fn dead_files() {
        let files = [
            file("a/Cargo.toml", ""),
            file("a/src/lib.rs", "// mod gone;\nmod not_gone;\n"),
            file("a/src/not_gone.rs", ""),
            file("a/src/gone.rs", "mod gone;"),
        ];
        let found: Vec<_> = dead(&files)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(found, [PathBuf::from("a/src/gone.rs")]);
    }
}
