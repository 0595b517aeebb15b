//! `systole keygen`: writes an authkeys file with a random key, readable by root only.

use core::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::entropy;

/// Why there is no new authkeys. An existing file is as it was.
#[derive(Debug, Error)]
pub enum KeygenError {
    /// There is one already.
    #[error(
        "{} exists already and was not touched; both nodes need the same key, so replace it only \
         with --force, and then on both", .0.display()
    )]
    Exists(PathBuf),
    /// A directory is named, where a file is needed.
    #[error("{path} is a directory: name the file, `systole keygen {path}/authkeys`", path = .0.display())]
    Directory(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The kernel gives no randomness.
    #[error("cannot read {source_file}: {0}", source_file = entropy::SOURCE)]
    Entropy(#[source] io::Error),
}

/// The text of an authkeys file with a new random key of 160 bits.
///
/// # Errors
/// When the kernel gives no randomness.
pub fn text() -> Result<String, KeygenError> {
    let key: [u8; 20] = entropy::bytes().map_err(KeygenError::Entropy)?;
    let mut hex = String::new();
    for byte in key {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(format!("auth 1\n1 sha1 {hex}\n"))
}

/// Writes a new authkeys with mode 600. `force` replaces an existing one.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn write(path: &Path, force: bool) -> Result<(), KeygenError> {
    let fail = |source: io::Error| KeygenError::Write {
        path: path.to_owned(),
        source,
    };
    if path.is_dir() {
        return Err(KeygenError::Directory(path.to_owned()));
    }
    if !force && path.symlink_metadata().is_ok() {
        return Err(KeygenError::Exists(path.to_owned()));
    }
    // Written beside it and moved: nobody ever reads half a key, or one with another mode.
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        Ok(()) | Err(_) => {}
    }
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(fail)?;
    let text = text()?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(fail)?;
    if force {
        return fs::rename(&fresh, path).map_err(fail);
    }
    // A link does not replace what somebody else has made meanwhile.
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh).map_err(fail)?;
    linked.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            KeygenError::Exists(path.to_owned())
        } else {
            fail(error)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Aim: a new file is private, complete and different each time; an old one is kept.
    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("authkeys");
        write(&path, false).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let key = first
            .strip_prefix("auth 1\n1 sha1 ")
            .unwrap()
            .strip_suffix('\n')
            .unwrap();
        assert!(key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let error = write(&path, false).unwrap_err();
        assert!(matches!(error, KeygenError::Exists(_)), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        write(&path, true).unwrap();
        assert_ne!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// Aim: a directory is said to be one, with and without force, and is left alone.
    #[test]
    fn a_directory_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        for force in [false, true] {
            let error = write(dir.path(), force).unwrap_err();
            assert!(matches!(error, KeygenError::Directory(_)), "{error}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// Aim: a directory that does not exist is named.
    #[test]
    fn a_missing_directory_is_named() {
        let error = write(Path::new("/nonexistent/authkeys"), false)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot write /nonexistent/authkeys: No such file"),
            "{error}"
        );
    }
}
