//! A deterministic simulation of a whole cluster: the core's two nodes, the network between them,
//! their machines and resources, in one thread and virtual time. See README.md beside this crate.
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a bug in the simulator must stop it, and an observer looks only at what it is about"
)]

pub mod checker;
pub mod clock;
pub mod cluster;
pub mod contact;
pub mod coverage;
mod daemon;
pub mod describe;
pub mod fact;
pub mod forge;
pub mod machine;
pub mod nemesis;
pub mod network;
pub mod options;
pub mod random;
pub mod scenario;
mod schedule;
pub mod setup;
pub mod vopr;
