//! Serial links over pseudo-terminals: what a cable brings, noise, and devices that go and come.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must stop"
)]

use core::time::Duration;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::pty::{posix_openpt, ptsname_r, unlockpt};
use systole::config::{LinkConfig, SerialLink};
use systole::link::{LinkError, LinkEvent, Links};
use systole_core::id::LinkId;
use systole_core::limits::FRAME_BYTES_MAX;
use tokio::time::{Instant, sleep, timeout};

/// Longer than anything here should take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
const LINK: LinkId = LinkId(0);
const FAST: u32 = 460_800;
const MESSAGE: &[u8] = b">>>\nt=status\nauth=1 00\n<<<\n";

/// A device under a name that stays when the terminal behind it changes, as under /dev/serial/by-id.
struct Device {
    directory: tempfile::TempDir,
    far: File,
}

impl Device {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let far = terminal(&directory.path().join("tty"));
        Self { directory, far }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tty")
    }

    fn config(&self) -> LinkConfig {
        self.config_at(FAST)
    }

    fn config_at(&self, baud: u32) -> LinkConfig {
        LinkConfig::Serial(SerialLink {
            device: self.path().to_str().unwrap().to_owned(),
            baud,
        })
    }

    /// Everything that comes out at the far end within a time.
    async fn bytes(&mut self, within: Duration) -> Vec<u8> {
        let until = Instant::now() + within;
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while Instant::now() < until {
            match self.far.read(&mut buffer) {
                Ok(len) => all.extend_from_slice(&buffer[..len]),
                Err(_nothing_there) => sleep(Duration::from_millis(5)).await,
            }
        }
        all
    }
}

/// Makes a terminal, links its name to `path` and gives its far end.
fn terminal(path: &Path) -> File {
    let far = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK).unwrap();
    unlockpt(&far).unwrap();
    std::os::unix::fs::symlink(ptsname_r(&far).unwrap(), path).unwrap();
    OwnedFd::from(far).into()
}

async fn event(links: &mut Links) -> LinkEvent {
    let mut buffer = [0; FRAME_BYTES_MAX + 1];
    timeout(PATIENCE, links.recv(&mut buffer))
        .await
        .expect("nothing happened on the line")
}

async fn frame(links: &mut Links) -> Vec<u8> {
    let mut buffer = [0; FRAME_BYTES_MAX + 1];
    match timeout(PATIENCE, links.recv(&mut buffer)).await {
        Ok(LinkEvent::Frame { link: LINK, len }) => buffer[..len].to_vec(),
        other => panic!("expected a frame, not {other:?}"),
    }
}

/// Waits for the news that the line works, or does not, and gives the reason.
async fn changed(links: &mut Links, to: bool) -> String {
    match event(links).await {
        LinkEvent::Changed {
            link: LINK,
            works,
            why,
        } if works == to => why,
        other @ (LinkEvent::Frame { .. } | LinkEvent::Changed { .. }) => {
            panic!("expected works={to}, not {other:?}")
        }
    }
}

/// Lets the links do their work for some time; nothing may be told.
async fn quiet(links: &mut Links, time: Duration) {
    let mut buffer = [0; FRAME_BYTES_MAX + 1];
    let told = timeout(time, links.recv(&mut buffer)).await;
    assert!(told.is_err(), "{told:?}");
}

/// Aim: what is sent leaves as it is, after one newline that ends the noise before it; what arrives
/// back to back is given out one by one, without the noise around it.
#[tokio::test]
async fn both_ways() {
    let mut device = Device::new();
    let mut links = Links::open(&[device.config()]).unwrap();
    links.send(LINK, MESSAGE).unwrap();
    quiet(&mut links, Duration::from_millis(50)).await;
    let sent = device.bytes(Duration::from_millis(50)).await;
    assert_eq!(sent, [b"\n", MESSAGE].concat());
    let noise = b"\0\x07\xff>>>\n<<";
    device
        .far
        .write_all(&[MESSAGE, noise, b"\n", MESSAGE, b"x", MESSAGE].concat())
        .unwrap();
    assert_eq!(frame(&mut links).await, MESSAGE);
    let mut rest = Vec::new();
    while rest.len() < 2 {
        rest.push(frame(&mut links).await);
    }
    assert!(rest.iter().any(|message| message == MESSAGE));
    assert_eq!(links.dropped(LINK), 0);
}

/// Aim: endless garbage comes out as frames of the longest length, so that the core counts it, and
/// the message after it is read.
#[tokio::test]
async fn garbage_is_shown_to_the_core() {
    let mut device = Device::new();
    let mut links = Links::open(&[device.config()]).unwrap();
    device.far.write_all(&[b'\x55'; FRAME_BYTES_MAX]).unwrap();
    assert_eq!(frame(&mut links).await, [b'\x55'; FRAME_BYTES_MAX]);
    device.far.write_all(MESSAGE).unwrap();
    assert_eq!(frame(&mut links).await, MESSAGE);
}

