//! The project's own commands: `cargo xtask VERB`.

fn main() {}
