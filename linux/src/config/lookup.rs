//! What reading the files has to ask of the machine, with bounded waiting.

use core::net::IpAddr;
use core::time::Duration;
use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::sync::mpsc;

/// How long the look-up of one name may take. The files are read before the daemon runs.
const RESOLVE_MAX: Duration = Duration::from_secs(5);

/// Where to look, and whether to.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    /// Whether names and services are looked up at all.
    pub(crate) machine: bool,
    /// `/`, or a test's stand-in.
    pub(crate) root: PathBuf,
}

impl Lookup {
    /// The port of a UDP service in /etc/services.
    pub(crate) fn udp_service(&self, service: &str) -> Option<u16> {
        if !self.machine {
            return None;
        }
        let text = std::fs::read_to_string(self.root.join("etc/services")).ok()?;
        text.lines().find_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let name = words.next()?;
            let (port, protocol) = words.next()?.split_once('/')?;
            let named = name == service || words.any(|alias| alias == service);
            (named && protocol == "udp").then(|| port.parse().ok())?
        })
    }

    /// The first address of a host; `Ok(None)` when names are not looked up.
    pub(crate) fn host(&self, name: &str, want_ipv6: bool) -> Result<Option<IpAddr>, String> {
        if !self.machine {
            return Ok(None);
        }
        let (sender, receiver) = mpsc::channel();
        let query = (name.to_owned(), 0_u16);
        // The resolver cannot be interrupted, so it gets a thread that may outlive the wait.
        std::thread::spawn(move || {
            let answer = query
                .to_socket_addrs()
                .map(|found| found.map(|address| address.ip()).collect::<Vec<_>>())
                .map_err(|error| error.to_string());
            drop(sender.send(answer));
        });
        match receiver.recv_timeout(RESOLVE_MAX) {
            Ok(Ok(addresses)) => addresses
                .into_iter()
                .find(|address| address.is_ipv6() == want_ipv6)
                .map(Some)
                .ok_or_else(|| format!("it has no IPv{} address", if want_ipv6 { 6 } else { 4 })),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!(
                "no answer within {} seconds",
                RESOLVE_MAX.as_secs()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the service is found by name or alias, for UDP only, and never without permission.
    #[test]
    fn services() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(
            root.path().join("etc/services"),
            "# x\nha-cluster 1/tcp\nheartbeat 695/udp ha-cluster # alias\n",
        )
        .unwrap();
        let mut lookup = Lookup {
            machine: true,
            root: root.path().to_owned(),
        };
        assert_eq!(lookup.udp_service("ha-cluster"), Some(695));
        lookup.machine = false;
        assert_eq!(lookup.udp_service("ha-cluster"), None);
    }
}
