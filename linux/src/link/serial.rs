//! One serial line: raw 8N1 with RTS/CTS flow control, messages in the classic encoding back to back.
//!
//! Nothing waits. What the line cannot carry is dropped in whole messages, and what it could not
//! carry for seconds is thrown away, so that a line that comes back does not bring old heartbeats.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{
    BaudRate, ControlFlags, FlushArg, InputFlags, SetArg, SpecialCharacterIndices, cfmakeraw,
    cfsetspeed, tcflush, tcgetattr, tcsetattr,
};
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::wire::line::LineReader;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, Sleep, sleep};

use super::error::{LinkError, errno};

/// Messages that can wait. A line that is that far behind has carried nothing for several intervals.
const WAITING_MAX: usize = 8;

/// Bytes read at once.
const CHUNK: usize = 512;

/// Reads in one poll: a line cannot bring more in this time, but a pty can, and others want a turn.
const READS_MAX: usize = 8;

/// When to look again whether a line that was full has room.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Between two attempts to open a device.
const RETRY: Duration = Duration::from_secs(1);

/// A line that takes nothing for so long is not connected, or nobody listens at its other end.
const STALLED: Duration = Duration::from_secs(2);

/// Bytes that must have left before a stalled line is taken to work: more than a UART or an adapter
/// takes although nobody listens.
const PROOF: usize = 1024;

/// A message and how much of it the kernel has taken.
struct Waiting {
    bytes: [u8; FRAME_BYTES_MAX],
    len: usize,
    written: usize,
}

/// One serial line.
pub(super) struct Line {
    path: String,
    baud: u32,
    device: Option<AsyncFd<File>>,
    /// An attempt to open the device; where its driver waits for hardware, that thread waits.
    opening: Option<JoinHandle<Result<File, LinkError>>>,
    reader: LineReader,
    chunk: [u8; CHUNK],
    /// The part of the chunk that has not been looked at.
    unread: core::ops::Range<usize>,
    waiting: VecDeque<Waiting>,
    /// When the line has carried what the kernel was given; while it is closed, when to open it.
    free_at: Instant,
    wake: Pin<Box<Sleep>>,
    full_since: Option<Instant>,
    /// After a stall: bytes that have left since.
    proof: Option<usize>,
    /// Bytes that the kernel has taken and that have perhaps not left.
    given: usize,
    dropped: u64,
}

impl Line {
    /// A line that is not open yet. Needs a tokio runtime.
    pub(super) fn new(path: &str, baud: u32) -> Self {
        Self {
            path: path.to_owned(),
            baud,
            device: None,
            opening: None,
            reader: LineReader::new(),
            chunk: [0; CHUNK],
            unread: 0..0,
            waiting: VecDeque::with_capacity(WAITING_MAX),
            free_at: Instant::now(),
            wake: Box::pin(sleep(Duration::ZERO)),
            full_since: None,
            proof: None,
            given: 0,
            dropped: 0,
        }
    }

    /// Opens the device, which may take its driver some time. If that fails it is tried again.
    pub(super) fn open_now(&mut self) -> Result<(), LinkError> {
        self.free_at = Instant::now() + RETRY;
        let device = open(&self.path, self.baud)?;
        self.on_open(device)
    }

    fn on_open(&mut self, device: File) -> Result<(), LinkError> {
        self.device = Some(register(device, &self.path)?);
        self.reader = LineReader::new();
        self.unread = 0..0;
        self.free_at = Instant::now();
        self.full_since = None;
        self.proof = None;
        // Ends whatever noise the peer has read while nobody was here.
        self.put(b"\n");
        Ok(())
    }

