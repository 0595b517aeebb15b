//! The two files that outlive a run, shared with the original: `hb_generation` and `hb_uuid`.
//!
//! The generation must be higher at every start: a peer refuses messages of a lower one as
//! replays. So it is on the disk before the first message leaves.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::clock;
use crate::entropy;

/// What this run is known by on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Of this start: higher than at every earlier start.
    pub generation: u64,
    /// Of this node.
    pub uuid: [u8; 16],
    /// Whether the generation file was unreadable, so that the time of day was taken.
    pub repaired: bool,
}

/// Why the state directory cannot be used. The daemon must not start.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file or the directory cannot be read or written. Nothing was sent; mend it and start.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The uuid file has another length than 16 bytes. Nothing was changed.
    #[error(
        "{} holds {length} bytes instead of 16; remove it and start again, \
         the node then gets a new identity", path.display()
    )]
    Uuid {
        /// The file.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
}

/// The generation file's length: 15 columns and a line end, as the original writes it.
const GENERATION_BYTES: usize = 16;

/// The highest number that fits the file.
const GENERATION_MAX: u64 = 999_999_999_999_999;

/// Takes the next generation and reads, or makes, the uuid.
///
/// # Errors
/// When the directory or one of the files cannot be used.
pub fn open(dir: &Path) -> Result<Identity, StateError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .map_err(fail("create", dir))?;
    let (generation, repaired) = next_generation(&dir.join("hb_generation"))?;
    let uuid = uuid(&dir.join("hb_uuid"))?;
    Ok(Identity {
        generation,
        uuid,
        repaired,
    })
}

fn next_generation(path: &Path) -> Result<(u64, bool), StateError> {
    let first = clock::wall().as_secs() + 1;
    let (generation, repaired) = match read(path)? {
        None => (first, false),
        Some(bytes) => match parse_generation(&bytes) {
            Some(last) => (last + 1, false),
            // The original's generations start at the time of day and grow by one per start, so
            // the time of day is above whatever the file held.
            None => (first, true),
        },
    };
    replace(path, format!("{generation:>15}\n").as_bytes(), 0o644)?;
    Ok((generation, repaired))
}

fn parse_generation(bytes: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(bytes).ok()?;
    let number: u64 = text.trim_ascii().parse().ok()?;
    (bytes.len() == GENERATION_BYTES && number < GENERATION_MAX).then_some(number)
}

fn uuid(path: &Path) -> Result<[u8; 16], StateError> {
    if let Some(bytes) = read(path)? {
        let length = bytes.len();
        let path = path.to_owned();
        return bytes
            .try_into()
            .map_err(|_| StateError::Uuid { path, length });
    }
    let mut uuid: [u8; 16] = entropy::bytes().map_err(fail("read", Path::new(entropy::SOURCE)))?;
    // Version 4, variant 1 of RFC 9562, as libuuid marks random ones.
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut uuid;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    replace(path, &uuid, 0o600)?;
    Ok(uuid)
}

/// Reads at most what either file may hold and one byte more; `None` when there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail("read", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(GENERATION_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(fail("read", path))?;
    Ok(Some(bytes))
}

/// Replaces a file so that a power cut leaves the old or the new one, and it is on the disk.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StateError> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(fail("remove", &fresh)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)
        .map_err(fail("create", &fresh))?;
    file.write_all(bytes).map_err(fail("write", &fresh))?;
    file.sync_all().map_err(fail("write", &fresh))?;
    fs::rename(&fresh, path).map_err(fail("replace", path))?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(fail("write", dir))
}

fn fail(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::File { what, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Aim: the first start uses the time of day, every later one adds one, in the original's form.
    #[test]
    fn generations_grow() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("new/heartbeat");
        let first = open(&dir).unwrap();
        assert!(first.generation > 1_700_000_000 && !first.repaired);
        let second = open(&dir).unwrap();
        assert_eq!(second.generation, first.generation + 1);
        assert_eq!(second.uuid, first.uuid);
        let text = fs::read_to_string(dir.join("hb_generation")).unwrap();
        assert_eq!(text, format!("{:>15}\n", second.generation));
        assert_eq!(text.len(), 16);
    }

    /// Aim: a generation ahead of the clock is kept and advanced, never lowered.
    #[test]
    fn a_stored_generation_is_never_lowered() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("hb_generation"), "    99999999999\n").unwrap();
        assert_eq!(open(dir.path()).unwrap().generation, 100_000_000_000);
    }

    /// Aim: a damaged generation file does not stop the node, and is said.
    #[test]
    fn a_damaged_generation_is_replaced() {
        for text in [
            "",
            "nonsense",
            "12\n",
            "-0000000000001\n",
            "999999999999999\n",
            "1795314855    12\n",
        ] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("hb_generation"), text).unwrap();
            let identity = open(dir.path()).unwrap();
            assert!(identity.repaired, "{text:?}");
            assert!(identity.generation > 1_700_000_000, "{text:?}");
            assert!(!open(dir.path()).unwrap().repaired, "{text:?}");
        }
    }

    /// Aim: the uuid is secret enough (mode 600), random, and a wrong length is refused with the cure.
    #[test]
    fn uuids() {
        let one = tempfile::tempdir().unwrap();
        let two = tempfile::tempdir().unwrap();
        let uuid = open(one.path()).unwrap().uuid;
        assert_ne!(uuid, open(two.path()).unwrap().uuid);
        let path = one.path().join("hb_uuid");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read(&path).unwrap(), uuid);
        fs::write(&path, b"short").unwrap();
        let error = open(one.path()).unwrap_err().to_string();
        assert!(
            error.contains("holds 5 bytes instead of 16; remove it"),
            "{error}"
        );
    }

    /// Aim: a directory that cannot be made is an error that names it.
    #[test]
    fn an_unusable_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = open(&file.join("state")).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot create") && error.contains("file/state"),
            "{error}"
        );
    }
}
