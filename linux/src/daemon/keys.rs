//! authkeys, read again while the daemon runs.

use std::path::{Path, PathBuf};

use systole_core::auth::Keys;
use tokio::sync::mpsc;

use crate::config::load_keys;
use crate::config::render::{Style, render};

/// New keys, or what is wrong with the file.
pub(super) type KeyNews = Result<Box<Keys>, String>;

/// Reads authkeys again beside the heart, which must not wait for the disk.
pub(super) struct KeyReader {
    config_dir: PathBuf,
    serial_auth: Option<u8>,
    send: mpsc::Sender<KeyNews>,
    receive: mpsc::Receiver<KeyNews>,
}

impl KeyReader {
    pub(super) fn new(config_dir: &Path, serial_auth: Option<u8>) -> Self {
        let (send, receive) = mpsc::channel(1);
        Self {
            config_dir: config_dir.to_owned(),
            serial_auth,
            send,
            receive,
        }
    }

    /// Starts to read. When a read is under way already, its result is as good.
    pub(super) fn begin(&self) {
        let (dir, send) = (self.config_dir.clone(), self.send.clone());
        let serial_auth = self.serial_auth;
        tokio::task::spawn_blocking(move || {
            let loaded = load_keys(&dir, serial_auth);
            let text = || render(&loaded.diagnostics, &loaded.sources, Style::Plain);
            let _ = send.try_send(loaded.keys.map(Box::new).ok_or_else(text));
        });
    }

    /// Waits for the result of a read.
    pub(super) async fn next(&mut self) -> KeyNews {
        match self.receive.recv().await {
            Some(news) => news,
            None => core::future::pending().await,
        }
    }
}
