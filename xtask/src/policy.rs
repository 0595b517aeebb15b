//! Keeps Debian packages from starting their services while we install them.
//!
//! Debian asks `/usr/sbin/policy-rc.d` before it starts a service. We put one there for the time of
//! the installation, unless the machine has its own: that one is its owner's decision and stays.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where Debian looks.
pub(crate) const PATH: &str = "/usr/sbin/policy-rc.d";

/// Tells our file from anybody else's.
const MARK: &str = "# Made by Systole's `cargo xtask setup`";

/// No service starts while this lives.
#[must_use]
#[derive(Debug)]
pub(crate) struct NoServices {
    /// The file to remove; `None` when the machine has its own.
    ours: Option<PathBuf>,
}

impl NoServices {
    /// Forbids service starts by the file at `path`.
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        if fs::read_to_string(path).is_ok_and(|text| text.contains(MARK)) {
            // Left by a run that was killed. It no longer forbids anything, see `script`.
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(path);
        match made {
            Ok(mut file) => {
                let guard = Self {
                    ours: Some(path.to_path_buf()),
                };
                file.write_all(script(std::process::id()).as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Ok(guard)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                println!(
                    "{} is this machine's own and stays as it is",
                    path.display()
                );
                Ok(Self { ours: None })
            }
            Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        let Some(path) = self.ours.take() else { return };
        if let Err(error) = fs::remove_file(&path) {
            eprintln!(
                "xtask: cannot remove {}: {error}; remove it by hand",
                path.display()
            );
        }
    }
}

/// Forbids (101) only while process `pid` lives: a killed run leaves nothing behind that matters.
fn script(pid: u32) -> String {
    format!(
        "#!/bin/sh\n{MARK} while it installs packages; safe to remove.\n[ ! -d /proc/{pid} ] || exit 101\n"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn verdict(path: &Path) -> Option<i32> {
        Command::new("sh").arg(path).status().unwrap().code()
    }

    /// Aim: services are forbidden while the guard lives, and the file is gone after it.
    #[test]
    fn forbids_then_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy-rc.d");
        let guard = NoServices::begin(&path).unwrap();
        assert_eq!(verdict(&path), Some(101));
        drop(guard);
        assert!(!path.exists());
    }

    /// Aim: the file goes also when the installation fails half-way.
    #[test]
    fn removed_on_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy-rc.d");
        let install = || -> Result<()> {
            let _guard = NoServices::begin(&path)?;
            anyhow::bail!("no network")
        };
        assert!(install().is_err());
        assert!(!path.exists());
    }

    /// Aim: a machine's own policy is neither changed nor removed.
    #[test]
    fn foreign_policy_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy-rc.d");
        fs::write(&path, "#!/bin/sh\nexit 101\n").unwrap();
        drop(NoServices::begin(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 101\n");
    }

    /// Aim: what a killed run left forbids nothing, and the next run clears it away.
    #[test]
    fn leftover_is_harmless() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy-rc.d");
        // No process has this id: the kernel's limit is 2^22.
        fs::write(&path, script(1 << 23)).unwrap();
        assert_eq!(verdict(&path), Some(0));
        drop(NoServices::begin(&path).unwrap());
        assert!(!path.exists());
    }
}
