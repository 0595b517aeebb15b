//! Lines on standard error while it runs: the table comes late.

use core::time::Duration;

use crate::contender::Contender;
use crate::outages::Outages;

/// Says what is being done.
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}

/// Says what the latest run of all events gave.
pub(crate) fn outages(contender: &dyn Contender, run: u32, runs: u32, outages: &Outages) {
    let last = |name, all: &[crate::pair::Outage]| {
        all.last().map_or_else(String::new, |outage| {
            format!(", {name} {:.0}/{:.0}", outage.address, outage.http)
        })
    };
    say(&format!(
        "{} {run}/{runs}, ms of the address/nginx{}{}{}{}",
        contender.program(),
        last("boot", &outages.boot),
        last("standby", &outages.standby),
        last("stop", &outages.stop),
        last("power cut", &outages.power_cut),
    ));
}

/// Says that nothing will be said for a while.
pub(crate) fn idle(what: &str, time: Duration) {
    say(&format!("idle pairs, {what}: {} s", time.as_secs()));
}
