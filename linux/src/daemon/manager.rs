//! What the service manager is told. Nothing here waits: a systemd that hangs does not read its
//! socket any more, and the heart must not stop beating for that.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixDatagram;

/// systemd's end of `sd_notify(3)`.
pub(super) struct Manager {
    socket: Option<(UnixDatagram, OsString)>,
    /// What could not be said yet, by name; a newer value takes the place of an older one.
    due: BTreeMap<&'static str, String>,
}

impl Manager {
    /// Finds the manager that has started us; `None` when there is none.
    pub(super) fn new(path: Option<OsString>) -> Self {
        let open = |path| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            io::Result::Ok((socket, path))
        };
        Self {
            socket: path.and_then(|path| open(path).ok()),
            due: BTreeMap::new(),
        }
    }

    /// Says `name=value`, now or with the next `flush` that finds room.
    pub(super) fn tell(&mut self, name: &'static str, value: &str) {
        if self.socket.is_some() {
            self.due.insert(name, value.replace('\n', " "));
            self.flush();
        }
    }

    /// Tries again what could not be said.
    pub(super) fn flush(&mut self) {
        let Some((socket, path)) = &self.socket else {
            return;
        };
        if self.due.is_empty() {
            return;
        }
        let lines = self
            .due
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        let text: String = lines.collect();
        match socket.send_to(text.as_bytes(), path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Whoever cannot be reached at all is not going to miss it.
            Ok(_) | Err(_) => self.due.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn read(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    /// Aim: a manager that does not read holds nobody up, and hears the latest when it reads again.
    #[test]
    fn a_manager_that_hangs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (tell, told) = channel();
        thread::spawn(move || {
            let mut manager = Manager::new(Some(path.into()));
            manager.tell("READY", "1");
            for number in 0..5_000 {
                manager.tell("STATUS", &format!("number\n{number}"));
            }
            tell.send(manager).unwrap();
        });
        let mut manager = told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(read(&socket), "READY=1\n");
        assert_eq!(read(&socket), "STATUS=number 0\n");
        manager.tell("WATCHDOG", "1");
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 256];
        let mut last = String::new();
        while let Ok(count) = socket.recv(&mut buffer) {
            last = String::from_utf8(buffer[..count].to_vec()).unwrap();
        }
        assert_eq!(last, "STATUS=number 4999\nWATCHDOG=1\n");
        manager.flush();
        assert!(socket.recv(&mut buffer).is_err(), "said twice");
    }

    /// Aim: without a manager, or with one that is gone, nothing is kept for it.
    #[test]
    fn no_manager() {
        for path in [None, Some("/nonexistent/notify".into())] {
            let mut manager = Manager::new(path);
            manager.tell("READY", "1");
            assert!(manager.due.is_empty());
        }
    }
}
