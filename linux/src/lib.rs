//! The Systole daemon and its command line, as a library for its own binary, its tests and xtask.

pub mod check;
pub mod config;