    /// Opens a device that is not open, on a thread of its own. Ready when that has ended.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        if self.opening.is_none() {
            self.wake.as_mut().reset(self.free_at);
            ready!(self.wake.as_mut().poll(context));
        }
        let (path, baud) = (&self.path, self.baud);
        let attempt = self.opening.get_or_insert_with(|| {
            let path = path.clone();
            spawn_blocking(move || open(&path, baud))
        });
        let opened = ready!(Pin::new(attempt).poll(context));
        self.opening = None;
        self.free_at = Instant::now() + RETRY;
        match opened {
            Ok(opened) => Poll::Ready(opened.and_then(|device| self.on_open(device))),
            // The runtime ends.
            Err(_) => Poll::Pending,
        }
    }

    /// The path of the device.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Messages that were dropped.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing sent has left for some time.
    pub(super) fn stalled(&self) -> Option<LinkError> {
        self.proof
            .is_some()
            .then(|| LinkError::LineStalled(self.path.clone()))
    }

    /// Queues a message, and writes it at once if the line is free. A full queue loses its oldest
    /// message: the newest heartbeat is the one that counts.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.put(bytes);
        self.write()
    }

    fn put(&mut self, bytes: &[u8]) {
        let mut message = Waiting {
            bytes: [0; FRAME_BYTES_MAX],
            len: bytes.len(),
            written: 0,
        };
        let Some(place) = message.bytes.get_mut(..bytes.len()) else {
            return;
        };
        place.copy_from_slice(bytes);
        if self.waiting.len() == WAITING_MAX {
            // The first one may have been sent in part: cutting it off would cost the next one too.
            let begun = self.waiting.front().is_some_and(|first| first.written > 0);
            let _ = self.waiting.remove(usize::from(begun));
            self.dropped = self.dropped.saturating_add(1);
        }
        self.waiting.push_back(message);
    }

    /// Gives the kernel the next message when the line has carried those before it, so that what
    /// has become old waits here, where it can be dropped.
    fn write(&mut self) -> Result<(), LinkError> {
        while let (Some(device), Some(message)) = (&self.device, self.waiting.front_mut()) {
            let now = Instant::now();
            if now < self.free_at {
                return Ok(());
            }
            let rest = message.bytes.get(message.written..message.len);
            let taken = if has_room(device.get_ref()) {
                match device.get_ref().write(rest.unwrap_or_default()) {
                    Ok(taken) => taken,
                    Err(error) if is_transient(&error) => 0,
                    Err(error) => return Err(self.lose("write to", &error)),
                }
            } else {
                0
            };
            if taken == 0 {
                self.on_full(now);
                return Ok(());
            }
            // There was room, so what was given before has left.
            let left = core::mem::replace(&mut self.given, taken);
            self.proof = self
                .proof
                .map(|proof| proof + left)
                .filter(|proof| *proof < PROOF);
            message.written += taken;
            if message.written >= message.len {
                self.waiting.pop_front();
            }
            self.free_at = now + time_on_line(taken, self.baud);
            self.full_since = None;
        }
        Ok(())
    }

    fn on_full(&mut self, now: Instant) {
        self.free_at = now + LOOK_AGAIN;
        let since = *self.full_since.get_or_insert(now);
        if now - since < STALLED {
            return;
        }
        self.full_since = None;
        self.proof = Some(0);
        self.given = 0;
        let lost = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        self.dropped = self.dropped.saturating_add(lost);
        self.waiting.clear();
        if let Some(device) = &self.device {
            let _ = tcflush(device.get_ref(), FlushArg::TCOFLUSH);
        }
        self.put(b"\n");
    }

    /// Writes what is due, and gives the next message that has arrived, in `buffer`; none when the
    /// line was opened. Without a context the kernel itself is asked for bytes.
    pub(super) fn read(
        &mut self,
        mut context: Option<&mut Context<'_>>,
        buffer: &mut [u8],
    ) -> Poll<Result<Option<usize>, LinkError>> {
        if self.device.is_none() {
            let opened = context.map_or(Poll::Pending, |context| self.poll_open(context));
            return opened.map_ok(|()| None);
        }
        if let Err(fault) = self.write_due(context.as_deref_mut()) {
            return Poll::Ready(Err(fault));
        }
        for _ in 0..READS_MAX {
            if let Some(len) = self.next_message(buffer) {
                return Poll::Ready(Ok(Some(len)));
            }
            let read = match context.as_deref_mut() {
                Some(context) => self.poll_chunk(context),
                None => self.chunk_now(),
            };
            if let Err(error) = ready!(read) {
                return Poll::Ready(Err(self.lose("read from", &error)));
            }
        }
        if let Some(context) = context {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Writes what the line has room for, and asks to be woken when it has room again.
    fn write_due(&mut self, context: Option<&mut Context<'_>>) -> Result<(), LinkError> {
        let Some(context) = context else {
            return self.write();
        };
        loop {
            self.write()?;
            if self.waiting.is_empty() {
                return Ok(());
            }
            self.wake.as_mut().reset(self.free_at);
            if self.wake.as_mut().poll(context).is_pending() {
                return Ok(());
            }
        }
    }

    /// The next message within the chunk.
    fn next_message(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let mut bytes = self.chunk.get(self.unread.clone()).unwrap_or_default();
        let message = self.reader.read(&mut bytes);
        self.unread.start = self.unread.end.saturating_sub(bytes.len());
        let message = message?;
        buffer.get_mut(..message.len())?.copy_from_slice(message);
        Some(message.len())
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let Some(device) = &self.device else {
                return Poll::Pending;
            };
            let mut readable = ready!(device.poll_read_ready(context))?;
            let chunk = &mut self.chunk;
            match readable.try_io(|device| read(device.get_ref(), chunk)) {
                Ok(Ok(len)) => {
                    self.unread = 0..len;
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }

    fn chunk_now(&mut self) -> Poll<io::Result<()>> {
        let Some(device) = &self.device else {
            return Poll::Pending;
        };
        match read(device.get_ref(), &mut self.chunk) {
            Ok(len) => {
                self.unread = 0..len;
                Poll::Ready(Ok(()))
            }
            Err(error) if is_transient(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The device is gone or broken: it is closed, and opened again later.
    fn lose(&mut self, what: &'static str, error: &io::Error) -> LinkError {
        self.waiting.clear();
        self.proof = None;
        self.free_at = Instant::now() + RETRY;
        if let Some(device) = self.device.take() {
            let device = device.into_inner();
            // A driver may take its time for this as well.
            spawn_blocking(move || close(&device));
        }
        failure(what, &self.path)(error)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(device) = self.device.take() {
            close(device.get_ref());
        }
    }
}

/// Throws away what has not left yet: without this the kernel waits half a minute for a line that
/// takes nothing.
fn close(device: &File) {
    let _ = tcflush(device, FlushArg::TCOFLUSH);
}

/// Reads some bytes; a terminal that was hung up, because its hardware is gone, is an error.
fn read(mut device: &File, chunk: &mut [u8]) -> io::Result<usize> {
    match device.read(chunk) {
        Ok(0) => Err(Errno::EIO.into()),
        read => read,
    }
}

/// Whether the kernel has little left to send: for a terminal "writable" means fewer than 256 bytes.
fn has_room(device: &File) -> bool {
    let mut ask = [PollFd::new(device.as_fd(), PollFlags::POLLOUT)];
    let asked = poll(&mut ask, PollTimeout::ZERO);
    // An error or a hang-up also counts: writing tells which.
    asked.is_ok_and(|answers| answers > 0)
}

fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// How long a line is busy with some bytes: a start bit, eight data bits and a stop bit each.
fn time_on_line(bytes: usize, baud: u32) -> Duration {
    let bits = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(10);
    Duration::from_secs(bits.into()) / baud.max(1)
}

/// Opens a terminal for us alone and sets it up.
fn open(path: &str, baud: u32) -> Result<File, LinkError> {
    let fail = |what| failure(what, path);
    let device = File::options()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK).bits())
        .open(path)
        .map_err(|error| fail("open")(&error))?;
    device.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => LinkError::DeviceInUse(path.to_owned()),
        TryLockError::Error(error) => fail("lock")(&error),
    })?;
    set_up(&device, baud).map_err(|errno| {
        if errno == Errno::ENOTTY {
            LinkError::NoTerminal(path.to_owned())
        } else {
            fail("set up")(&errno.into())
        }
    })?;
    Ok(device)
}

fn register(device: File, path: &str) -> Result<AsyncFd<File>, LinkError> {
    #[expect(
        deprecated,
        reason = "its replacement is unsafe; a File keeps its descriptor as long as it lives"
    )]
    AsyncFd::with_interest(device, Interest::READABLE)
        .map_err(|error| failure("wait for", path)(&error))
}

