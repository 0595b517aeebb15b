//! Deliberate bugs in a copy of the core, each of which the sweep has to find:
//! `cargo run --release -p systole-sim --bin mutants -- [--seeds N] [NAME...]`.
//!
//! The core itself knows nothing of this: a text is replaced in the copy, the copy is built and swept.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io};

/// Name, file, what stands there, what stands there instead.
type Mutant = (&'static str, &'static str, &'static str, &'static str);

const MUTANTS: [Mutant; 21] = [
    (
        "death-early",
        "peer.rs",
        "Some(heard + self.deadtime)",
        "Some(heard + self.deadtime.divided_by(2))",
    ),
    (
        "initdead-short",
        "node.rs",
        "seeking_for: config.initdead,",
        "seeking_for: config.deadtime.divided_by(2),",
    ),
    (
        "pause-ignored",
        "node.rs",
        "if pause < self.config.deadtime {",
        "if pause < self.config.deadtime.times(1_000) {",
    ),
    (
        "auth-short",
        "auth.rs",
        "self.0.as_bytes().ct_eq(received).into()",
        "self.0.as_bytes().first() == received.first()",
    ),
    (
        "stranger-heard",
        "node/receive.rs",
        "if !header.src.eq_ignore_ascii_case(self.config.peer.as_str()) {",
        "if header.src.is_empty() {",
    ),
    (
        "failback-never",
        "node/ownership.rs",
        "(AutoFailback::On, _) | (AutoFailback::Legacy, PeerKind::Systole) => true,",
        "(AutoFailback::On, _) | (AutoFailback::Legacy, PeerKind::Systole) => false,",
    ),
    (
        "failback-always",
        "node/ownership.rs",
        "(AutoFailback::Off | AutoFailback::Legacy, _) => false,",
        "(AutoFailback::Off | AutoFailback::Legacy, _) => true,",
    ),
    (
        "give-before-release",
        "node/standby.rs",
        "if here.without(hold) == here {",
        "if here.without(hold) != Hold::All {",
    ),
    (
        "join-takes-all",
        "node/ownership.rs",
        "if alive && !self.peer.holds(Side::Local) {",
        "if alive {",
    ),
    (
        "orphan-unasked",
        "node/ownership.rs",
        "if self.wants.covers(Side::Local) || self.peer.holds(Side::Local) {",
        "if self.wants.covers(Side::Local) {",
    ),
    (
        "conflict-kept",
        "node/ownership.rs",
        "None if both.covers(Side::Foreign) =>",
        "None if both.covers(Side::Foreign) && self.ended =>",
    ),
    (
        "echo-unchecked",
        "peer.rs",
        "if ![header.echo, header.probe].contains(&Some(sid)) =>",
        "if header.echo == Some(0) && sid == 0 =>",
    ),
    (
        "probe-is-echo",
        "node/receive.rs",
        "let fresh = !systole || header.echo == Some(self.sid);",
        "let fresh = !systole || header.seq.is_some();",
    ),
    (
        "session-kept",
        "node.rs",
        "self.sid = self.random.next();\n        self.peer.challenged = true;",
        "self.peer.challenged = true;",
    ),
    (
        "duplicates-live",
        "node/receive.rs",
        "if newest {\n            self.on_peer_heard();",
        "if sequence > 0 {\n            self.on_peer_heard();",
    ),
    (
        "duplicates-act",
        "sequence.rs",
        "if sequence <= self.floor || self.bit(sequence) {",
        "if sequence < self.floor {",
    ),
    (
        "timer-left",
        "node/standby.rs",
        "self.standby = Standby::None;\n        self.timers.set(TimerId::Standby, None);",
        "self.standby = Standby::None;",
    ),
    (
        "retake-in-contact",
        "group.rs",
        "if !matches!(group.status, GroupStatus::Released | GroupStatus::Stuck) {",
        "if !matches!(group.status, GroupStatus::Held) {",
    ),
    (
        "beats-too-often",
        "node.rs",
        "Some(now + self.config.keepalive)",
        "Some(now + self.config.keepalive.divided_by(20))",
    ),
    (
        "ends-unreleased",
        "node/ownership.rs",
        "if !released && !self.groups.hopeless() {",
        "if !released && self.ended {",
    ),
    (
        "denials-stale",
        "peer.rs",
        "let hold = if fresh {",
        "let hold = if fresh || self.fresh {",
    ),
];

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// A workspace of the core and the simulator alone, with a target folder of its own.
fn prepare(root: &Path, work: &Path) -> io::Result<()> {
    copy(&root.join("core"), &work.join("core"))?;
    copy(&root.join("tests/sim"), &work.join("tests/sim"))?;
    fs::copy(root.join("Cargo.lock"), work.join("Cargo.lock"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let lines = manifest.lines().map(|line| match line.split(' ').next() {
        Some("members") => "members = [\"core\", \"tests/sim\"]",
        Some("default-members") => "",
        _ => line,
    });
    let manifest: Vec<&str> = lines.collect();
    fs::write(work.join("Cargo.toml"), manifest.join("\n"))
}

/// Builds the copy and sweeps it; whether the sweep has failed, and its first complaint.
fn sweep(work: &Path, seeds: &str) -> Result<Option<String>, String> {
    let built = Command::new("cargo")
        .args([
            "build",
            "--offline",
            "--quiet",
            "--release",
            "--bin",
            "systole-sim",
        ])
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("RUSTFLAGS", "--cap-lints allow")
        .env("CARGO_TARGET_DIR", work.join("target"))
        .current_dir(work)
        .stderr(Stdio::inherit())
        .status()
        .map_err(|why| format!("cargo does not start: {why}"))?;
    if !built.success() {
        return Err("does not build".to_owned());
    }
    let swept = Command::new(work.join("target/release/systole-sim"))
        .args(["--seeds", seeds])
        .output()
        .map_err(|why| format!("the simulator does not start: {why}"))?;
    let text = String::from_utf8_lossy(&swept.stdout).into_owned();
    let complaint = text
        .lines()
        .find(|line| line.starts_with("seed "))
        .map(str::to_owned);
    let caught =
        complaint.or_else(|| (swept.status.code() != Some(0)).then(|| "it panics".to_owned()));
    Ok(caught)
}

fn check(root: &Path, work: &Path, mutant: &Mutant, seeds: &str) -> Result<Option<String>, String> {
    let (_, file, original, bug) = *mutant;
    let path = root.join("core/src").join(file);
    let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    if text.matches(original).count() != 1 {
        return Err(format!(
            "{file} does not hold its text exactly once; mend the list"
        ));
    }
    let target = work.join("core/src").join(file);
    let write = |text: &str| fs::write(&target, text).map_err(|why| why.to_string());
    write(&text.replace(original, bug))?;
    let verdict = sweep(work, seeds);
    write(&text)?;
    verdict
}

fn main() -> ExitCode {
    let mut names: Vec<String> = env::args().skip(1).collect();
    let seeds = names.iter().position(|name| name == "--seeds").map(|at| {
        names.remove(at);
        if at < names.len() {
            names.remove(at)
        } else {
            String::new()
        }
    });
    let seeds = seeds.unwrap_or_else(|| "2000".to_owned());
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let work = env::temp_dir().join(format!("systole-mutants-{}", std::process::id()));
    if let Err(why) = prepare(&root, &work) {
        eprintln!("cannot copy the core to {}: {why}", work.display());
        return ExitCode::FAILURE;
    }
    let chosen = MUTANTS
        .iter()
        .filter(|(name, ..)| names.is_empty() || names.iter().any(|it| it == name));
    let mut survivors = 0;
    for mutant in chosen {
        match check(&root, &work, mutant, &seeds) {
            Ok(Some(complaint)) => println!("{:20} caught: {complaint}", mutant.0),
            Ok(None) => {
                survivors += 1;
                println!("{:20} SURVIVES {seeds} seeds", mutant.0);
            }
            Err(why) => {
                survivors += 1;
                println!("{:20} ERROR: {why}", mutant.0);
            }
        }
    }
    let _left_behind = fs::remove_dir_all(&work);
    if survivors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
