//! `systole demo`: two nodes, a client and a failover on this machine, with nothing of it touched.
//!
//! The laboratory behind it serves the integration tests and the benchmarks as well.

pub mod analysis;
pub mod lab;
pub mod part;
pub mod sample;

mod command;
mod live;
mod picture;
mod screen;
mod story;
mod table;

pub use command::{Args, listen_for_signals, run};
