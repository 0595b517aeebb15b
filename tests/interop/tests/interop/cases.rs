//! The rows of the matrix.

mod faults;
mod life;
mod media;
mod standby;
mod tools;
mod upgrade;

use core::time::Duration;

use crate::pair::Role;

/// One row: what is done, in one role; it returns what was measured.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Role) -> String,
}

const fn case(name: &'static str, run: fn(Role) -> String) -> Case {
    Case { name, run }
}

/// All rows.
pub(crate) const ALL: &[Case] = &[
    case("upgrade and back, by the script", upgrade::there_and_back),
    case("start: Systole first", life::ours_first),
    case("start: Heartbeat first", life::theirs_first),
    case("start: at once", life::at_once),
    case("death: Heartbeat, then back", life::theirs_dies),
    case("death: Systole, then back", life::ours_dies),
    case("death: failback off", life::dies_without_failback),
    case("stop: Heartbeat, then back", life::theirs_stops),
    case("stop: Systole, then back", life::ours_stops),
    case("stop: failback off", life::stops_without_failback),
    case("standby: from Heartbeat", standby::from_theirs),
    case("standby: from Systole", standby::from_ours),
    case("takeover: by Heartbeat", standby::taken_by_theirs),
    case("takeover: by Systole", standby::taken_by_ours),
    case("legacy: start, stop, death", life::legacy),
    case("loss: 5 %", faults::five_percent),
    case("loss: 20 %", faults::twenty_percent),
    case("partition and healing", faults::partition),
    case("frozen Heartbeat", faults::theirs_frozen),
    case("frozen Systole", faults::ours_frozen),
    case("reload of Heartbeat", faults::theirs_reloads),
    case("killed and restarted Systole", faults::ours_killed),
    case("cl_status answers alike", tools::answer_alike),
    case("link: bcast, md5", media::broadcast_md5),
    case("link: mcast, crc", media::multicast_crc),
    case("link: serial, sha1", media::serial),
    case("link: two ucast, keys by index", media::two_links),
];

/// For the matrix.
fn show(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
