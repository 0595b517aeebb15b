//! The command `systole demo`.

use std::process::ExitCode;
use std::thread;

use anyhow::Context as _;
use core::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

use super::lab::{Interrupt, Lab, LabError, Service, Settings};
use super::live::Live;
use super::picture::Picture;
use super::sample::{Host, Sample};
use super::screen::{Screen, Style, Tone};
use super::story::{Story, conflict};
use super::table;
use crate::clock::{duration, now};

/// Shows two nodes, a client and a failover on this machine, and touches nothing of it.
///
/// Both nodes, their networks and the client live in namespaces of their own; no root is needed where the
/// kernel lets users make them. The nodes have the three files of the Heartbeat article, with the times
/// scaled down, and the real nginx where it is installed. The exit code is 0 when every step succeeded.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Leave the two nodes up at the end, say how to enter them, and wait for Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Use the built-in responder even where nginx is installed
    #[arg(long)]
    no_nginx: bool,
    /// How often the client asks, per second and kind of question
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=1000))]
    rate: u32,
}

/// Runs the demo.
///
/// # Errors
/// The laboratory cannot be set up, or a step of the story did not happen.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::default();
    listen_for_signals(interrupt.clone())?;
    let mut settings = Settings {
        probe_interval: Duration::from_secs(1) / args.rate,
        ..Settings::default()
    };
    if args.no_nginx {
        settings.service = Service::Responder;
    }
    match play(args, &settings, interrupt) {
        Err(error) if interrupted(&error) => {
            eprintln!("interrupted; both nodes are gone, nothing is left");
            Ok(ExitCode::from(130))
        }
        other => other,
    }
}

fn play(args: &Args, settings: &Settings, interrupt: Interrupt) -> anyhow::Result<ExitCode> {
    let binary = std::env::current_exe().context("cannot find this program's own file")?;
    let screen = Screen {
        style: Style::detect(),
        origin: now(),
    };
    introduce(settings, screen);
    let mut lab = Lab::new(&binary, settings, interrupt)?;
    let screen = Screen {
        origin: now(),
        ..screen
    };
    let live = Live::start(lab.watch().clone(), screen);
    let mut story = Story {
        lab: &mut lab,
        screen,
        live: Some(live),
        deadtime: duration(settings.deadtime),
        steps: Vec::new(),
        runs: Vec::new(),
    };
    let told = story.tell();
    // What is left to tell comes before the results.
    story.live = None;
    if matches!(&told, Err(error) if interrupted(error)) {
        return told.map(|()| ExitCode::SUCCESS);
    }
    let samples = story.lab.watch().samples();
    show_results(&story, &samples);
    let conflict = conflict(&samples, screen.origin).map(anyhow::Error::msg);
    if let Some(error) = told.err().or(conflict) {
        show_logs(story.lab, screen);
        return Err(error);
    }
    screen.line("\nAt no moment did both nodes answer for the address.");
    if args.keep {
        keep(&mut story)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn interrupted(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LabError::Interrupted))
}

/// The picture and the table.
fn show_results(story: &Story<'_>, samples: &[Sample]) {
    let Screen { style, origin } = story.screen;
    let steps: Vec<_> = story.steps.iter().map(|step| step.began).collect();
    let picture = Picture {
        from: origin,
        until: now(),
        steps: &steps,
        runs: &story.runs,
        samples,
    };
    for part in [picture.draw(style), table::draw(&story.steps, style)] {
        story.screen.line("");
        for line in part {
            story.screen.line(&line);
        }
    }
}

fn introduce(settings: &Settings, screen: Screen) {
    let service = match &settings.service {
        Service::Nginx(path) => format!("the nginx of this machine ({})", path.display()),
        Service::Responder => "a built-in responder in the place of nginx".to_owned(),
    };
    screen.line(
        "Two nodes and a client in namespaces of their own; nothing of this machine is touched.",
    );
    screen.line(&format!("Both nodes have these files, with {service}:\n"));
    for (name, text) in [
        ("ha.cf", settings.ha_cf()),
        ("haresources", settings.haresources.clone()),
        ("authkeys", super::lab::authkeys()),
    ] {
        for (line, label) in text
            .lines()
            .zip(core::iter::once(name).chain(core::iter::repeat("")))
        {
            screen.line(&format!("    {label:<13}{line}"));
        }
    }
    screen.line("");
}

/// Starts what the story has stopped, and waits for the operator.
fn keep(story: &mut Story<'_>) -> anyhow::Result<()> {
    for host in Host::BOTH {
        if story.lab.node(host).daemon_pid().is_none() {
            story.start(host)?;
        }
    }
    let screen = story.screen;
    screen.line("\nBoth nodes stay up. To enter them and the client, from another terminal:\n");
    let shell = |entry: Vec<String>| format!("{} sh", entry.join(" "));
    for host in Host::BOTH {
        let node = story.lab.node(host);
        screen.line(&format!(
            "    {:<9}{}",
            host.name(),
            shell(node.space()?.entry())
        ));
    }
    screen.line(&format!(
        "    {:<9}{}",
        "client",
        shell(story.lab.hub().entry())
    ));
    let binary = std::env::current_exe().context("cannot find this program's own file")?;
    screen.line("\nOn a node, for example:\n");
    for host in Host::BOTH {
        let options = story.lab.node(host).options().join(" ");
        screen.line(&format!("    {} {options} status", binary.display()));
    }
    screen.line("\nCtrl-C ends it all.");
    loop {
        match story.lab.interrupt().sleep(Duration::from_hours(1)) {
            Err(LabError::Interrupted) => return Ok(()),
            other => other?,
        }
    }
}

fn show_logs(lab: &Lab, screen: Screen) {
    const LINES: usize = 25;
    for host in Host::BOTH {
        screen.line(
            &screen
                .style
                .paint(Tone::Bad, &format!("\nthe log of {host}, its end:")),
        );
        let log = lab.node(host).log();
        let lines: Vec<&str> = log.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
            screen.line(&format!("    {line}"));
        }
    }
}

/// Ctrl-C, SIGTERM and a closed terminal end the lab in order, so that its directory goes too.
///
/// # Errors
/// The signals cannot be listened for.
pub fn listen_for_signals(interrupt: Interrupt) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _inside = runtime.enter();
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        kinds.map(signal)
    };
    thread::spawn(move || {
        let [Ok(interrupted), Ok(terminated), Ok(hung_up)] = &mut signals else {
            return;
        };
        runtime.block_on(async {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
                _ = hung_up.recv() => {}
            }
        });
        interrupt.set();
    });
    Ok(())
}
