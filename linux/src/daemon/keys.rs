//! authkeys, read again while the daemon runs.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use systole_core::auth::Keys;
use tokio::sync::oneshot;

use crate::config::load_keys;
use crate::config::render::{Style, render};

/// New keys, or what is wrong with the file.
pub(super) type KeyNews = Result<Box<Keys>, String>;

/// Reads authkeys again beside the heart, which must not wait for the disk.
///
/// One reading at a time: were there two, the older one could end last and bring old keys back.
pub(super) struct KeyReader {
    read: Arc<dyn Fn() -> KeyNews + Send + Sync>,
    reading: Option<oneshot::Receiver<KeyNews>>,
    /// The file may have changed since the reading began.
    again: bool,
}

impl KeyReader {
    pub(super) fn new(config_dir: &Path, serial_auth: Option<u8>) -> Self {
        let dir = config_dir.to_owned();
        Self::with(move || {
            let loaded = load_keys(&dir, serial_auth);
            let text = || render(&loaded.diagnostics, &loaded.sources, Style::Plain);
            loaded.keys.map(Box::new).ok_or_else(text)
        })
    }

    fn with(read: impl Fn() -> KeyNews + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            reading: None,
            again: false,
        }
    }

    /// Starts to read; when a reading is under way, it is done again after that.
    pub(super) fn begin(&mut self) {
        if self.reading.is_some() {
            self.again = true;
            return;
        }
        let (tell, told) = oneshot::channel();
        self.reading = Some(told);
        let read = Arc::clone(&self.read);
        // Without a thread nothing is told, which `next` notices.
        let _ = thread::Builder::new()
            .name("authkeys".to_owned())
            .spawn(move || tell.send(read()));
    }

    /// Waits for the result of a reading. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> KeyNews {
        while let Some(reading) = &mut self.reading {
            let news = reading.await;
            self.reading = None;
            if !core::mem::take(&mut self.again) {
                let failed = "the thread that reads it could not be started; try again";
                return news.unwrap_or_else(|_| Err(failed.to_owned()));
            }
            self.begin();
        }
        core::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use tokio::time::timeout;

    use super::*;

    /// Aim: keys that change while they are read are read again, and old ones never come last; a
    /// disk that hangs costs one thread, however often a reload is asked for.
    #[tokio::test]
    async fn the_last_reload_wins() {
        let (hang, hangs) = channel::<()>();
        let (hangs, count) = (Mutex::new(hangs), Mutex::new(0));
        let mut reader = KeyReader::with(move || {
            let number = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count
            };
            hangs.lock().unwrap().recv().unwrap();
            Err(format!("reading {number}"))
        });
        for _ in 0..1_000 {
            reader.begin();
        }
        let short = Duration::from_millis(50);
        assert!(timeout(short, reader.next()).await.is_err());
        hang.send(()).unwrap();
        hang.send(()).unwrap();
        let news = timeout(Duration::from_secs(5), reader.next())
            .await
            .unwrap();
        assert_eq!(news.err().unwrap(), "reading 2");
        assert!(timeout(short, reader.next()).await.is_err());
    }
}
