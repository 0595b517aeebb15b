//! Every directive of ha.cf that the original knows, and what becomes of it here.

/// What becomes of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    /// It works.
    Acts(Act),
    /// It is accepted; it has no effect here and needs none.
    Note(&'static str),
    /// It is accepted, but what it asked for does not happen.
    Warn(&'static str, &'static str),
    /// It is refused: the reason, and what to do.
    Refuse(&'static str, &'static str),
    /// It is refused unless its value says no.
    RefuseUnlessOff(&'static str, &'static str),
}

/// The directives that work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Node,
    Udpport,
    Ucast,
    Bcast,
    OldBcast,
    Mcast,
    Baud,
    Serial,
    Time(Time),
    Scalar(Scalar),
}

/// The directives whose value is a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Keepalive,
    Deadtime,
    Warntime,
    Initdead,
}

/// The other directives with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    AutoFailback,
    NiceFailback,
    Hopfudge,
    Autojoin,
    SerialAuth,
    UseLogd,
    Logfile,
    Debugfile,
    Logfacility,
    Debug,
}

use Handling::{Acts, Note, Refuse, RefuseUnlessOff, Warn};

const NO_PING: &str = "this version does not watch ping nodes";
const NO_PING_HELP: &str = "remove the line; do not count on a cut-off node to give up its \
     resources by itself";
const NO_CLIENTS: &str = "this version has no client programs";
const CRM: &str =
    "Systole replaces the haresources mode only; it starts no cluster resource manager";
const CRM_HELP: &str = "remove the line to use haresources here; for resources managed by \
     Pacemaker run Pacemaker on Corosync";
const FENCING: &str = "this version cannot fence, and a node must not believe that it is protected";
const FENCING_HELP: &str = "remove the line only if the cluster may run without fencing";
const CRM_ONLY: &str = "it concerns the cluster resource manager only";
const NO_COMPRESSION: &str = "heartbeats are small and are not compressed";

