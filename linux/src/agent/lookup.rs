//! Finds what a word of haresources stands for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::nginx::Nginx;

/// Where resources are looked up, in this order. Another root can be given for tests.
#[derive(Clone, Debug)]
pub struct Places {
    /// First: directories of scripts, `/etc/ha.d/resource.d` and `/etc/init.d`.
    pub scripts: Vec<PathBuf>,
    /// Exists when systemd runs this machine.
    pub systemd: PathBuf,
    /// Second: directories of systemd's unit files.
    pub units: Vec<PathBuf>,
    /// Third, and only for the word `nginx`: its binary.
    pub nginx: PathBuf,
    /// The program that talks to systemd.
    pub systemctl: PathBuf,
}

impl Places {
    /// The usual places, with scripts in `resource.d` of the configuration's directory.
    #[must_use]
    pub fn new(config_dir: &Path) -> Self {
        Self {
            scripts: vec![config_dir.join("resource.d"), "/etc/init.d".into()],
            systemd: "/run/systemd/system".into(),
            units: [
                "/etc/systemd/system",
                "/run/systemd/system",
                "/usr/local/lib/systemd/system",
                "/usr/lib/systemd/system",
                "/lib/systemd/system",
            ]
            .map(PathBuf::from)
            .to_vec(),
            nginx: "/usr/sbin/nginx".into(),
            systemctl: "systemctl".into(),
        }
    }

    /// Finds what a word stands for: the first of a script, a systemd unit, nginx itself.
    ///
    /// On Debian a script in `/etc/init.d` passes the request on to systemd's unit by itself.
    ///
    /// # Errors
    /// When it is in none of the places, or in a form that cannot be used.
    pub(super) fn find(&self, name: &str, args: &[String]) -> Result<Found, LookupError> {
        let mut tried = Vec::new();
        for dir in &self.scripts {
            let path = dir.join(name);
            match fs::metadata(&path) {
                Ok(meta) if !meta.is_file() => tried.push(Tried::NoFile(path)),
                Ok(meta) if meta.permissions().mode() & 0o111 == 0 => {
                    tried.push(Tried::NotExecutable(path));
                }
                Ok(_) => return Ok(Found::Script(path)),
                Err(_) => tried.push(Tried::Absent(path)),
            }
        }
        let unit = format!("{name}.service");
        if self.systemd.is_dir() {
            if self.units.iter().any(|dir| dir.join(&unit).exists()) {
                if !args.is_empty() {
                    return Err(LookupError::UnitWithArguments(unit));
                }
                return Ok(Found::Unit(unit));
            }
            tried.push(Tried::Unit(unit));
        }
        if name == "nginx" {
            if self.nginx.is_file() {
                return Ok(Found::Nginx(Nginx::new(&self.nginx, args)));
            }
            tried.push(Tried::Absent(self.nginx.clone()));
        }
        Err(LookupError::Nowhere(tried))
    }
}

/// What a word stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// A script, called with the arguments and `start`, `stop` or `status`.
    Script(PathBuf),
    /// A systemd unit.
    Unit(String),
    /// nginx, run directly.
    Nginx(Nginx),
}

/// One place in which there was nothing to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Not there.
    Absent(PathBuf),
    /// There, but without permission to execute it.
    NotExecutable(PathBuf),
    /// There, but not a file.
    NoFile(PathBuf),
    /// systemd has no such unit.
    Unit(String),
}

/// Why a word stands for nothing. Nothing was run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LookupError {
    /// It is in none of the places.
    #[error("there is no such script or unit: tried {}", list(.0))]
    Nowhere(Vec<Tried>),
    /// A unit cannot be given arguments.
    #[error("{0} is a systemd unit, and those take no arguments: remove what follows `::`")]
    UnitWithArguments(String),
}

fn list(tried: &[Tried]) -> String {
    let text: Vec<String> = tried
        .iter()
        .map(|tried| match tried {
            Tried::Absent(path) => path.display().to_string(),
            Tried::NotExecutable(path) => {
                format!("{} (not executable: chmod +x it)", path.display())
            }
            Tried::NoFile(path) => format!("{} (not a file)", path.display()),
            Tried::Unit(unit) => format!("systemd unit {unit}"),
        })
        .collect();
    text.join(", ")
}
