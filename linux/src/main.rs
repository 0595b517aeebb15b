//! The `systole` binary.

fn main() {}
