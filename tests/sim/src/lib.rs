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
pub mod describe;
pub mod fact;
pub mod forge;
pub mod machine;
pub mod network;
pub mod random;
pub mod scenario;
mod schedule;
pub mod setup;
