//! Looks at the interfaces again: soon after the kernel says that one has changed, and now and then
//! should it say nothing: every second while something is wrong, else rarely, because a look costs
//! more than a heartbeat.
//!
//! The looks are taken on a thread of its own. The kernel answers only when nobody holds its lock
//! on the network, and a driver that resets its card can hold that for seconds.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rtnetlink::MulticastGroup;
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{AsyncSocket, SocketAddr, TokioSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

use super::interface::Interface;

/// The longest time a change can go unnoticed when the kernel does not announce changes, and the
/// time between two attempts to open a link that does not work.
const ANXIOUS: Duration = Duration::from_secs(1);

/// The longest time a change can go unnoticed when the kernel announces them and all links work.
const CALM: Duration = Duration::from_secs(30);

/// The same after a link has come back, and how often: a switch may need a while until it forwards,
/// and only a look makes the kernel ask for a peer that has not answered.
const SOON: Duration = Duration::from_millis(100);
const SOON_LOOKS: u32 = 20;

/// One change comes as several notifications; they are looked at together.
const SETTLE: Duration = Duration::from_millis(10);

/// Notifications drained per poll, so that a storm of them cannot hold up the frames.
const DRAIN_MAX: usize = 64;

/// What a look has found.
type Found = io::Result<Vec<Interface>>;

pub(super) struct Watch {
    socket: Option<TokioSocket>,
    sleep: Pin<Box<Sleep>>,
    settling: bool,
    /// Looks that come soon.
    soon: u32,
    /// Asks for a look; the thread ends when this is dropped.
    ask: SyncSender<()>,
    found: mpsc::Receiver<Found>,
    looking: bool,
}

impl Watch {
    /// Needs a tokio runtime. Without notifications the timer alone does the work.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn new(mut look: impl FnMut() -> Found + Send + 'static) -> io::Result<Self> {
        let socket = subscribe()
            .inspect_err(|error| {
                tracing::warn!(
                    "no notice of interface changes from the kernel ({error}); \
                     looking once a second instead"
                );
            })
            .ok();
        let (ask, asked) = sync_channel(1);
        let (tell, found) = mpsc::channel(1);
        thread::Builder::new()
            .name("interfaces".to_owned())
            .spawn(
                move || {
                    while asked.recv().is_ok() && tell.blocking_send(look()).is_ok() {}
                },
            )?;
        Ok(Self {
            socket,
            sleep: Box::pin(sleep(ANXIOUS)),
            settling: false,
            soon: 0,
            ask,
            found,
            looking: false,
        })
    }

    /// Ready with what the interfaces are now, whenever it was time to look.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Found> {
        if self.poll_notified(context) && !self.settling {
            self.settling = true;
            self.sleep.as_mut().reset(Instant::now() + SETTLE);
        }
        if !self.looking {
            ready!(self.sleep.as_mut().poll(context));
            self.settling = false;
            self.sleep.as_mut().reset(Instant::now() + ANXIOUS);
            // One look at a time, so there is room.
            self.looking = self.ask.try_send(()).is_ok();
        }
        let found = ready!(self.found.poll_recv(context));
        self.looking = false;
        Poll::Ready(found.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into())))
    }

    /// Says how things were at the last look, and whether a link has come back. Until told, the next
    /// look is within a second.
    pub(super) fn seen(&mut self, all_works: bool, returned: bool) {
        if returned {
            self.soon = SOON_LOOKS;
        }
        if self.settling {
            return;
        }
        if let Some(left) = self.soon.checked_sub(1) {
            self.soon = left;
            self.sleep.as_mut().reset(Instant::now() + SOON);
        } else if all_works && self.socket.is_some() {
            self.sleep.as_mut().reset(Instant::now() + CALM);
        }
    }

    /// Makes the next look be soon, because something no longer works.
    pub(super) fn worry(&mut self) {
        if !self.settling {
            self.sleep.as_mut().reset(Instant::now() + ANXIOUS);
        }
    }

    fn poll_notified(&mut self, context: &mut Context<'_>) -> bool {
        let Some(socket) = &self.socket else {
            return false;
        };
        let mut notified = false;
        // What a notification says does not matter: the state is read afterwards.
        let mut buffer = Vec::with_capacity(64);
        for _ in 0..DRAIN_MAX {
            buffer.clear();
            match socket.poll_recv(context, &mut buffer) {
                Poll::Pending => return notified,
                Poll::Ready(Ok(())) => notified = true,
                // The socket overflowed: something has certainly changed.
                Poll::Ready(Err(error)) if error.raw_os_error() == Some(nix::libc::ENOBUFS) => {
                    notified = true;
                }
                Poll::Ready(Err(error)) => {
                    tracing::warn!("notices of interface changes have ended: {error}");
                    self.socket = None;
                    self.worry();
                    return true;
                }
            }
        }
        context.waker().wake_by_ref();
        notified
    }
}

fn subscribe() -> io::Result<TokioSocket> {
    let groups = [
        MulticastGroup::Link,
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
    ]
    .into_iter()
    .fold(0_u32, |mask, group| mask | 1 << (group as u32 - 1));
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use std::sync::mpsc::channel;

    use tokio::time::timeout;

    use super::*;

    /// Aim: a kernel that does not answer holds nobody up, and is asked only once until it does.
    #[tokio::test]
    async fn a_look_that_hangs() {
        let (begin, looks) = channel();
        let (answer, answers) = channel::<()>();
        let mut watch = Watch::new(move || {
            let _ = begin.send(());
            let _ = answers.recv();
            Ok(Vec::new())
        })
        .unwrap();
        watch.socket = None;
        let hangs = timeout(ANXIOUS * 5 / 2, poll_fn(|context| watch.poll(context))).await;
        assert!(hangs.is_err());
        assert_eq!(looks.try_iter().count(), 1);
        answer.send(()).unwrap();
        let found = timeout(ANXIOUS, poll_fn(|context| watch.poll(context))).await;
        assert!(found.unwrap().unwrap().is_empty());
    }
}
