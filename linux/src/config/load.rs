//! Reads the three files at once and makes a [`Cluster`] of them.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use systole_core::auth::Keys;

use super::diag::{self, Count, Diagnostic, File, Source, Sources};
use super::ha_cf::{self, HaCf, Timing};
use super::lookup::Lookup;
use super::{Cluster, LinkConfig, Medium, Resource, authkeys, haresources, text};

/// Bytes of a file that are read. The article's three have less than one kilobyte together.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// How to read the files.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Look at nothing but the three files: no host name is resolved, no service looked up.
    pub files_only: bool,
    /// The files are not on their node: a copy, a checkout. Who can read them does not matter then.
    pub copied: bool,
    /// Where the machine's own files are: `/`, or a test's stand-in.
    pub root: PathBuf,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            files_only: false,
            copied: false,
            root: PathBuf::from("/"),
        }
    }
}

/// What came of reading the files.
#[derive(Debug)]
pub struct Loaded {
    /// What they say; `None` when there is an error.
    pub cluster: Option<Cluster>,
    /// Every error, warning and note, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// What was understood, with places, for the checks of the machine.
    pub(crate) parts: Parts,
}

/// What was understood of each file, also when there are errors.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) ha_cf: HaCf,
    pub(crate) groups: Vec<haresources::Line>,
}

/// What came of reading authkeys alone.
#[derive(Debug)]
pub struct LoadedKeys {
    /// The keys; `None` when there is an error.
    pub keys: Option<Keys>,
    /// Every error, warning and note.
    pub diagnostics: Vec<Diagnostic>,
    /// The text that the diagnostics point into.
    pub sources: Sources,
}

/// Reads ha.cf, haresources and authkeys in `dir` for the node named `node` (`uname -n`).
#[must_use]
pub fn load(dir: &Path, node: &str, options: &LoadOptions) -> Loaded {
    let own = node.to_ascii_lowercase();
    let lookup = Lookup {
        machine: !options.files_only,
        root: options.root.clone(),
    };
    let mut all = Vec::new();
    let (ha_cf_source, ha_cf_read) = read_text(dir, File::HaCf, &mut all);
    let (ha_cf, timing, said) = ha_cf::read(&ha_cf_source.shown, &own, &lookup);
    if ha_cf_read {
        all.extend(said);
    }
    let (haresources_source, _) = read_text(dir, File::Haresources, &mut all);
    let nodes: Vec<String> = ha_cf.nodes.iter().map(|node| node.value.clone()).collect();
    let (groups, said) = haresources::read(&haresources_source.shown, &nodes);
    all.extend(said);
    check_fixed_addresses(&ha_cf, &groups, &mut all);
    let serial_auth = ha_cf.serial_auth.as_ref().map(|auth| auth.value);
    let mut keys = read_keys(dir, options.copied);
    all.append(&mut keys.diagnostics);
    let found = keys.keys.map(|found| with_serial(found, serial_auth));
    let found = found.transpose().unwrap_or_else(|error| {
        all.push(*error);
        None
    });
    let all = diag::arrange(all);
    let parts = Parts { ha_cf, groups };
    let cluster = found
        .filter(|_| Count::of(&all).errors == 0)
        .and_then(|keys| cluster(&own, &parts, timing, keys));
    Loaded {
        cluster,
        diagnostics: all,
        sources: Sources {
            ha_cf: ha_cf_source,
            haresources: haresources_source,
            authkeys: keys.sources.authkeys,
        },
        parts,
    }
}

/// Reads authkeys in `dir`, as when it has changed; `serial_auth` is that of ha.cf.
#[must_use]
pub fn load_keys(dir: &Path, serial_auth: Option<u8>) -> LoadedKeys {
    let mut loaded = read_keys(dir, false);
    loaded.keys = loaded.keys.and_then(|keys| {
        let taken = with_serial(keys, serial_auth);
        taken.map_err(|error| loaded.diagnostics.push(*error)).ok()
    });
    loaded
}

