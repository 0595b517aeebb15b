//! Names and numbers of the things a cluster is made of.

use core::fmt;

use heapless::String;

use crate::limits::{GROUP_NAME_BYTES_MAX, NODE_NAME_BYTES_MAX};

/// One configured link, numbered in the order of ha.cf from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u8);

/// One resource group, numbered in the order of haresources from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u8);

/// A node's name: 1 to 64 bytes of printable ASCII without blanks, in lower case, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(String<NODE_NAME_BYTES_MAX>);

/// A group's name: its first resource as written in haresources, 1 to 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(String<GROUP_NAME_BYTES_MAX>);

/// Why a text cannot be a name. Nothing was changed; show it to whoever wrote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    Empty,
    /// The text is longer than the limit, in bytes.
    TooLong(usize),
    /// The text holds a blank, a control character or a byte outside ASCII.
    Unprintable,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name cannot be empty"),
            Self::TooLong(max) => write!(f, "a name can be at most {max} bytes long"),
            Self::Unprintable => {
                f.write_str("a name can only hold printable ASCII characters and no blanks")
            }
        }
    }
}

impl core::error::Error for NameError {}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NameError::Unprintable);
    }
    Ok(())
}

impl NodeName {
    /// Takes a node name in any case.
    ///
    /// # Errors
    /// When the text is empty, too long or not printable.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text)?;
        let mut name =
            String::try_from(text).map_err(|_| NameError::TooLong(NODE_NAME_BYTES_MAX))?;
        name.make_ascii_lowercase();
        Ok(Self(name))
    }

    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl GroupName {
    /// Takes a group name as it is.
    ///
    /// # Errors
    /// When the text is empty, too long or not printable.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text)?;
        String::try_from(text)
            .map(Self)
            .map_err(|_| NameError::TooLong(GROUP_NAME_BYTES_MAX))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a node name is lower-cased as on the wire, and bad ones are refused with the reason.
    #[test]
    fn node_names() {
        assert_eq!(
            NodeName::new("RProxy1").map(|name| name.0),
            Ok(String::try_from("rproxy1").unwrap())
        );
        assert_eq!(NodeName::new(""), Err(NameError::Empty));
        assert_eq!(NodeName::new("two words"), Err(NameError::Unprintable));
        assert_eq!(NodeName::new(&"x".repeat(65)), Err(NameError::TooLong(64)));
    }

    extern crate std;
}
