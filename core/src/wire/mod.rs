//! The Linux-HA wire.
