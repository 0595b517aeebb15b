//! The Linux-HA heartbeat state machine.
#![no_std]

pub mod action;
pub mod auth;
pub mod config;
pub mod event;
mod group;
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
