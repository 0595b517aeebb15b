//! When to look at the interfaces again: soon after the kernel says that one has changed, and at
//! least once a second should it say nothing.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;

use rtnetlink::MulticastGroup;
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{AsyncSocket, SocketAddr, TokioSocket};
use tokio::time::{Instant, Sleep, sleep};

/// The longest time a change can go unnoticed when the kernel does not announce it.
const IDLE: Duration = Duration::from_secs(1);

/// One change comes as several notifications; they are looked at together.
const SETTLE: Duration = Duration::from_millis(10);

/// Notifications drained per poll, so that a storm of them cannot hold up the frames.
const DRAIN_MAX: usize = 64;

pub(super) struct Watch {
    socket: Option<TokioSocket>,
    sleep: Pin<Box<Sleep>>,
    settling: bool,
}

impl Watch {
    /// Needs a tokio runtime. Without notifications the timer alone does the work.
    pub(super) fn new() -> Self {
        let socket = subscribe()
            .inspect_err(|error| {
                tracing::warn!(
                    "no notice of interface changes from the kernel ({error}); \
                     looking once a second instead"
                );
            })
            .ok();
        Self {
            socket,
            sleep: Box::pin(sleep(IDLE)),
            settling: false,
        }
    }

    /// Ready when it is time to look.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.poll_notified(context) && !self.settling {
            self.settling = true;
            self.sleep.as_mut().reset(Instant::now() + SETTLE);
        }
        if self.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.settling = false;
        self.sleep.as_mut().reset(Instant::now() + IDLE);
        Poll::Ready(())
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
                    return true;
                }
            }
        }
        context.waker().wake_by_ref();
        notified
    }
}

fn subscribe() -> io::Result<TokioSocket> {
    let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr]
        .into_iter()
        .fold(0_u32, |mask, group| mask | 1 << (group as u32 - 1));
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
    Ok(socket)
}
