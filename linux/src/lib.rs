//! The Systole daemon and its command line, as a library for its own binary, its tests and xtask.

pub mod agent;
pub mod check;
pub mod clock;
pub mod config;
pub mod demo;
pub mod daemon;
pub mod entropy;
pub mod journal;
pub mod link;
pub mod service_ip;
pub mod state;
