//! What a node holds, in the original's words: none, local, foreign or all.
//!
//! Seen from a node, a group is *local* when haresources prefers that node, else *foreign*. So what
//! is local here is foreign there: [`Hold::swapped`] translates.

use core::fmt;

/// On which side of a node a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// haresources prefers this node.
    Local,
    /// haresources prefers the peer.
    Foreign,
}

impl Side {
    /// Both sides, local first.
    pub const BOTH: [Self; 2] = [Self::Local, Self::Foreign];

    /// The same side as the peer sees it.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::Local => Self::Foreign,
            Self::Foreign => Self::Local,
        }
    }
}

/// What a node holds (`rsc_hold` on the wire; hb306: `heartbeat/hb_resource.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Nothing.
    #[default]
    None,
    /// The groups that prefer it.
    Local,
    /// The groups that prefer the peer.
    Foreign,
    /// Every group.
    All,
}

impl Hold {
    /// Makes a hold from its two halves.
    #[must_use]
    pub const fn new(local: bool, foreign: bool) -> Self {
        match (local, foreign) {
            (false, false) => Self::None,
            (true, false) => Self::Local,
            (false, true) => Self::Foreign,
            (true, true) => Self::All,
        }
    }

    /// Whether it covers a side.
    #[must_use]
    pub const fn covers(self, side: Side) -> bool {
        match side {
            Side::Local => matches!(self, Self::Local | Self::All),
            Side::Foreign => matches!(self, Self::Foreign | Self::All),
        }
    }

    /// The sides it covers, local first.
    pub(crate) fn sides(self) -> impl Iterator<Item = Side> {
        Side::BOTH
            .into_iter()
            .filter(move |side| self.covers(*side))
    }

    /// This and the other together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self::new(
            self.covers(Side::Local) || other.covers(Side::Local),
            self.covers(Side::Foreign) || other.covers(Side::Foreign),
        )
    }

    /// This without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self::new(
            self.covers(Side::Local) && !other.covers(Side::Local),
            self.covers(Side::Foreign) && !other.covers(Side::Foreign),
        )
    }

    /// What this and the other have in common.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        self.without(self.without(other))
    }

    /// The same groups as the peer names them: local and foreign exchanged.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Self::new(self.covers(Side::Foreign), self.covers(Side::Local))
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Local => "local",
            Self::Foreign => "foreign",
            Self::All => "all",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"none" => Some(Self::None),
            b"local" => Some(Self::Local),
            b"foreign" => Some(Self::Foreign),
            b"all" => Some(Self::All),
            _ => None,
        }
    }
}

impl From<Side> for Hold {
    fn from(side: Side) -> Self {
        match side {
            Side::Local => Self::Local,
            Side::Foreign => Self::Foreign,
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Hold::from(*self).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Hold; 4] = [Hold::None, Hold::Local, Hold::Foreign, Hold::All];

    /// Aim: the set operations agree with their definition on every pair.
    #[test]
    fn set_operations() {
        for a in ALL {
            assert_eq!(a.swapped().swapped(), a);
            assert_eq!(Hold::parse(a.as_str().as_bytes()), Some(a));
            for b in ALL {
                for side in Side::BOTH {
                    assert_eq!(a.with(b).covers(side), a.covers(side) || b.covers(side));
                    assert_eq!(a.without(b).covers(side), a.covers(side) && !b.covers(side));
                    assert_eq!(a.common(b).covers(side), a.covers(side) && b.covers(side));
                    assert_eq!(a.swapped().covers(side), a.covers(side.swapped()));
                }
            }
        }
        assert_eq!(Hold::parse(b"ALL"), None);
    }
}
