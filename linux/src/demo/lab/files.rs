//! The files of a node: those of the Heartbeat article, with the timings scaled down.

use core::fmt::Write as _;
use core::time::Duration;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::LabError;
use super::{SERVICE_ADDRESS, SERVICE_PORT};
use crate::demo::sample::Host;

/// The key that the article chose.
pub const KEY: &str = "ThisIsMySecretKeyAndICanChooseAnyStringHere";

/// What stands behind the service address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// The nginx of this machine, with a configuration of its own.
    Nginx(PathBuf),
    /// A small HTTP responder inside this binary that plays its part.
    Responder,
}

impl Service {
    /// nginx where it is installed, else the responder.
    #[must_use]
    pub fn detect() -> Self {
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .map_or(Self::Responder, Self::Nginx)
    }
}

/// What the two nodes are configured to do, and how closely they are watched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// ha.cf: between two heartbeats.
    pub keepalive: Duration,
    /// ha.cf: silence after which a node is late.
    pub warntime: Duration,
    /// ha.cf: silence after which a node is dead.
    pub deadtime: Duration,
    /// ha.cf: the same just after start-up.
    pub initdead: Duration,
    /// ha.cf: `on`, `off` or `legacy`.
    pub auto_failback: &'static str,
    /// ha.cf: the heartbeat links.
    pub links: Vec<String>,
    /// ha.cf: further lines.
    pub directives: Vec<String>,
    /// haresources.
    pub haresources: String,
    /// What the resource script `nginx` starts.
    pub service: Service,
    /// Between two probes of a kind.
    pub probe_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keepalive: Duration::from_millis(100),
            warntime: Duration::from_millis(250),
            deadtime: Duration::from_millis(500),
            initdead: Duration::from_secs(2),
            auto_failback: "on",
            links: Host::BOTH
                .map(|host| format!("ucast eth0 192.168.1.{}", host.number()))
                .into(),
            directives: Vec::new(),
            haresources: format!("rproxy1 {SERVICE_ADDRESS} nginx\n"),
            service: Service::detect(),
            probe_interval: Duration::from_millis(5),
        }
    }
}

impl Settings {
    /// The text of ha.cf.
    #[must_use]
    pub fn ha_cf(&self) -> String {
        let mut text = String::from("use_logd on\n");
        for (name, time) in [
            ("keepalive", self.keepalive),
            ("deadtime", self.deadtime),
            ("warntime", self.warntime),
            ("initdead", self.initdead),
        ] {
            let _ = writeln!(text, "{name} {}ms", time.as_millis());
        }
        text.push_str("udpport 695\n");
        for line in self.links.iter().chain(&self.directives) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "auto_failback {}", self.auto_failback);
        let [first, second] = Host::BOTH;
        let _ = writeln!(text, "node {first} {second}");
        text
    }
}

/// Where a node keeps what.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Everything of the node.
    pub root: PathBuf,
    /// Its `/etc/ha.d`.
    pub config: PathBuf,
    /// Its `/var/lib/heartbeat`.
    pub state: PathBuf,
    /// Its `/run/systole`.
    pub runtime: PathBuf,
    /// What its daemon printed.
    pub log: PathBuf,
}

impl Paths {
    pub(super) fn new(lab: &Path, host: Host) -> Self {
        let root = lab.join(host.name());
        Self {
            config: root.join("ha.d"),
            state: root.join("state"),
            runtime: root.join("run"),
            log: root.join("daemon.log"),
            root,
        }
    }

    /// Writes the node's files anew.
    pub(super) fn write(
        &self,
        host: Host,
        settings: &Settings,
        binary: &Path,
    ) -> Result<(), LabError> {
        let scripts = self.config.join("resource.d");
        let nginx = self.root.join("nginx");
        for directory in [&scripts, &self.state, &self.runtime, &nginx] {
            fs::create_dir_all(directory).map_err(LabError::file(directory))?;
        }
        write(&self.config.join("ha.cf"), &settings.ha_cf(), 0o644)?;
        write(
            &self.config.join("haresources"),
            &settings.haresources,
            0o644,
        )?;
        write(&self.config.join("authkeys"), &authkeys(), 0o600)?;
        write(&nginx.join("nginx.conf"), &nginx_conf(&nginx, host), 0o644)?;
        let start = match &settings.service {
            Service::Nginx(program) => {
                let (program, at) = (program.display(), nginx.display());
                format!("'{program}' -e '{at}/error.log' -p '{at}/' -c '{at}/nginx.conf'")
            }
            Service::Responder => format!(
                "setsid '{}' demo-part responder --listen {SERVICE_ADDRESS}:{SERVICE_PORT} \
                 --name {host} --pid-file $pid </dev/null >'{}/error.log' 2>&1 &\n    \
                 while ! alive; do kill -0 $! || exit 1; sleep 0.005; done",
                binary.display(),
                nginx.display(),
            ),
        };
        self.write_script("nginx", &SCRIPT.replace("START", &start))
    }

    /// Writes a resource script.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_script(&self, name: &str, text: &str) -> Result<(), LabError> {
        write(&self.config.join("resource.d").join(name), text, 0o755)
    }

    /// Empties what a machine loses with its power: its `/run`.
    pub(super) fn forget_runtime(&self) -> Result<(), LabError> {
        let _ = fs::remove_dir_all(&self.runtime);
        fs::create_dir_all(&self.runtime).map_err(LabError::file(&self.runtime))
    }
}

/// The text of authkeys.
#[must_use]
pub fn authkeys() -> String {
    format!("auth 1\n1 sha1 {KEY}\n")
}

/// Writes a file with its permissions.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str, mode: u32) -> Result<(), LabError> {
    fs::write(path, text).map_err(LabError::file(path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(LabError::file(path))
}

/// `resource.d/nginx`. The pid file is on the machine's own `/run`, which a power cut empties.
const SCRIPT: &str = "#!/bin/sh
# Starts and stops the service behind the service address of this node.
pid=/run/nginx.pid
alive() { [ -s $pid ] && kill -0 \"$(cat $pid)\" 2>/dev/null; }
case \"$1\" in
start)
    alive && exit 0
    START
    ;;
stop)
    alive || exit 0
    kill -TERM \"$(cat $pid)\"
    while alive; do sleep 0.005; done
    ;;
status)
    if alive; then echo running; else echo stopped; exit 3; fi
    ;;
*)
    echo \"usage: $0 start|stop|status\" >&2
    exit 2
    ;;
esac
";

fn nginx_conf(at: &Path, host: Host) -> String {
    let at = at.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {at}/{kind};\n"))
        .concat();
    format!(
        "user root;
worker_processes 1;
pid /run/nginx.pid;
error_log {at}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
{temporary}    server {{
        listen {SERVICE_ADDRESS}:{SERVICE_PORT};
        location / {{ return 200 \"{host}\\n\"; }}
    }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the file is the article's, line by line, but for the times.
    #[test]
    fn ha_cf_is_the_articles() {
        let expected = "use_logd on
keepalive 100ms
deadtime 500ms
warntime 250ms
initdead 2000ms
udpport 695
ucast eth0 192.168.1.1
ucast eth0 192.168.1.2
auto_failback on
node rproxy1 rproxy2
";
        assert_eq!(Settings::default().ha_cf(), expected);
    }
}