/// Lets the key that `serial_auth` names sign on serial lines.
fn with_serial(keys: Keys, serial_auth: Option<u8>) -> Result<Keys, Box<Diagnostic>> {
    let Some(index) = serial_auth else {
        return Ok(keys);
    };
    keys.with_serial(index).map_err(|_| {
        let title = format!("there is no key {index}, which `serial_auth` in ha.cf names");
        let help = format!(
            "add `{index} crc` on both nodes, or let `serial_auth` name a key that is there"
        );
        Box::new(Diagnostic::error(File::Authkeys, title).help(help))
    })
}

fn read_keys(dir: &Path, copied: bool) -> LoadedKeys {
    let path = dir.join(File::Authkeys.name());
    let mut sources = Sources::default();
    let (keys, diagnostics) = match read_bytes(&path, File::Authkeys) {
        Err(diagnostic) => (None, vec![*diagnostic]),
        Ok((bytes, metadata)) => {
            let read = authkeys::read(&bytes);
            sources.authkeys.shown = read.shown;
            let exposed = (!copied).then(|| exposed(&path, metadata.mode(), metadata.uid()));
            let exposed = exposed.flatten();
            let keys = read.keys.filter(|_| exposed.is_none());
            (keys, exposed.into_iter().chain(read.diagnostics).collect())
        }
    };
    sources.authkeys.path = path;
    LoadedKeys {
        keys,
        diagnostics,
        sources,
    }
}

/// Whether somebody else than root and this user could read or write the keys.
fn exposed(path: &Path, mode: u32, owner: u32) -> Option<Diagnostic> {
    let (mode, path) = (mode & 0o7777, path.display());
    if owner != 0 && owner != nix::unistd::geteuid().as_raw() {
        return Some(
            Diagnostic::error(
                File::Authkeys,
                format!("the keys belong to another user (number {owner})"),
            )
            .help(format!("make them root's own: `chown root {path}`")),
        );
    }
    (mode & 0o077 != 0).then(|| {
        Diagnostic::error(
            File::Authkeys,
            format!("the keys are open to other users (mode {mode:03o})"),
        )
        .help(format!(
            "keep them to root: `chmod 600 {path}`; if others could read them, change the keys"
        ))
    })
}

/// Reads a file that holds no secret; the flag says whether it could be read.
fn read_text(dir: &Path, file: File, diagnostics: &mut Vec<Diagnostic>) -> (Source, bool) {
    let path = dir.join(file.name());
    match read_bytes(&path, file) {
        Ok((bytes, _)) => {
            let shown = text::decode(&bytes);
            diagnostics.extend(foreign_bytes(&bytes, &shown, file));
            (Source { path, shown }, true)
        }
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            let shown = String::new();
            (Source { path, shown }, false)
        }
    }
}

/// Says where bytes stand that are no UTF-8, except in comments, where they do no harm.
fn foreign_bytes(bytes: &[u8], shown: &str, file: File) -> Option<Diagnostic> {
    if core::str::from_utf8(bytes).is_ok() {
        return None;
    }
    text::lines(shown).find_map(|(offset, line)| {
        let end = offset.saturating_add(text::without_comment(line).len());
        let at = bytes
            .get(offset..end)?
            .iter()
            .position(|byte| !byte.is_ascii())?;
        let at = offset.saturating_add(at);
        Some(
            Diagnostic::error(file, "the file is not UTF-8 text")
                .at(&(at..at.saturating_add(1)), "this byte is not")
                .help("write the word again in an editor that saves UTF-8"),
        )
    })
}

