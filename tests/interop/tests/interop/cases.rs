//! The rows of the matrix.

mod life;

use crate::pair::Role;

/// One row: what is done, in one role; it returns what was measured.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Role) -> String,
}

const fn case(name: &'static str, run: fn(Role) -> String) -> Case {
    Case { name, run }
}

/// All rows, the long ones first.
pub(crate) const ALL: &[Case] = &[
    case("start: Systole first", life::ours_first),
    case("start: Heartbeat first", life::theirs_first),
    case("start: at once", life::at_once),
];
