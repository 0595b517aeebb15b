//! The Linux-HA heartbeat state machine: what a node of a two-node cluster says, believes and does.
//!
//! One machine, [`Node`], takes events and gives actions. It reads no clock, opens no socket, logs
//! nothing, allocates nothing and does not panic on input. Given the same configuration, seed and
//! events it gives the same actions, byte for byte; so a simulator, a daemon and a board can all be
//! its host, and a record of events replays an incident.
//!
//! # The loop
//!
//! Every host is this loop:
//!
//! 1. wait for one event, or for the time that [`Node::deadline`] names;
//! 2. hand the event, or [`Event::Tick`](event::Event::Tick), to [`Node::handle`] with the time;
//! 3. take actions from [`Node::poll_action`] until there is none, and carry them out;
//! 4. give a finished `Acquire` or `Release` back as
//!    [`Event::GroupDone`](event::Event::GroupDone);
//! 5. read the deadline again;
//! 6. wait.
//!
//! Frames that have already arrived are handed over before a `Tick`, because a tick may find that
//! the peer has been silent.
//!
//! ```
//! use systole_core::action::Action;
//! use systole_core::auth::{Key, Keys, Method};
//! use systole_core::config::{AutoFailback, Config, Encoding, GroupConfig, Settings};
//! use systole_core::event::{Event, Operation, Outcome};
//! use systole_core::hold::Side;
//! use systole_core::id::{GroupName, NodeName};
//! use systole_core::limits::FRAME_BYTES_MAX;
//! use systole_core::time::{Duration, Instant};
//! use systole_core::Node;
//!
//! let groups = [GroupConfig { name: GroupName::new("10.8.0.1")?, side: Side::Local }];
//! let config = Config::new(Settings {
//!     node: NodeName::new("rproxy1")?,
//!     peer: NodeName::new("rproxy2")?,
//!     uuid: [1; 16],
//!     generation: 1,
//!     unix_time: 1_800_000_000,
//!     keepalive: Duration::from_millis(100),
//!     deadtime: Duration::from_millis(500),
//!     warntime: Duration::from_millis(250),
//!     initdead: Duration::from_secs(2),
//!     auto_failback: AutoFailback::On,
//!     ttl: 3,
//!     links: &[Encoding::Netstring],
//!     groups: &groups,
//!     resources_digest: 0,
//!     keys: Keys::new(1, [(1, Key::new(Method::Sha1, b"secret")?)])?,
//! })?;
//!
//! let mut now = Instant::from_micros(0);
//! let mut node = Node::new(config, 42, now);
//! let mut frame = [0; FRAME_BYTES_MAX];
//! let mut acquired = None;
//! // Nobody answers, so after initdead this node takes the group.
//! while acquired.is_none() {
//!     node.handle(now, Event::Tick);
//!     while let Some(action) = node.poll_action(&mut frame) {
//!         match action {
//!             Action::Transmit { link, len } => { /* send frame[..len] on the link */ }
//!             Action::Acquire(group) => acquired = Some(group),
//!             _ => {}
//!         }
//!     }
//!     now = node.deadline().expect("a running node has a next heartbeat").0;
//! }
//! let group = acquired.expect("it is set");
//! assert!(now >= Instant::from_micros(2_000_000));
//! node.handle(now, Event::GroupDone { group, operation: Operation::Acquire, outcome: Outcome::Done });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it will not do
//!
//! It knows two nodes, not three. It does not start services: an `Acquire` is a wish, the host has
//! the means. It cannot tell a dead peer from one that no link reaches any more; then both nodes go
//! on, and when they meet again each keeps the groups that prefer it.
#![no_std]

pub mod action;
pub mod auth;
pub mod board;
pub mod config;
pub mod event;
mod group;
pub mod guard;
pub mod hold;
pub mod id;
pub mod limits;
mod link;
pub mod node;
mod outbox;
mod peer;
mod random;
pub mod report;
mod sequence;
pub mod time;
pub mod timer;
pub mod wire;

pub use node::Node;
pub use peer::PeerKind;
