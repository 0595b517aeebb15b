//! The name of this node.

use std::path::Path;

/// This node's name in lower case: the first line of `nodeinfo` in `dir`, as in the original, else
/// what `uname -n` prints.
///
/// # Errors
/// When the system does not tell its name.
pub fn own_name(dir: &Path) -> std::io::Result<String> {
    let written = std::fs::read_to_string(dir.join("nodeinfo")).unwrap_or_default();
    let written = written.lines().next().unwrap_or_default().trim();
    if !written.is_empty() {
        return Ok(written.to_ascii_lowercase());
    }
    let name = nix::unistd::gethostname()?;
    Ok(name.to_string_lossy().to_ascii_lowercase())
}
