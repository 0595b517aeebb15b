//! The client: asks the service address at a steady rate, every probe on its own, and prints what came back.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::time::Duration;
use std::collections::VecDeque;
use std::io::Write as _;
use std::rc::Rc;

use anyhow::Context as _;
use systole_core::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::arp;
use crate::clock::{duration, now};
use crate::demo::sample::{Host, Probe, Sample};

/// An answer that takes longer than this is none.
const PATIENCE: Duration = Duration::from_millis(150);

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\nHost: service\r\n\r\n";

/// What to ask, and how often.
pub(super) struct Settings<'a> {
    pub(super) service: SocketAddrV4,
    pub(super) echo: u16,
    pub(super) arp_interface: &'a str,
    pub(super) arp_sender: Ipv4Addr,
    pub(super) interval: Duration,
}

pub(super) fn run(settings: &Settings<'_>) -> anyhow::Result<()> {
    let (samples, printed) = unbounded_channel();
    arp::spawn(
        settings.arp_interface,
        settings.arp_sender,
        *settings.service.ip(),
        settings.interval,
        samples.clone(),
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the client's runtime")?;
    let service = settings.service;
    let echo = SocketAddrV4::new(*service.ip(), settings.echo);
    let interval = settings.interval;
    LocalSet::new().block_on(&runtime, async move {
        tokio::task::spawn_local(ask_http(service, interval, samples.clone()));
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .await
            .context("cannot open a UDP socket")?;
        let socket = Rc::new(socket);
        tokio::task::spawn_local(ask_echo(socket, echo, interval, samples));
        print(printed).await
    })
}

/// Prints until the lab no longer listens.
async fn print(mut samples: UnboundedReceiver<Sample>) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    while let Some(sample) = samples.recv().await {
        writeln!(output, "{sample}").context("the lab has gone")?;
    }
    Ok(())
}

async fn ask_http(service: SocketAddrV4, every: Duration, samples: UnboundedSender<Sample>) {
    let mut slots = interval(every);
    // Slots missed while this machine was busy are left out: nobody asked, so nobody was refused.
    slots.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        slots.tick().await;
        let samples = samples.clone();
        tokio::task::spawn_local(async move {
            let sent = now();
            let by = timeout(PATIENCE, http(service))
                .await
                .ok()
                .and_then(Result::ok);
            let answered = by.is_some().then(now);
            let _ = samples.send(Sample {
                probe: Probe::Http,
                sent,
                answered,
                by: by.flatten(),
            });
        });
    }
}

/// One request; which node answered it.
async fn http(service: SocketAddrV4) -> std::io::Result<Option<Host>> {
    let mut stream = TcpStream::connect(service).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer.lines().last().and_then(Host::from_name))
}

async fn ask_echo(
    socket: Rc<UdpSocket>,
    to: SocketAddrV4,
    every: Duration,
    samples: UnboundedSender<Sample>,
) {
    let mut slots = interval(every);
    slots.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut waiting: VecDeque<(u64, Instant)> = VecDeque::new();
    let mut number = 0_u64;
    let mut buffer = [0; 256];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, _)) = received else { continue };
                let answered = now();
                let Some((echoed, name)) = buffer.get(..length).and_then(<[u8]>::split_first_chunk)
                else { continue };
                let echoed = u64::from_be_bytes(*echoed);
                if let Some(at) = waiting.iter().position(|(number, _)| *number == echoed)
                    && let Some((_, sent)) = waiting.remove(at)
                {
                    let by = core::str::from_utf8(name).ok().and_then(Host::from_name);
                    let answered = Some(answered);
                    let _ = samples.send(Sample { probe: Probe::Echo, sent, answered, by });
                }
            }
            _ = slots.tick() => {
                let sent = now();
                give_up(&mut waiting, sent, &samples);
                number += 1;
                waiting.push_back((number, sent));
                // A network that is down refuses here; the probe then counts as unanswered in its time.
                let _ = socket.try_send_to(&number.to_be_bytes(), to.into());
            }
        }
    }
}

/// Reports the echoes that did not come back in time.
fn give_up(waiting: &mut VecDeque<(u64, Instant)>, at: Instant, samples: &UnboundedSender<Sample>) {
    let patience = duration(PATIENCE);
    while let Some(&(_, sent)) = waiting.front()
        && at.since(sent) > patience
    {
        waiting.pop_front();
        let _ = samples.send(Sample {
            probe: Probe::Echo,
            sent,
            answered: None,
            by: None,
        });
    }
}
