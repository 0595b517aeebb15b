//! The original on a machine of the laboratory: its files, its life, its own tools.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use systole::demo::lab::{Lab, Network, Space, output_within, write};
use systole::demo::sample::Host;

/// The daemon of Debian's package.
pub(crate) const DAEMON: &str = "/usr/libexec/heartbeat/heartbeat";

/// Its tool that answers questions.
pub(crate) const CL_STATUS: &str = "/usr/bin/cl_status";

/// The article's service address as the original's better script takes it.
pub(crate) const HARESOURCES: &str = "rproxy1 IPaddr2::10.8.0.1/24/eth2 nginx\n";

/// For a tool that may hang, as `hb_standby` does without a daemon.
const TOOL_LIMIT: Duration = Duration::from_secs(20);

/// What of the original is not on this machine, and how to get it.
pub(crate) fn missing() -> Option<String> {
    let needed = [
        DAEMON,
        CL_STATUS,
        "/usr/share/heartbeat/ResourceManager",
        "/etc/ha.d/resource.d/IPaddr2",
        "/usr/lib/ocf/resource.d/heartbeat/IPaddr2",
    ];
    let absent = needed.into_iter().find(|path| !Path::new(path).exists())?;
    Some(format!(
        "{absent} is missing: these tests need Debian's packages heartbeat and resource-agents; \
         get them with `cargo xtask setup`"
    ))
}

/// Gives a machine what the package brings, beside the files of the cluster, at the original's places.
pub(crate) fn install(lab: &Lab, host: Host) {
    let paths = lab.node(host).paths();
    let (config, state) = (paths.config.display(), paths.state.display());
    let runtime = paths.runtime.display();
    let script = format!(
        "set -e
        cp -a /etc/ha.d/harc /etc/ha.d/shellfuncs /etc/ha.d/rc.d {config}/
        cp -an /etc/ha.d/resource.d/. {config}/resource.d/
        mkdir -p {state}/cores/root
        mount --make-rprivate /
        mount --bind {config} /etc/ha.d
        mount --bind {state} /var/lib/heartbeat
        mount -t sysfs sysfs /sys
        mkdir -p /run/systole
        mount --bind {runtime} /run/systole
        mkdir -p /run/heartbeat/ccm /run/heartbeat/dopd /run/lock
        chown -R hacluster:haclient /run/heartbeat"
    );
    let space = lab.node(host).space().expect("a machine that is on");
    space
        .run("sh", &["-c", &script])
        .expect("the package's files");
}

/// The log of both daemons on a machine, as ha.cf names it.
pub(crate) fn log_path(lab: &Lab, host: Host) -> std::path::PathBuf {
    lab.node(host).paths().root.join("ha-log")
}

/// Writes a node's three files.
pub(crate) fn write_files(lab: &Lab, host: Host, ha_cf: &str, authkeys: &str) {
    let config = &lab.node(host).paths().config;
    let ha_cf = format!("logfile {}\n{ha_cf}", log_path(lab, host).display());
    for (name, text, mode) in [
        ("ha.cf", ha_cf.as_str(), 0o644),
        ("haresources", HARESOURCES, 0o644),
        ("authkeys", authkeys, 0o600),
    ] {
        write(&config.join(name), text, mode).expect("a file of the cluster");
    }
}

/// Starts the daemon, which goes to the background.
pub(crate) fn start(space: &Space) {
    let mut command = space.command(DAEMON);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let output = output_within(&mut command, TOOL_LIMIT).expect("a start that ends");
    assert!(
        output.status.success(),
        "heartbeat does not start: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// For a stop, which waits for whatever is on the move.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// Stops the daemon and waits for it, as its init script does.
pub(crate) fn stop(space: &Space) {
    let mut command = space.command(DAEMON);
    command.arg("-k").stdin(Stdio::null()).stdout(Stdio::null());
    let output = output_within(&mut command, STOP_LIMIT).expect("a stop that ends");
    assert!(output.status.success(), "heartbeat -k failed");
}

/// What a tool of the original prints, and whether it succeeded.
pub(crate) fn tool(space: &Space, program: &str, args: &[&str]) -> Option<String> {
    let mut command: Command = space.command(program);
    let output = output_within(command.args(args), TOOL_LIMIT).ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Everything that must never stand in the original's log: each would be our fault.
const COMPLAINTS: [&str; 12] = [
    "replay attack",
    "authenticat",
    "authtoken",
    "lost a lot of packets",
    "lost packet",
    "nak",
    "flow control",
    "corrupted",
    "Both machines own",
    "bad message",
    "Ignored standby message",
    "all clients are now paused",
];

/// The lines of a log that complain about the peer.
pub(crate) fn complaints(log: &str) -> Vec<String> {
    let lower = |text: &str| text.to_lowercase();
    let bad = |line: &&str| {
        let line = lower(line);
        COMPLAINTS.iter().any(|word| line.contains(&lower(word)))
    };
    log.lines().filter(bad).map(str::to_owned).collect()
}

/// What a machine's log file says.
pub(crate) fn log(lab: &Lab, host: Host) -> String {
    fs::read_to_string(log_path(lab, host)).unwrap_or_default()
}

/// The addresses of a machine's service interface.
pub(crate) fn has_service_address(space: &Space) -> bool {
    let interface = Network::Service.interface();
    let said = space.run("ip", &["-4", "-o", "address", "show", "dev", interface]);
    said.is_ok_and(|said| said.contains(" 10.8.0.1/"))
}
