//! The board side of Systole.
//!
//! Everything a board decides is decided by [`systole_core`], the crate the Linux daemon decides with;
//! this one has what is the same on every board, and `boards/` what is not. Today that is the
//! self-test: the proof that the core does on the microcontroller what it does on Linux.
#![no_std]

pub mod self_test;
