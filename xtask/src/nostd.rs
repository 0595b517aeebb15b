//! `cargo xtask nostd`: the core, alone, for a microcontroller without std and without a heap.

use anyhow::{Result, bail};

use crate::shell;
use crate::thumb::TARGET;
use crate::toolchain;

/// Builds it in a cargo run of its own, where no other package's features can help it, then reads
/// the features it was built with: a dependency with `std` on would build for some targets only.
pub(crate) fn run() -> Result<()> {
    shell::run(toolchain::cargo("build")?.args(["--package", "systole-core"]))?;
    let tree = shell::capture(shell::cargo().args([
        "tree",
        "--package=systole-core",
        "--edges=normal,features",
        "--target",
        TARGET,
        "--prefix=none",
    ]))?;
    let refused = refused(&tree)?;
    if refused.is_empty() {
        println!(
            "nostd: no std, no alloc feature in the core's {} lines",
            tree.lines().count()
        );
        return Ok(());
    }
    bail!(
        "the core must do without std and alloc, but has:\n    {}",
        refused.join("\n    ")
    )
}

/// The lines of `cargo tree` that name a `std` or `alloc` feature, each once.
///
/// A tree that does not show the core's features is an error: the check would see nothing.
fn refused(tree: &str) -> Result<Vec<&str>> {
    if !tree.starts_with("systole-core ") || !tree.contains(" feature \"") {
        bail!("cargo tree did not show the core and its features:\n{tree}");
    }
    let mut found: Vec<_> = tree
        .lines()
        .filter(|line| feature(line).is_some_and(|name| name == "std" || name == "alloc"))
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// `std` of `sha1 feature "std"`.
fn feature(line: &str) -> Option<&str> {
    line.split_once(" feature \"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "\
systole-core v0.1.0 (/src/core)
crc feature \"default\"
crc v3.4.0
heapless feature \"default\"
heapless v0.9.3
";

    /// Aim: a clean tree passes.
    #[test]
    fn clean() {
        assert!(refused(CLEAN).unwrap().is_empty());
    }

    /// Aim: the check can fail: one dependency with `std` or `alloc`, however deep, is named once.
    #[test]
    fn std_and_alloc_are_refused() {
        let tree = format!(
            "{CLEAN}digest feature \"alloc\"\ndigest v0.11.0\nsubtle feature \"std\"\n\
             subtle feature \"std\" (*)\nsubtle feature \"std-like\"\n"
        );
        let found = refused(&tree).unwrap();
        assert_eq!(
            found,
            ["digest feature \"alloc\"", "subtle feature \"std\""]
        );
    }

    /// Aim: an empty tree, or one without features, is an error and not a pass.
    #[test]
    fn a_blind_check_is_an_error() {
        assert!(refused("").is_err());
        assert!(refused("systole-core v0.1.0 (/src/core)\nsha1 v0.11.0\n").is_err());
    }
}