/// Aim: messages leave no faster than the line carries them, whole and in order; those that had to
/// wait longest are dropped and counted.
#[tokio::test]
async fn paced_and_bounded() {
    let mut device = Device::new();
    let mut links = Links::open(&[device.config_at(9_600)]).unwrap();
    let message = |number: u8| {
        let mut bytes = vec![b'0' + number; 192];
        bytes[191] = b'\n';
        bytes
    };
    quiet(&mut links, Duration::from_millis(50)).await;
    for number in 0..20 {
        links.send(LINK, &message(number)).unwrap();
    }
    // 192 bytes take 200 ms at 9600 baud: the first one leaves at once, the next one does not.
    quiet(&mut links, Duration::from_millis(100)).await;
    assert_eq!(
        device.bytes(Duration::from_millis(20)).await,
        [b"\n", &message(0)[..]].concat()
    );
    quiet(&mut links, Duration::from_millis(2_500)).await;
    let rest = device.bytes(Duration::from_millis(50)).await;
    let newest: Vec<u8> = (12..20).flat_map(message).collect();
    assert_eq!(
        String::from_utf8_lossy(&rest),
        String::from_utf8_lossy(&newest)
    );
    assert_eq!(links.dropped(LINK), 11);
}

/// Aim: a device that vanishes is a link that fails, with the reason, and works again when it is
/// back; both are said once.
#[tokio::test]
async fn device_vanishes_and_returns() {
    let mut device = Device::new();
    let mut links = Links::open(&[device.config()]).unwrap();
    quiet(&mut links, Duration::from_millis(20)).await;
    std::fs::remove_file(device.path()).unwrap();
    drop(core::mem::replace(
        &mut device.far,
        File::open("/dev/null").unwrap(),
    ));
    let why = changed(&mut links, false).await;
    assert!(why.contains("unplugged"), "{why}");
    quiet(&mut links, Duration::from_millis(1_200)).await;
    let fault = links.fault(LINK).cloned();
    assert!(
        matches!(fault, Some(LinkError::DeviceMissing(_))),
        "{fault:?}"
    );
    device.far = terminal(&device.path());
    let why = changed(&mut links, true).await;
    assert!(why.ends_with("tty works now"), "{why}");
    device.far.write_all(MESSAGE).unwrap();
    assert_eq!(frame(&mut links).await, MESSAGE);
}

/// Aim: a device that is not there at the start is reported and comes later; one that another
/// program has, or that is no terminal, stops the start.
#[tokio::test]
async fn at_the_start() {
    let device = Device::new();
    let _first = Links::open(&[device.config()]).unwrap();
    let second = Links::open(&[device.config()]).err();
    assert!(
        matches!(second, Some(LinkError::DeviceInUse(_))),
        "{second:?}"
    );
    let line = |device: &str| {
        LinkConfig::Serial(SerialLink {
            device: device.to_owned(),
            baud: FAST,
        })
    };
    let null = Links::open(&[line("/dev/null")]).err();
    assert!(matches!(null, Some(LinkError::NoTerminal(_))), "{null:?}");
    let missing = device.directory.path().join("later");
    let mut links = Links::open(&[line(missing.to_str().unwrap())]).unwrap();
    let why = changed(&mut links, false).await;
    assert!(why.contains("does not exist"), "{why}");
    let _far = terminal(&missing);
    changed(&mut links, true).await;
}

/// Aim: a line whose far end takes nothing is reported, brings no old messages when it is taken up
/// again, and is then reported to work.
#[tokio::test]
async fn nobody_listens() {
    let mut device = Device::new();
    let mut links = Links::open(&[device.config()]).unwrap();
    let old = [b'o'; FRAME_BYTES_MAX];
    let mut buffer = [0; FRAME_BYTES_MAX + 1];
    let begun = Instant::now();
    let why = loop {
        assert!(begun.elapsed() < PATIENCE, "the stall was not noticed");
        let _ = links.send(LINK, &old);
        let told = timeout(Duration::from_millis(20), links.recv(&mut buffer)).await;
        if let Ok(LinkEvent::Changed { works, why, .. }) = told {
            assert!(!works);
            break why;
        }
    };
    assert!(why.contains("does not take what is sent"), "{why}");
    // What a pseudo-terminal holds itself; the buffer of a real port was emptied by now.
    while !device.bytes(Duration::from_millis(50)).await.is_empty() {}
    let new = [b'n'; FRAME_BYTES_MAX];
    let mut said = None;
    while said.is_none() {
        assert!(begun.elapsed() < PATIENCE * 2, "the line stays dead");
        let _ = links.send(LINK, &new);
        let told = timeout(Duration::from_millis(50), links.recv(&mut buffer)).await;
        if let Ok(LinkEvent::Changed { works, .. }) = told {
            said = Some(works);
        }
    }
    assert_eq!(said, Some(true));
    let late = device.bytes(Duration::from_millis(100)).await;
    assert!(late.contains(&b'n'), "nothing new has come");
    assert!(!late.contains(&b'o'), "old messages were kept");
}
