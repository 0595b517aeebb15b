//! Process 1 of a namespace. It ends with its standard input, and the kernel then ends everything in it.

use core::net::Ipv4Addr;
use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::thread;

use anyhow::Context as _;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

pub(super) fn run(name: &str, echo: Option<u16>) -> anyhow::Result<()> {
    // The process id as the lab knows it: only visible while the outer /proc is still mounted.
    let pid = std::fs::read_link("/proc/self").context("/proc is not mounted")?;
    nix::unistd::sethostname(name).context("cannot set the host name")?;
    let nothing: Option<&str> = None;
    // Without the host's /run nothing in here can reach its journal, its systemd or its D-Bus.
    mount(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        MsFlags::empty(),
        nothing,
    )
    .context("cannot mount a private /run")?;
    match mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        MsFlags::empty(),
        nothing,
    ) {
        // Inside a container the kernel may refuse a new /proc to an ordinary user; the outer one will do.
        Ok(()) | Err(Errno::EPERM) => {}
        Err(error) => return Err(error).context("cannot mount a private /proc"),
    }
    reap_orphans()?;
    if let Some(port) = echo {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))
            .with_context(|| format!("cannot listen on UDP port {port}"))?;
        let name = name.to_owned();
        thread::spawn(move || answer_echoes(&socket, &name));
    }
    writeln!(std::io::stdout(), "{}", pid.display())?;
    wait_for_end_of_input();
    Ok(())
}

/// Reaps what is handed to process 1, at once: a script that waits for an end must not meet a zombie.
fn reap_orphans() -> anyhow::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    signals.thread_block().context("cannot block SIGCHLD")?;
    thread::spawn(move || {
        while signals.wait().is_ok() {
            while waitpid(None, Some(WaitPidFlag::WNOHANG))
                .is_ok_and(|status| status != WaitStatus::StillAlive)
            {}
        }
    });
    Ok(())
}

fn answer_echoes(socket: &UdpSocket, name: &str) {
    let mut buffer = [0; 256];
    loop {
        // Errors are the network going away and coming back; the machine lives on.
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let mut answer = buffer.get(..length).unwrap_or_default().to_vec();
            answer.extend_from_slice(name.as_bytes());
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn wait_for_end_of_input() {
    let mut buffer = [0; 64];
    while std::io::stdin()
        .read(&mut buffer)
        .is_ok_and(|length| length > 0)
    {}
}
