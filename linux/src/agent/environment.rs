//! What a resource script finds in its environment: the original's variables.

use std::path::Path;

use crate::config::LogConfig;

/// Variables of the service manager that would make a child speak in our name.
pub(super) const WITHHELD: [&str; 9] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "JOURNAL_STREAM",
    "INVOCATION_ID",
    "SYSTEMD_EXEC_PID",
];

/// The variables that every script gets beside those of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// Collects the variables. `directives` are those of ha.cf with their values as written.
    #[must_use]
    pub fn new(
        config_dir: &Path,
        state_dir: &Path,
        node: &str,
        log: &LogConfig,
        directives: &[(String, String)],
    ) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: String| {
            pairs.retain(|(earlier, _)| earlier != name);
            pairs.push((name.to_owned(), value));
        };
        for (name, value) in directives {
            set(&format!("HA_{name}"), value.clone());
        }
        let under = |name: &str| config_dir.join(name).display().to_string();
        set("HA_CURHOST", node.to_owned());
        set("HA_DIR", config_dir.display().to_string());
        set("HA_RCDIR", under("rc.d"));
        set("HA_RESOURCEDIR", under("resource.d"));
        set("HA_FUNCS", under("shellfuncs"));
        set("HA_CF", under("ha.cf"));
        set("HA_FIFO", state_dir.join("fifo").display().to_string());
        set("HA_BIN", "/usr/lib/heartbeat".to_owned());
        set("HA_DOCDIR", "/usr/share/doc/heartbeat".to_owned());
        set("HA_DATEFMT", "%Y/%m/%d_%T ".to_owned());
        set("HA_debug", log.debug.to_string());
        set("HA_LOGD", if log.system { "yes" } else { "no" }.to_owned());
        if let Some(file) = &log.file {
            set("HA_LOGFILE", file.display().to_string());
        }
        if let Some(file) = &log.debug_file {
            set("HA_DEBUGLOG", file.display().to_string());
        }
        if let Some(facility) = &log.facility {
            set("HA_LOGFACILITY", facility.clone());
        }
        set("OCF_ROOT", "/usr/lib/ocf".to_owned());
        set(
            "OCF_AGENTS",
            "/usr/lib/ocf/resource.d/heartbeat/".to_owned(),
        );
        set("LC_ALL", "C".to_owned());
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/sbin:/bin".to_owned());
        set("PATH", format!("/usr/sbin:/usr/share/heartbeat:{path}"));
        Self(pairs)
    }

    /// The variables, each name once.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: scripts find the original's variables, directives included, and each only once.
    #[test]
    fn the_originals_variables() {
        let log = LogConfig {
            file: Some("/var/log/ha".into()),
            debug: 1,
            ..LogConfig::default()
        };
        let directives = [
            ("keepalive".to_owned(), "200ms".to_owned()),
            ("debug".to_owned(), "0".to_owned()),
        ];
        let environment = Environment::new(
            Path::new("/etc/ha.d"),
            Path::new("/var/lib/heartbeat"),
            "rproxy1",
            &log,
            &directives,
        );
        let find = |name: &str| {
            let mut all = environment.pairs().filter(|(other, _)| *other == name);
            let first = all.next().map(|(_, value)| value.to_owned());
            assert_eq!(all.next(), None, "{name} is there twice");
            first
        };
        assert_eq!(find("HA_keepalive").as_deref(), Some("200ms"));
        assert_eq!(find("HA_debug").as_deref(), Some("1"));
        assert_eq!(find("HA_CURHOST").as_deref(), Some("rproxy1"));
        assert_eq!(
            find("HA_RESOURCEDIR").as_deref(),
            Some("/etc/ha.d/resource.d")
        );
        assert_eq!(find("HA_LOGFILE").as_deref(), Some("/var/log/ha"));
        assert_eq!(find("HA_LOGFACILITY"), None);
        assert_eq!(find("LC_ALL").as_deref(), Some("C"));
        assert!(
            find("PATH")
                .unwrap()
                .starts_with("/usr/sbin:/usr/share/heartbeat:")
        );
    }
}
