//! The Systole daemon and its command line, as a library for its own binary, its tests and xtask.

pub mod agent;
pub mod cli;
pub mod clock;
pub mod compat;
pub mod config;
pub mod control;
pub mod entropy;
pub mod journal;
pub mod keygen;
pub mod operator;
pub mod report;
pub mod state;
pub mod status;