/// The table, in the order of ha.cf(5): who and when, links, behaviour, logs, the rest.
pub(crate) const DIRECTIVES: &[(&str, Handling)] = &[
    ("node", Acts(Act::Node)),
    ("keepalive", Acts(Act::Time(Time::Keepalive))),
    ("deadtime", Acts(Act::Time(Time::Deadtime))),
    ("warntime", Acts(Act::Time(Time::Warntime))),
    ("initdead", Acts(Act::Time(Time::Initdead))),
    ("udpport", Acts(Act::Udpport)),
    ("ucast", Acts(Act::Ucast)),
    ("ucast6", Acts(Act::Ucast)),
    ("bcast", Acts(Act::Bcast)),
    ("udp", Acts(Act::OldBcast)),
    ("mcast", Acts(Act::Mcast)),
    (
        "mcast6",
        Refuse(
            "this version has no IPv6 multicast links",
            "use `ucast6 INTERFACE ADDRESS`, one line for each node",
        ),
    ),
    ("baud", Acts(Act::Baud)),
    ("serial", Acts(Act::Serial)),
    ("serial_auth", Acts(Act::Scalar(Scalar::SerialAuth))),
    (
        "openais",
        Refuse(
            "this version carries heartbeats over UDP and serial lines only",
            "remove the line and use `ucast` or `bcast`",
        ),
    ),
    ("auto_failback", Acts(Act::Scalar(Scalar::AutoFailback))),
    ("nice_failback", Acts(Act::Scalar(Scalar::NiceFailback))),
    ("hopfudge", Acts(Act::Scalar(Scalar::Hopfudge))),
    ("autojoin", Acts(Act::Scalar(Scalar::Autojoin))),
    ("use_logd", Acts(Act::Scalar(Scalar::UseLogd))),
    ("logfile", Acts(Act::Scalar(Scalar::Logfile))),
    ("debugfile", Acts(Act::Scalar(Scalar::Debugfile))),
    ("logfacility", Acts(Act::Scalar(Scalar::Logfacility))),
    ("debug", Acts(Act::Scalar(Scalar::Debug))),
    ("crm", RefuseUnlessOff(CRM, CRM_HELP)),
    ("pacemaker", RefuseUnlessOff(CRM, CRM_HELP)),
    (
        "watchdog",
        Refuse(
            "this version does not feed a watchdog device, and a node must not believe that it \
             is protected",
            "remove the line only if the cluster may run without a watchdog",
        ),
    ),
    ("stonith", Refuse(FENCING, FENCING_HELP)),
    ("stonith_host", Refuse(FENCING, FENCING_HELP)),
    (
        "quorum_server",
        Refuse(
            "this version asks no quorum server, and a cut-off node must not believe that it is \
             stopped by one",
            "remove the line only if the cluster may run without it",
        ),
    ),
    (
        "use_apphbd",
        RefuseUnlessOff(
            "nothing watches the daemon through apphbd here",
            "remove the line; the systemd unit of Systole restarts a daemon that hangs",
        ),
    ),
    (
        "failfast",
        Refuse(
            "this version starts no client programs, so it cannot restart the node when one ends",
            "remove the line only if the cluster may run without it",
        ),
    ),
    (
        "respawn",
        Warn(
            "this version starts no client programs (such as ipfail)",
            "remove the line; a program that must run all the time belongs in a systemd unit \
             with `Restart=always`",
        ),
    ),
    ("ping", Warn(NO_PING, NO_PING_HELP)),
    ("ping6", Warn(NO_PING, NO_PING_HELP)),
    ("ping_group", Warn(NO_PING, NO_PING_HELP)),
    ("hbaping", Warn(NO_PING, NO_PING_HELP)),
    ("deadping", Warn(NO_PING, "remove the line")),
    (
        "apiauth",
        Warn(
            NO_CLIENTS,
            "remove the line; `systole status` is for root only",
        ),
    ),
    (
        "env",
        Warn(
            NO_CLIENTS,
            "remove the line; a resource script sets what it needs itself",
        ),
    ),
    (
        "realtime",
        Note("the daemon keeps its times without real-time scheduling"),
    ),
    (
        "rtprio",
        Note("the daemon keeps its times without real-time scheduling"),
    ),
    (
        "msgfmt",
        Note("both formats are read, and the one that every version reads is sent"),
    ),
    ("compression", Note(NO_COMPRESSION)),
    ("compression_threshold", Note(NO_COMPRESSION)),
    ("traditional_compression", Note(NO_COMPRESSION)),
    (
        "hbgenmethod",
        Note("the generation is always kept in the file"),
    ),
    ("uuidfrom", Note("the identity is always kept in the file")),
    (
        "max_rexmit_delay",
        Note("retransmissions are timed by the daemon itself"),
    ),
    (
        "memreserve",
        Note("the daemon allocates what it needs when it starts"),
    ),
    (
        "log_badpack",
        Note("refused packets are always counted and reported at a bounded rate"),
    ),
    (
        "conn_logd_time",
        Note("there is no logging daemon to connect to"),
    ),
    (
        "syslogmsgfmt",
        Note("log lines have the format of the journal or syslog"),
    ),
    (
        "coredumps",
        Note("the system decides about core dumps: see core(5)"),
    ),
    (
        "coreroot",
        Note("the system decides about core dumps: see core(5)"),
    ),
    ("normalpoll", Note("the daemon has one way to wait")),
    ("cluster", Note("the cluster's name is used nowhere")),
    ("record_config_changes", Note(CRM_ONLY)),
    ("record_pengine_inputs", Note(CRM_ONLY)),
    ("enable_config_writes", Note(CRM_ONLY)),
    ("crm_daemon_dir", Note(CRM_ONLY)),
    ("crmd_spawns_pengine", Note(CRM_ONLY)),
];

/// What becomes of the directive of this name; `None` when there is none.
pub(crate) fn find(name: &str) -> Option<(&'static str, Handling)> {
    DIRECTIVES.iter().find(|(known, _)| *known == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: no directive stands twice in the table, where the second would never be found.
    #[test]
    fn every_name_is_unique() {
        for (index, (name, _)) in DIRECTIVES.iter().enumerate() {
            assert!(
                DIRECTIVES[..index]
                    .iter()
                    .all(|(earlier, _)| earlier != name),
                "{name}"
            );
        }
    }

    /// Aim: what promises safety is refused, never taken without its effect.
    #[test]
    fn promises_are_refused() {
        for name in [
            "watchdog",
            "stonith",
            "stonith_host",
            "quorum_server",
            "failfast",
        ] {
            assert!(matches!(find(name), Some((_, Refuse(..)))), "{name}");
        }
    }
}