/// Reads a whole file, or says why that cannot be done.
fn read_bytes(path: &Path, file: File) -> Result<(Vec<u8>, std::fs::Metadata), Box<Diagnostic>> {
    let refuse =
        |title: String, help: String| Err(Box::new(Diagnostic::error(file, title).help(help)));
    let name = file.name();
    // Without waiting, should it be a pipe.
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .and_then(|open| Ok((open.metadata()?, open)));
    let (metadata, open) = match opened {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refuse(format!("there is no {name}"), create_help(file, path));
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return refuse(
                format!("{name} may not be read by this user"),
                "run this as root".to_owned(),
            );
        }
        Err(error) => {
            let help = "mend the file or its directory, then try again".to_owned();
            return refuse(format!("{name} cannot be read: {error}"), help);
        }
    };
    if !metadata.is_file() {
        return refuse(
            format!("{name} is not a regular file"),
            format!("put a text file in its place: {}", path.display()),
        );
    }
    let mut bytes = Vec::new();
    let read = open
        .take(FILE_BYTES_MAX.saturating_add(1))
        .read_to_end(&mut bytes);
    match read {
        Err(error) => refuse(
            format!("{name} cannot be read: {error}"),
            "mend the file or its disk, then try again".to_owned(),
        ),
        Ok(_) if bytes.len() as u64 > FILE_BYTES_MAX => refuse(
            format!("{name} is larger than {} KiB", FILE_BYTES_MAX / 1024),
            "it is probably another file; a real one is a few lines long".to_owned(),
        ),
        Ok(_) => Ok((bytes, metadata)),
    }
}

fn create_help(file: File, path: &Path) -> String {
    let path = path.display();
    match file {
        File::HaCf => format!(
            "create {path} with the nodes, the times and a link, or name another directory with \
             `--config-dir`"
        ),
        File::Haresources => format!(
            "create {path} with a line such as `rproxy1 10.8.0.1 nginx`, the same on both nodes; \
             it may be empty"
        ),
        File::Authkeys => {
            format!("let `systole keygen` write {path}, and copy it to the other node")
        }
    }
}

/// The address of a heartbeat link belongs to one machine and cannot move.
fn check_fixed_addresses(
    ha_cf: &HaCf,
    groups: &[haresources::Line],
    diagnostics: &mut Vec<Diagnostic>,
) {
    for resource in groups.iter().flat_map(|group| &group.resources) {
        let Resource::Address(address) = &resource.value else {
            continue;
        };
        let links = ha_cf.links.iter().filter_map(|link| link.config.as_ref());
        let fixed = Medium::Ucast(address.address);
        if links
            .filter_map(LinkConfig::udp)
            .any(|link| link.medium == fixed)
        {
            diagnostics.push(
                Diagnostic::error(
                    File::Haresources,
                    format!("{} is a node's own address in ha.cf", address.address),
                )
                .at(&resource.span, "a `ucast` line sends heartbeats there")
                .help(
                    "a service address moves between the nodes, so it must be one that no \
                     machine has by itself",
                ),
            );
        }
    }
}

/// Puts the parts together; `None` when one is missing, which an error has said.
fn cluster(own: &str, parts: &Parts, timing: Timing, keys: Keys) -> Option<Cluster> {
    let ha_cf = &parts.ha_cf;
    let peer = ha_cf.nodes.iter().find(|node| node.value != own)?;
    let nodes = u8::try_from(ha_cf.nodes.len()).ok()?;
    let hopfudge = ha_cf.hopfudge.as_ref().map_or(1, |hops| hops.value);
    Some(Cluster {
        node: own.to_owned(),
        peer: peer.value.clone(),
        keepalive: timing.keepalive,
        deadtime: timing.deadtime,
        warntime: timing.warntime,
        initdead: timing.initdead,
        auto_failback: ha_cf
            .auto_failback
            .as_ref()
            .map_or(systole_core::config::AutoFailback::Legacy, |set| set.value),
        ttl: nodes.saturating_add(hopfudge),
        links: ha_cf
            .links
            .iter()
            .filter_map(|link| link.config.clone())
            .collect(),
        groups: haresources::groups(&parts.groups),
        resources_digest: haresources::digest(&parts.groups),
        keys,
        serial_auth: ha_cf.serial_auth.as_ref().map(|auth| auth.value),
        log: ha_cf.log(),
        directives: ha_cf.directives.clone(),
    })
}
