//! The run loop: one task, one select, one [`Node`].
//!
//! Nothing in this task waits for a disk, a log, a name server or a child process. Resources are
//! the [`Agent`]'s, on a thread of its own; logs leave through a bounded queue.

mod addresses;
mod keys;
mod manager;
mod setup;
mod view;

use systole_core::Node;
use systole_core::action::Action;
use systole_core::event::{Command, Event};
use systole_core::hold::Hold;
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::report::Report;
use systole_core::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::agent::{Agent, GroupDone};
use crate::clock;
use crate::control::{Ask, Control, Reply, Request, What};
use crate::journal::Journal;
use crate::link::{LinkEvent, Links};
use crate::report::Names;
pub use setup::{Options, RunError, run};

/// Frames that may be looked at between a deadline and its tick. They came before it, so they may say
/// that the peer is alive; all the same a flood must not hold the heartbeat up for long.
const FRAMES_BEFORE_TICK: usize = 512;

/// The daemon at work.
struct Daemon {
    node: Node,
    links: Links,
    agent: Agent,
    leases: addresses::Leases,
    control: Control,
    view: view::View,
    names: Names,
    journal: std::sync::Arc<Journal>,
    signals: Signals,
    alarm: clock::Alarm,
    keys: keys::KeyReader,
    manager: manager::Manager,
    watchdog: Watchdog,
    frame: [u8; FRAME_BYTES_MAX],
    /// One byte longer than a frame, so that a longer datagram shows.
    buffer: [u8; FRAME_BYTES_MAX + 1],
    /// What the last command came to.
    verdict: Option<Report>,
    stopped: bool,
}

/// What can wake the loop.
enum Wake {
    Tick,
    Done(GroupDone),
    Stop,
    Reload,
    Keys(keys::KeyNews),
    Control(Request),
    Link(LinkEvent),
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
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

/// systemd's watchdog, fed by the heart itself: a stuck loop is a dead daemon.
struct Watchdog {
    every: Option<Duration>,
    fed_at: Instant,
}

impl Watchdog {
    fn new() -> Self {
        Self {
            every: sd_notify::watchdog_enabled().map(|limit| clock::duration(limit).divided_by(3)),
            fed_at: clock::now(),
        }
    }

    /// When it wants to be fed next, with heartbeats further apart than its limit too.
    fn next(&self) -> Option<Instant> {
        self.every.map(|every| self.fed_at + every)
    }

    fn feed(&mut self, manager: &mut manager::Manager) {
        let now = clock::now();
        if self
            .every
            .is_some_and(|every| now.since(self.fed_at) >= every)
        {
            self.fed_at = now;
            manager.tell("WATCHDOG", "1");
        }
    }
}

impl Daemon {
    /// Runs until the node has stopped.
    async fn run(&mut self) {
        self.manager.tell("READY", "1");
        self.handle(Event::Tick);
        while !self.drain() {
            match self.wait().await {
                Wake::Tick => self.on_deadline(),
                Wake::Done(GroupDone {
                    group,
                    operation,
                    outcome,
                }) => {
                    self.handle(Event::GroupDone {
                        group,
                        operation,
                        outcome,
                    });
                }
                Wake::Stop => {
                    self.manager.tell("STOPPING", "1");
                    self.handle(Event::Command(Command::Stop));
                }
                Wake::Reload => {
                    self.journal.reopen();
                    self.keys.begin();
                }
                Wake::Keys(news) => self.on_keys(&news),
                Wake::Control(request) => self.on_request(request),
                Wake::Link(event) => self.on_link(&event),
            }
        }
    }

    fn handle(&mut self, event: Event<'_>) {
        self.node.handle(clock::now(), event);
    }

