//! A deterministic simulation of a whole cluster: the core's two nodes, the network between them,
//! their machines and resources, in one thread and virtual time. See README.md beside this crate.
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a simulator's index out of range is a bug in the simulator and must stop it"
)]

pub mod clock;
pub mod cluster;
pub mod contact;
mod daemon;
pub mod fact;
pub mod machine;
pub mod network;
pub mod random;
mod schedule;
pub mod setup;
