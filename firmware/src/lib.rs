//! The board side of Systole.
#![no_std]
