//! The methods of authkeys.

/// The keys of authkeys.
#[derive(Clone, Debug)]
pub struct Keys;
