//! The Linux-HA heartbeat state machine.
#![no_std]

pub mod action;
pub mod auth;
pub mod config;
pub mod event;
pub mod hold;
pub mod id;
pub mod limits;
pub mod report;
pub mod time;
pub mod wire;
