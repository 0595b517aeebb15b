//! Plays nginx: answers every HTTP request with its name.

use core::net::SocketAddrV4;
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use anyhow::Context as _;

/// A client that says nothing for this long is hung up on; requests are served one by one.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) fn run(listen: SocketAddrV4, name: &str, pid_file: &Path) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    std::fs::write(pid_file, format!("{}\n", std::process::id()))
        .with_context(|| format!("cannot write {}", pid_file.display()))?;
    let answer = format!(
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{name}\n",
        name.len() + 1
    );
    for stream in listener.incoming() {
        // One client that hangs up early is no reason to stop serving the next.
        let _ = stream.and_then(|stream| serve(stream, answer.as_bytes()));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; 2048];
    let _ = stream.read(&mut request)?;
    stream.write_all(answer)
}
