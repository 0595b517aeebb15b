//! The run loop: one task, one select, one [`Node`].
//!
//! Nothing in this task waits for a disk, a log, a name server or a child process. Resources are
//! the [`Agent`]'s, on a thread of its own; logs leave through a bounded queue.

mod setup;
mod view;

use core::time::Duration;

use futures_util::FutureExt as _;
use sd_notify::NotifyState;
use systole_core::Node;
use systole_core::action::Action;
use systole_core::event::{Command, Event};
use systole_core::id::LinkId;
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::report::Report;
use systole_core::time::Instant;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::agent::Agent;
use crate::clock;
use crate::control::{Control, Reply, Request};
use crate::journal::Names;
use crate::link::{LinkEvent, Links};
pub use setup::{Options, RunError, run};

/// Frames that may be looked at between a deadline and its tick. They have arrived before it, so they
/// may say that the peer is alive; a flood must not hold the heartbeat up for long all the same.
const FRAMES_BEFORE_TICK: usize = 512;

/// The daemon at work.
struct Daemon {
    node: Node,
    links: Links,
    agent: Agent,
    control: Control,
    names: Names,
    signals: Signals,
    reload: setup::Reload,
    view: view::View,
    frame: [u8; FRAME_BYTES_MAX],
    /// One byte longer than a frame, so that a longer datagram shows.
    buffer: Box<[u8; FRAME_BYTES_MAX + 1]>,
    /// What the last command came to.
    verdict: Option<Report>,
    watchdog: Option<Duration>,
    fed_at: Instant,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

enum Wake {
    Link(LinkEvent),
    Done(crate::agent::GroupDone),
    Control(Request),
    Stop,
    Reload,
    Tick,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl Daemon {
    /// Runs until the node has stopped.
    async fn run(&mut self) {
        self.handle(Event::Tick);
        while !self.drain() {
            match self.wait().await {
                Wake::Link(event) => self.on_link(event),
                Wake::Done(done) => self.handle(Event::GroupDone {
                    group: done.group,
                    operation: done.operation,
                    outcome: done.outcome,
                }),
                Wake::Control(request) => self.on_request(request),
                Wake::Stop => self.handle(Event::Command(Command::Stop)),
                Wake::Reload => self.on_reload(),
                Wake::Tick => self.on_deadline(),
            }
        }
    }

    fn handle(&mut self, event: Event<'_>) {
        self.node.handle(clock::now(), event);
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self) -> Wake {
        let deadline = self.node.deadline().map(|(at, _)| at);
        let sleep = async {
            match deadline {
                Some(at) => clock::sleep_until(at).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = sleep => Wake::Tick,
            event = self.links.recv(&mut self.buffer[..]) => Wake::Link(event),
            done = self.agent.done() => Wake::Done(done),
            request = self.control.next() => Wake::Control(request),
            _ = self.signals.terminate.recv() => Wake::Stop,
            _ = self.signals.interrupt.recv() => Wake::Stop,
            _ = self.signals.hangup.recv() => Wake::Reload,
        }
    }

    /// The deadline has come. What is already here goes first: it may be the missing heartbeat.
    fn on_deadline(&mut self) {
        for _ in 0..FRAMES_BEFORE_TICK {
            let Some(event) = self.links.recv(&mut self.buffer[..]).now_or_never() else { break };
            self.on_link(event);
        }
        self.handle(Event::Tick);
        self.feed_watchdog();
    }

    fn on_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Frame { link, len } => {
                let bytes = self.buffer.get(..len).unwrap_or_default();
                self.node.handle(clock::now(), Event::Frame { link, bytes });
            }
            LinkEvent::Changed { link, works } => {
                self.log_link(link);
                self.handle(Event::LinkChanged { link, works });
            }
        }
    }

    /// Carries out what the node asks for. Says whether it has stopped.
    fn drain(&mut self) -> bool {
        while let Some(action) = self.node.poll_action(&mut self.frame) {
            match action {
                Action::Transmit { link, len } => {
                    // A link that fails says so through `recv`, once.
                    let bytes = self.frame.get(..len).unwrap_or_default();
                    let _ = self.links.send(link, bytes);
                }
                Action::Acquire(group) => self.agent.acquire(group),
                Action::Release(group) => self.agent.release(group),
                Action::Announce(group) => self.agent.announce(group),
                Action::Report(report) => self.on_report(report),
                Action::Stopped => return true,
                _ => {}
            }
        }
        false
    }
}
