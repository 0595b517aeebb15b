//! Which addresses are ours. A daemon that was killed and started again must recognise what it
//! added, and must never touch what somebody else added.
//!
//! The kernel itself keeps the mark where it can: since Linux 5.18 an address has a protocol
//! (`IFA_PROTO`, `ip address` shows it as `proto`), which goes away with the address and cannot be
//! out of date. Older kernels ignore it without a word; there a file in the runtime directory,
//! which is empty after a boot, has one line for each address.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ServiceIpError;

/// The protocol number of our addresses: an S, far from the kernel's own and from those of routing
/// daemons.
pub(super) const MARK: u8 = b'S';

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ledger {
    /// The kernel keeps the mark.
    Kernel,
    /// The file does.
    File(PathBuf),
}

impl Ledger {
    /// Chooses by the kernel's release.
    pub(super) fn choose(runtime_dir: &Path) -> Self {
        let marks = nix::sys::utsname::uname()
            .is_ok_and(|name| keeps_marks(&name.release().to_string_lossy()));
        if marks {
            Self::Kernel
        } else {
            Self::File(runtime_dir.join("addresses"))
        }
    }

    /// The addresses in the file; `None` when the kernel keeps the marks.
    pub(super) fn read(&self) -> Result<Option<BTreeSet<IpAddr>>, ServiceIpError> {
        let Self::File(path) = self else {
            return Ok(None);
        };
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(
                text.lines().filter_map(|line| line.parse().ok()).collect(),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(BTreeSet::new())),
            Err(error) => Err(failure("read", path, &error)),
        }
    }

    /// Records an address before it is added, so that no crash can leave one unrecorded.
    pub(super) fn add(&self, address: IpAddr) -> Result<(), ServiceIpError> {
        self.change(|record| record.insert(address))
    }

    /// Forgets an address after it was removed.
    pub(super) fn remove(&self, address: IpAddr) -> Result<(), ServiceIpError> {
        self.change(|record| record.remove(&address))
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeSet<IpAddr>) -> bool,
    ) -> Result<(), ServiceIpError> {
        let (Self::File(path), Some(mut record)) = (self, self.read()?) else {
            return Ok(());
        };
        if !change(&mut record) {
            return Ok(());
        }
        let mut lines: Vec<String> = record.iter().map(ToString::to_string).collect();
        lines.push(String::new());
        let text = lines.join("\n");
        let fresh = path.with_extension("new");
        // Renamed into place: a reader finds the old record or the new one, never half of it.
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, path))
            .map_err(|error| failure("write", path, &error))
    }
}

fn failure(what: &'static str, path: &Path, error: &io::Error) -> ServiceIpError {
    ServiceIpError::Record {
        what,
        path: path.to_owned(),
        text: error.to_string(),
    }
}

/// Whether a kernel of this release has `IFA_PROTO`: 5.18 or later.
fn keeps_marks(release: &str) -> bool {
    let mut numbers = release
        .split(|character: char| !character.is_ascii_digit())
        .map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: distributions' releases are told apart at 5.18, not by comparing text.
    #[test]
    fn releases() {
        for old in [
            "5.4.0-190-generic",
            "5.15.0-1",
            "5.17.99",
            "4.19",
            "rubbish",
            "",
        ] {
            assert!(!keeps_marks(old), "{old}");
        }
        for new in ["5.18.0", "6.1.0-28-amd64", "6.18.44-fc", "10.0"] {
            assert!(keeps_marks(new), "{new}");
        }
    }

    /// Aim: the file survives a restart, forgets what was removed, and is not needed to exist.
    #[test]
    fn file() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::File(dir.path().join("addresses"));
        let [one, two]: [IpAddr; 2] = ["10.8.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(ledger.read().unwrap(), Some(BTreeSet::new()));
        ledger.add(one).unwrap();
        ledger.add(two).unwrap();
        ledger.add(one).unwrap();
        assert_eq!(
            ledger.clone().read().unwrap(),
            Some(BTreeSet::from([one, two]))
        );
        ledger.remove(one).unwrap();
        assert_eq!(ledger.read().unwrap(), Some(BTreeSet::from([two])));
    }

    /// Aim: a record that cannot be written stops the acquisition, with its path in the message.
    #[test]
    fn unwritable() {
        let ledger = Ledger::File(PathBuf::from("/nonexistent/addresses"));
        let error = ledger.add("10.8.0.1".parse().unwrap()).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/addresses"),
            "{error}"
        );
    }
}