fn set_up(device: &File, baud: u32) -> nix::Result<()> {
    let mut settings = tcgetattr(device)?;
    cfmakeraw(&mut settings);
    // A break is what a port sends while it is switched on; it says nothing.
    settings.input_flags |= InputFlags::IGNBRK;
    settings.control_flags |= ControlFlags::CREAD | ControlFlags::CLOCAL | ControlFlags::CRTSCTS;
    settings.control_flags &= !(ControlFlags::CSTOPB | ControlFlags::PARENB);
    for (index, value) in [
        (SpecialCharacterIndices::VMIN, 1),
        (SpecialCharacterIndices::VTIME, 0),
    ] {
        if let Some(place) = settings.control_chars.get_mut(index as usize) {
            *place = value;
        }
    }
    cfsetspeed(&mut settings, rate(baud).ok_or(Errno::EINVAL)?)?;
    tcsetattr(device, SetArg::TCSANOW, &settings)?;
    // What arrived before we were here has been answered by nobody.
    tcflush(device, FlushArg::TCIOFLUSH)
}

/// The rates of ha.cf(5).
const RATES: [(u32, BaudRate); 7] = [
    (9_600, BaudRate::B9600),
    (19_200, BaudRate::B19200),
    (38_400, BaudRate::B38400),
    (57_600, BaudRate::B57600),
    (115_200, BaudRate::B115200),
    (230_400, BaudRate::B230400),
    (460_800, BaudRate::B460800),
];

fn rate(baud: u32) -> Option<BaudRate> {
    let found = RATES.iter().find(|(number, _)| *number == baud)?;
    Some(found.1)
}

fn failure(what: &'static str, path: &str) -> impl FnOnce(&io::Error) -> LinkError + use<> {
    let path = path.to_owned();
    move |error| {
        let errno = errno(error);
        if matches!(errno, Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) {
            LinkError::DeviceMissing(path)
        } else if matches!(errno, Errno::EACCES | Errno::EPERM) {
            LinkError::DeviceRefused(path)
        } else {
            LinkError::Device { what, path, errno }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BAUD_RATES;

    /// Aim: every rate that ha.cf may have can be set.
    #[test]
    fn all_rates() {
        assert!(BAUD_RATES.iter().all(|baud| rate(*baud).is_some()));
        assert_eq!(BAUD_RATES.len(), RATES.len());
    }

    /// Aim: a byte takes ten bits on the line, so a heartbeat takes the time that check promises.
    #[test]
    fn bytes_take_their_time() {
        assert_eq!(time_on_line(1_920, 19_200), Duration::from_secs(1));
        assert_eq!(time_on_line(usize::MAX, 9_600).as_secs(), 447_392);
    }
}
