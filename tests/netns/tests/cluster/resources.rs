//! Resource scripts that fail, crash, or talk too much.

use core::time::Duration;

use systole::demo::sample::Host;
use systole_netns::{DEADTIME, FIRST, SECOND, World, settings};

/// A script that does `start` in its own way and is stopped otherwise.
fn script(start: &str) -> String {
    format!("#!/bin/sh\ncase \"$1\" in\nstart) {start} ;;\nstatus) echo stopped; exit 3 ;;\nesac\n")
}

fn with_script_on_first(start: &str) -> World {
    let mut world = World::new(&settings());
    let paths = world.lab().node(FIRST).paths();
    paths
        .write_script("nginx", &script(start))
        .expect("a script");
    for host in Host::BOTH {
        world.start(host);
    }
    world
}

/// Aim: a service that cannot be started on its preferred node is served by the peer, and the failing node
/// keeps nothing of it.
#[test]
fn failing_start() {
    let mut world = with_script_on_first("echo out of order >&2; exit 1");
    world.served_by(SECOND);
    world.logged(FIRST, "out of order");
    world.logged(FIRST, "could not be started here");
    world.only_holder(SECOND, DEADTIME * 2);
}

/// Aim: the same for a script that crashes.
#[test]
fn crashing_start() {
    let mut world = with_script_on_first("kill -SEGV $$");
    world.served_by(SECOND);
    world.only_holder(SECOND, DEADTIME * 2);
}

/// Aim: the same for a script that is not there.
#[test]
fn missing_script() {
    let mut world = World::new(&settings());
    for host in Host::BOTH {
        let haresources = "rproxy1 10.8.0.1 nginx webwork\n";
        world.write_config(host, "haresources", haresources);
    }
    let paths = world.lab().node(SECOND).paths();
    paths
        .write_script("webwork", &script("exit 0"))
        .expect("a script");
    for host in Host::BOTH {
        world.start(host);
    }
    world.served_by(SECOND);
    world.logged(FIRST, "webwork");
}

/// Aim: a script that hangs is ended at its deadline (a minute); until then heartbeats go on, then the peer
/// serves.
#[test]
fn hanging_start() {
    let mut world = with_script_on_first("sleep 1000");
    world.logged(FIRST, "acquiring");
    world.nothing_happens_for(Duration::from_secs(55));
    for host in Host::BOTH {
        assert_eq!(world.log_count(host, "is dead: nothing heard"), 0);
    }
    world.served_by(SECOND);
    world.logged(FIRST, "could not be started here");
    world.only_holder(SECOND, DEADTIME * 2);
}

/// Aim: megabytes of output neither hold the service up nor fill the log, and heartbeats go on meanwhile.
#[test]
fn talkative_script() {
    let mut world = World::new(&settings());
    for host in Host::BOTH {
        let haresources = "rproxy1 10.8.0.1 chatter nginx\n";
        world.write_config(host, "haresources", haresources);
        let start =
            "yes a long line of nothing much | head -c 8000000; yes error | head -c 1000000 >&2";
        let paths = world.lab().node(host).paths();
        paths
            .write_script("chatter", &script(start))
            .expect("a script");
    }
    for host in Host::BOTH {
        world.start(host);
    }
    world.served_by(FIRST);
    world.settled();
    let log = world.lab().node(FIRST).log();
    assert!(log.len() < 200_000, "{} bytes of log", log.len());
    assert_eq!(world.log_count(SECOND, "is dead: nothing heard"), 0);
}

/// Aim: resources start from left to right and stop from right to left, with the arguments in front.
#[test]
fn order_and_arguments() {
    let mut world = World::new(&settings());
    let trace = world.lab().directory().join("trace");
    for host in Host::BOTH {
        world.write_config(
            host,
            "haresources",
            "rproxy1 one::a::b 10.8.0.1 nginx two\n",
        );
        for name in ["one", "two"] {
            let text = format!(
                "#!/bin/sh\nip -4 -o address show dev eth2 | grep -q ' 10.8.0.1/' && a=with || a=without\n\
                 case \"$*\" in *status) echo stopped; exit 3 ;; esac\n\
                 echo {host} {name} \"$@\" $a >>'{}'\n",
                trace.display()
            );
            world
                .lab()
                .node(host)
                .paths()
                .write_script(name, &text)
                .expect("a script");
        }
    }
    for host in Host::BOTH {
        world.start(host);
    }
    world.served_by(FIRST);
    world.settled();
    world.command(FIRST, &["standby"]);
    world.served_by(SECOND);
    world.settled();
    let traced = std::fs::read_to_string(&trace).expect("a trace");
    let expected = "\
rproxy1 one a b start without
rproxy1 two start with
rproxy1 two stop with
rproxy1 one a b stop without
rproxy2 one a b start without
rproxy2 two start with
";
    assert_eq!(traced, expected);
}
