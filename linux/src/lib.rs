//! The Systole daemon and its command line, as a library for its own binary, its tests and xtask.

pub mod agent;
pub mod check;
pub mod cli;
pub mod clock;
pub mod compat;
pub mod config;
pub mod control;
pub mod daemon;
pub mod demo;
pub mod entropy;
pub mod journal;
pub mod keygen;
pub mod link;
pub mod operator;
pub mod report;
pub mod service_ip;
pub mod state;
pub mod status;
