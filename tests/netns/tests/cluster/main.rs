//! Real daemons on real sockets, real netlink and the real nginx: what the client and the neighbours saw.
//!
//! Every test has a world of its own in namespaces and touches nothing else; they take turns.
#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

mod admin;
mod hostile;
mod lab;
mod life;
mod network;
mod resources;
mod serial;