    /// Waits for whatever comes first. Links come last, so that a flood on them starves nobody.
    async fn wait(&mut self) -> Wake {
        let deadline = self.node.deadline().map(|(at, _)| at);
        let deadline = deadline.into_iter().chain(self.watchdog.next()).min();
        let ring = async {
            match deadline {
                Some(at) => self.alarm.ring(at).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = ring => Wake::Tick,
            done = self.agent.done() => Wake::Done(done),
            _ = self.signals.terminate.recv() => Wake::Stop,
            _ = self.signals.interrupt.recv() => Wake::Stop,
            _ = self.signals.hangup.recv() => Wake::Reload,
            news = self.keys.next() => Wake::Keys(news),
            request = self.control.next() => Wake::Control(request),
            event = self.links.recv(&mut self.buffer[..]) => Wake::Link(event),
        }
    }

    /// The deadline has come. What is already here goes first: it may be the missing heartbeat.
    fn on_deadline(&mut self) {
        for _ in 0..FRAMES_BEFORE_TICK {
            let Some(event) = self.links.try_recv(&mut self.buffer[..]) else {
                break;
            };
            self.on_link(&event);
        }
        self.handle(Event::Tick);
        self.watchdog.feed(&mut self.manager);
        self.manager.flush();
    }

    fn on_link(&mut self, event: &LinkEvent) {
        let now = clock::now();
        match event {
            LinkEvent::Frame { link, len } => {
                let bytes = self.buffer.get(..*len).unwrap_or_default();
                self.node.handle(now, Event::Frame { link: *link, bytes });
            }
            LinkEvent::Changed { link, works, why } => {
                if *works {
                    tracing::info!("{why}");
                } else {
                    tracing::error!("{why}");
                }
                self.node.handle(
                    now,
                    Event::LinkChanged {
                        link: *link,
                        works: *works,
                    },
                );
            }
        }
    }

    fn on_keys(&mut self, news: &keys::KeyNews) {
        match news {
            Ok(keys) => self.handle(Event::Keys(keys)),
            Err(text) => tracing::error!("authkeys was not taken over, the old keys stay: {text}"),
        }
    }

    /// Carries out what the node asks for. Says whether it has stopped.
    fn drain(&mut self) -> bool {
        while let Some(action) = self.node.poll_action(&mut self.frame) {
            match action {
                Action::Transmit { link, len } => {
                    // Before, so that the peer hears us for at least as long as the lease counts on.
                    let now = clock::now();
                    // A link that fails says so by itself, once. It is a beat all the same: a node
                    // that is left alone must go on to serve.
                    let _ = self
                        .links
                        .send(link, self.frame.get(..len).unwrap_or_default());
                    self.leases.pulse.beat(now);
                }
                Action::Acquire(group) => self.agent.acquire(group),
                Action::Release(group) => {
                    self.leases.forgo(group);
                    self.agent.release(group);
                }
                Action::Announce(group) => self.agent.announce(group),
                Action::Report(report) => self.on_report(&report),
                Action::Stopped => self.stopped = true,
            }
        }
        self.stopped
    }

    /// Whether anything that the peer must not have as well is still here.
    fn holds_something(&self) -> bool {
        self.node.status().own_hold().0 != Hold::None
    }

    fn on_report(&mut self, report: &Report) {
        let sentence = self.names.sentence(*report);
        sentence.log();
        self.view.on_report(report, &sentence);
        if let Report::OwnHold { .. } = report {
            self.manager.tell("STATUS", &sentence.text);
        }
        if let Report::Accepted(_) | Report::Refused(..) = report {
            self.verdict = Some(*report);
        }
    }

    fn on_request(&mut self, request: Request) {
        let command = match request.ask {
            Ask::Status => {
                let report = self.view.report(self.node.status(), self.journal.dropped());
                return request.answer(Reply::Status(Box::new(report)));
            }
            Ask::Standby { what } => Command::Standby(hold(what)),
            Ask::Takeover { what } => Command::Takeover(hold(what)),
        };
        self.verdict = None;
        self.handle(Event::Command(command));
        // The core says at once whether it takes a command on; the reports tell.
        self.drain();
        request.answer(match self.verdict {
            Some(Report::Refused(_, why)) => Reply::Refused(self.names.refusal(why)),
            _ => Reply::Accepted,
        });
    }
}

const fn hold(what: What) -> Hold {
    match what {
        What::All => Hold::All,
        What::Local => Hold::Local,
        What::Foreign => Hold::Foreign,
    }
}
