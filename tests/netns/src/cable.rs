//! A serial cable between the two nodes: pseudo-terminals, and a thread that carries bytes between
//! them as a wire does. It always reads, and keeps nothing that the other end does not take.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use systole::demo::sample::Host;

/// Milliseconds that the thread waits for bytes before it looks whether it shall end.
const LOOK: u8 = 20;

/// A cable whose ends are serial devices of the nodes.
#[derive(Debug)]
pub struct Cable {
    paths: [PathBuf; 2],
    wire: Arc<Wire>,
    /// Held open, so that a daemon that ends leaves the terminal as it is.
    _devices: [File; 2],
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Wire {
    cut: AtomicBool,
    ended: AtomicBool,
    /// Bytes out of a million that are damaged, and as many that are added.
    noise: AtomicU32,
    carried: AtomicU64,
    damaged: AtomicU64,
}

impl Default for Cable {
    fn default() -> Self {
        Self::new()
    }
}

impl Cable {
    /// Lays a cable.
    #[must_use]
    pub fn new() -> Self {
        let [first, second] = [(); 2].map(|()| end());
        let wire = Arc::new(Wire::default());
        let carrier = Arc::clone(&wire);
        let far = [first.2, second.2];
        Self {
            paths: [first.0, second.0],
            wire,
            _devices: [first.1, second.1],
            thread: Some(std::thread::spawn(move || carrier.carry(&far))),
        }
    }

    /// A node's device.
    #[must_use]
    pub fn path(&self, host: Host) -> &Path {
        let [first, second] = &self.paths;
        match host {
            Host::First => first,
            Host::Second => second,
        }
    }

    /// Cuts it, or mends it.
    pub fn cut(&self, cut: bool) {
        self.wire.cut.store(cut, Ordering::Relaxed);
    }

    /// Damages so many of a million bytes, and adds as many.
    pub fn noise(&self, per_million: u32) {
        self.wire.noise.store(per_million, Ordering::Relaxed);
    }

    /// Bytes that it has carried, and how many of them were damaged or added.
    #[must_use]
    pub fn carried(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.wire.carried), read(&self.wire.damaged))
    }
}

/// One end: the path of its device, the device, and its far side.
fn end() -> (PathBuf, File, File) {
    let far = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)
        .expect("a pseudo-terminal");
    unlockpt(&far).expect("an unlocked one");
    let path = PathBuf::from(ptsname_r(&far).expect("its name"));
    let device = File::options()
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits())
        .open(&path)
        .expect("its device");
    let mut settings = tcgetattr(&device).expect("a terminal");
    // Without this the terminal would answer what it is sent, until a daemon opens it.
    cfmakeraw(&mut settings);
    tcsetattr(&device, SetArg::TCSANOW, &settings).expect("a raw terminal");
    (path, device, File::from(OwnedFd::from(far)))
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.wire.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok(), "the cable's thread has failed");
        }
    }
}

impl Wire {
    fn carry(&self, ends: &[File; 2]) {
        let [first, second] = ends;
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        while !self.ended.load(Ordering::Relaxed) {
            let mut ready = [first, second].map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN));
            if poll(&mut ready, PollTimeout::from(LOOK)).is_ok_and(|ends| ends > 0) {
                self.carry_one_way(first, second, &mut random);
                self.carry_one_way(second, first, &mut random);
            }
        }
    }

    fn carry_one_way(&self, mut from: &File, mut to: &File, random: &mut u64) {
        let mut buffer = [0; 256];
        let Ok(len) = from.read(&mut buffer) else {
            return;
        };
        if self.cut.load(Ordering::Relaxed) {
            return;
        }
        let noise = u64::from(self.noise.load(Ordering::Relaxed));
        let mut sent = Vec::new();
        for byte in buffer.iter().take(len) {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            let strange = random.to_le_bytes()[7];
            match *random % 1_000_000 {
                hit if hit < noise => sent.push(byte ^ (strange | 1)),
                hit if hit < noise * 2 => sent.extend([*byte, strange]),
                _ => sent.push(*byte),
            }
            self.damaged.fetch_add(
                u64::from(*random % 1_000_000 < noise * 2),
                Ordering::Relaxed,
            );
        }
        self.carried.fetch_add(len as u64, Ordering::Relaxed);
        // What the other end does not take is lost, as on a wire.
        let _ = to.write(&sent);
    }
}
