//! What the tests in namespaces share: the built binary, and a turn on the machine.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};

/// The `systole` to test: the one in `SYSTOLE_BINARY`, else it is built, of the same profile as the tests.
///
/// # Panics
/// It cannot be built.
#[must_use]
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test without its subject can only fail"
)]
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(path) = std::env::var_os("SYSTOLE_BINARY") {
            return PathBuf::from(path);
        }
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--package",
            "systole",
            "--bin",
            "systole",
        ]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "cannot build systole"
        );
        // This test is target/<profile>/deps/<test>.
        let test = std::env::current_exe().expect("a test knows where it is");
        let Some(profile) = test.ancestors().nth(2) else {
            panic!("{} is odd", test.display())
        };
        profile.join("systole")
    };
    BINARY.get_or_init(build).clone()
}

/// One laboratory at a time: two would disturb each other's timings.
///
/// The turn ends when the value is dropped, or with the process.
///
/// # Panics
/// The lock file cannot be made.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without its turn can only fail")]
pub fn turn() -> Flock<File> {
    let uid = nix::unistd::geteuid();
    let path = std::env::temp_dir().join(format!("systole-netns-{uid}.lock"));
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .expect("the lock file");
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .expect("a turn")
}
