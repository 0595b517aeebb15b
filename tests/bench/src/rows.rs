//! From what was measured to the rows of the table, with the bounds that we have promised.

use core::time::Duration;

use crate::contender::DEADTIME;
use crate::idle::{Cost, Idle};
use crate::outages::Outages;
use crate::pair::Outage;
use crate::series::Series;
use crate::table::Row;

/// On top of deadtime: to decide, to add the address and to tell everybody.
const TAKEOVER: f64 = 60.0;
/// A planned move, without nginx.
const PLANNED: f64 = 50.0;
/// From the second node's start to being served.
const BOOT: f64 = 1_000.0;
/// Resident memory of the daemon in MiB.
const RESIDENT: f64 = 6.0;
/// Of one core, in percent.
const CPU: f64 = 0.1;

/// The rows of the outages; `nginx` is its own start time, which goes on top where it is part of the figure.
pub(crate) fn outages(all: &[Outages], nginx: Option<&Series>) -> Vec<Row> {
    let start = nginx.map_or(0.0, |series| series.max);
    let deadtime = deadtime();
    let address = |outage: &Outage| outage.address;
    let http = |outage: &Outage| outage.http;
    let row =
        |title: &str, bound, kind: fn(&Outages) -> &Vec<Outage>, part: fn(&Outage) -> f64| Row {
            title: title.to_owned(),
            unit: "ms",
            bound: Some(bound),
            figures: all
                .iter()
                .map(|outages| Series::new(kind(outages).iter().map(part).collect()))
                .collect(),
        };
    vec![
        row(
            "power cut: the address",
            deadtime + TAKEOVER,
            |o| &o.power_cut,
            address,
        ),
        row(
            "power cut: nginx",
            deadtime + TAKEOVER + start,
            |o| &o.power_cut,
            http,
        ),
        row(
            "planned standby: the address",
            PLANNED,
            |o| &o.standby,
            address,
        ),
        row(
            "planned standby: nginx",
            PLANNED + start,
            |o| &o.standby,
            http,
        ),
        row("clean stop: the address", deadtime, |o| &o.stop, address),
        row("clean stop: nginx", deadtime, |o| &o.stop, http),
        row(
            "both boot: until the address answers",
            BOOT,
            |o| &o.boot,
            address,
        ),
        row("both boot: until nginx answers", BOOT, |o| &o.boot, http),
    ]
}

/// nginx by itself, which every figure with nginx contains.
pub(crate) fn nginx(series: Option<Series>, columns: usize) -> Row {
    let mut figures = vec![series];
    figures.resize(columns, None);
    Row {
        title: "nginx alone: from its start to its first answer".to_owned(),
        unit: "ms",
        bound: None,
        figures,
    }
}

/// The rows of the idle pairs.
pub(crate) fn idle(all: &[Idle], time: Duration) -> Vec<Row> {
    let row = |title: String, unit, bound, figure: &dyn Fn(&Idle) -> f64| Row {
        title,
        unit,
        bound,
        figures: all
            .iter()
            .map(|idle| Series::new(vec![figure(idle)]))
            .collect(),
    };
    let mut rows = Vec::new();
    for (node, cost) in [
        ("active", active as fn(&Idle) -> Cost),
        ("standby", standby),
    ] {
        let title = |what| format!("idle {node} node: {what}");
        rows.extend([
            row(title("processes"), "count", None, &|i| {
                cost(i).processes.into()
            }),
            row(title("resident memory"), "MiB", Some(RESIDENT), &|i| {
                cost(i).resident_mib
            }),
            row(title("proportional memory"), "MiB", None, &|i| {
                cost(i).proportional_mib
            }),
            row(title("processor"), "ms per minute", None, &|i| {
                cost(i).cpu_millis
            }),
            row(title("processor"), "% of a core", Some(CPU), &|i| {
                cost(i).cpu_millis / 600.0
            }),
        ]);
    }
    let during = |what: &str| format!("{what} in {} idle seconds", time.as_secs());
    rows.push(row(during("false takeovers"), "count", Some(0.0), &|i| {
        i.false_takeovers.into()
    }));
    rows.push(row(during("outage of nginx"), "ms", Some(0.0), &|i| {
        i.missed
    }));
    rows
}

const fn active(idle: &Idle) -> Cost {
    idle.active
}

const fn standby(idle: &Idle) -> Cost {
    idle.standby
}

fn deadtime() -> f64 {
    DEADTIME.as_secs_f64() * 1_000.0
}
