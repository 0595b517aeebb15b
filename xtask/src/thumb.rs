//! Choosing a compiler for the microcontroller, as facts in and a choice out.

use std::path::{Path, PathBuf};

/// What the boards run on.
pub(crate) const TARGET: &str = "thumbv7m-none-eabi";

/// The oldest compiler that builds the workspace.
const OLDEST: (u32, u32) = (1, 95);

/// One compiler on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// The directory with its `rustc` and `cargo`; `None` for those that started us.
    pub(crate) directory: Option<PathBuf>,
    /// Its sysroot.
    pub(crate) sysroot: PathBuf,
    /// Major and minor version.
    pub(crate) version: (u32, u32),
}

/// How to build for the target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The compiler has the target's core library.
    Prebuilt(Compiler),
    /// It has the sources of core: built along with ours.
    BuildCore(Compiler),
}

/// The first that has the target, else the first that has core's sources.
pub(crate) fn choose(compilers: &[Compiler], exists: impl Fn(&Path) -> bool) -> Option<Choice> {
    let prebuilt = format!("lib/rustlib/{TARGET}/lib");
    let having = |part: &str| {
        let mut modern = compilers
            .iter()
            .filter(|compiler| compiler.version >= OLDEST);
        modern
            .find(|compiler| exists(&compiler.sysroot.join(part)))
            .cloned()
    };
    having(&prebuilt)
        .map(Choice::Prebuilt)
        .or_else(|| having("lib/rustlib/src/rust/library/core").map(Choice::BuildCore))
}

/// Major and minor from `rustc -V`: `rustc 1.95.0 (59807616e 2026-04-14)`.
pub(crate) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("rustc ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(sysroot: &str, version: (u32, u32)) -> Compiler {
        Compiler {
            directory: None,
            sysroot: sysroot.into(),
            version,
        }
    }

    /// Aim: a prebuilt target wins over an earlier compiler that would have to build core.
    #[test]
    fn prebuilt_first() {
        let both = [compiler("/a", (1, 95)), compiler("/b", (1, 96))];
        let chosen = choose(&both, |path| {
            path.ends_with("a/lib/rustlib/src/rust/library/core")
                || path.ends_with("b/lib/rustlib/thumbv7m-none-eabi/lib")
        });
        assert_eq!(chosen, Some(Choice::Prebuilt(compiler("/b", (1, 96)))));
    }

    /// Aim: sources of core are taken when no compiler has the target; nothing gives nothing.
    #[test]
    fn then_sources_then_nothing() {
        let one = [compiler("/a", (1, 96))];
        let chosen = choose(&one, |path| path.ends_with("library/core"));
        assert_eq!(chosen, Some(Choice::BuildCore(compiler("/a", (1, 96)))));
        assert_eq!(choose(&one, |_| false), None);
    }

    /// Aim: a compiler too old for the workspace is never chosen, whatever it has.
    #[test]
    fn too_old() {
        assert_eq!(choose(&[compiler("/usr", (1, 63))], |_| true), None);
    }

    /// Aim: release, nightly and Debian version lines are read, others refused.
    #[test]
    fn version_lines() {
        assert_eq!(
            version("rustc 1.95.0 (59807616e 2026-04-14)"),
            Some((1, 95))
        );
        assert_eq!(
            version("rustc 1.97.0-nightly (abc 2026-05-01)"),
            Some((1, 97))
        );
        assert_eq!(
            version("rustc 1.96.0 (built from a source tarball)\n"),
            Some((1, 96))
        );
        assert_eq!(version("clang 14.0"), None);
    }
}
