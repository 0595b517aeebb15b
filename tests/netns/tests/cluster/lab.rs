//! The laboratory itself: does it see what happens in it? Here the addresses are moved by hand.

use core::time::Duration;

use systole::clock::now;
use systole::demo::analysis::{longest_outage, overlaps};
use systole::demo::lab::{Interrupt, Lab, LabError, Network, Service, Settings};
use systole::demo::sample::{Host, Probe};
use systole_core::time::Duration as Span;

const LIMIT: Duration = Duration::from_secs(10);

fn hold(lab: &Lab, host: Host) -> Result<(), LabError> {
    let space = lab.node(host).space()?;
    space.ip("address add 10.8.0.1/24 dev eth2\n")?;
    // What an announcement does, without one: the client asks anew.
    lab.hub().ip("neighbour flush dev service\n")
}

fn nginx(lab: &Lab, host: Host, what: &str) -> Result<String, LabError> {
    let script = lab.node(host).paths().config.join("resource.d/nginx");
    lab.node(host)
        .space()?
        .run(&script.display().to_string(), &[what])
}

fn served_by(lab: &Lab, probe: Probe, host: Host) -> Result<(), LabError> {
    let what = format!("{host} answers");
    lab.watch()
        .wait_for(now(), &what, LIMIT, |s| {
            s.probe == probe && s.by == Some(host)
        })
        .map(drop)
}

fn failover_by_hand(service: Service) -> Result<(), LabError> {
    let _turn = systole_netns::turn();
    let settings = Settings {
        service,
        ..Settings::default()
    };
    let mut lab = Lab::new(&systole_netns::binary(), &settings, Interrupt::default())?;
    let [first, second] = Host::BOTH;
    lab.power_on(first)?;
    lab.power_on(second)?;
    hold(&lab, first)?;
    assert_eq!(nginx(&lab, first, "start")?, "");
    assert_eq!(nginx(&lab, first, "status")?, "running\n");
    for probe in [Probe::Http, Probe::Echo, Probe::Arp] {
        served_by(&lab, probe, first)?;
    }
    let cut = now();
    lab.power_cut(first)?;
    lab.interrupt().sleep(Duration::from_millis(300))?;
    hold(&lab, second)?;
    nginx(&lab, second, "start")?;
    for probe in [Probe::Http, Probe::Echo, Probe::Arp] {
        served_by(&lab, probe, second)?;
        let outage = longest_outage(&lab.watch().samples(), probe, cut, now());
        assert!(outage > Span::from_millis(300), "{probe:?}: {outage}");
    }
    assert_eq!(overlaps(&lab.watch().samples()), []);
    // A machine that was off comes back empty, on the same networks, and now two hold the address.
    lab.power_on(first)?;
    hold(&lab, first)?;
    lab.interrupt()
        .wait_until("a neighbour hears both", LIMIT, || {
            (!overlaps(&lab.watch().samples()).is_empty()).then_some(())
        })?;
    nginx(&lab, second, "stop")?;
    Ok(())
}

/// Aim: with the embedded responder, the client sees a failover, its length, and a double holder.
#[test]
fn sees_a_failover_with_the_responder() -> Result<(), LabError> {
    failover_by_hand(Service::Responder)
}

/// Aim: the same with the real nginx, where it is installed.
#[test]
fn sees_a_failover_with_nginx() -> Result<(), LabError> {
    failover_by_hand(Service::detect())
}

/// Aim: a pulled cable is silence on that network only, and plugging it in again mends it.
#[test]
fn pulled_cable() -> Result<(), LabError> {
    let _turn = systole_netns::turn();
    let mut lab = Lab::new(
        &systole_netns::binary(),
        &Settings::default(),
        Interrupt::default(),
    )?;
    let host = Host::First;
    lab.power_on(host)?;
    hold(&lab, host)?;
    served_by(&lab, Probe::Echo, host)?;
    lab.pull(host, Network::Private)?;
    served_by(&lab, Probe::Echo, host)?;
    lab.pull(host, Network::Service)?;
    lab.watch().wait_for(now(), "nobody answers", LIMIT, |s| {
        s.probe == Probe::Arp && s.failed()
    })?;
    lab.plug(host, Network::Service)?;
    served_by(&lab, Probe::Echo, host)
}
