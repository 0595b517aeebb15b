//! The original's tools, by what they print and return.

use std::path::PathBuf;

use super::*;
use crate::status::{LinkReport, Parameter, PeerReport};

/// A daemon that says what the test wants.
struct Fake(Option<StatusReport>, Option<Ask>);

impl Daemon for Fake {
    fn status(&mut self) -> Result<StatusReport, ClientError> {
        self.0
            .clone()
            .ok_or_else(|| ClientError::NotRunning(PathBuf::from("/run/x")))
    }

    fn command(&mut self, ask: Ask) -> Result<(), ClientError> {
        self.status()?;
        self.1 = Some(ask);
        Ok(())
    }
}

fn running() -> Fake {
    let report = StatusReport {
        node: "rproxy1".into(),
        version: "0.1.0".into(),
        status: "active".into(),
        hold: "local".into(),
        stable: true,
        peer: PeerReport {
            name: "rproxy2".into(),
            status: "dead".into(),
            ..PeerReport::default()
        },
        links: vec![LinkReport {
            interface: "eth0".into(),
            status: "up".into(),
            ..LinkReport::default()
        }],
        parameters: vec![Parameter {
            name: "keepalive".into(),
            value: "200ms".into(),
        }],
        ..StatusReport::default()
    };
    Fake(Some(report), None)
}

fn call(line: &str, daemon: &mut Fake) -> (u8, String, String) {
    let mut words = line.split(' ').map(str::to_owned);
    let tool = Tool::from_name(OsStr::new(&words.next().unwrap())).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args: Vec<String> = words.collect();
    let code = run(tool, &args, daemon, &mut out, &mut err).unwrap();
    (
        code,
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

/// Aim: every sub-command answers with the original's words and exit code.
#[test]
fn cl_status_answers() {
    for (line, code, out) in [
        ("hbstatus", 0, "Heartbeat is running on this machine.\n"),
        ("listnodes", 0, "rproxy2\nrproxy1\n"),
        ("listnodes -p", 0, ""),
        ("nodestatus rproxy1", 0, "active\n"),
        ("nodestatus rproxy2", 1, "dead\n"),
        (
            "nodestatus -m rproxy1",
            0,
            "The cluster node rproxy1 is active\n",
        ),
        ("nodestatus nobody", 11, ""),
        ("nodetype rproxy2", 0, "normal\n"),
        ("nodeweight rproxy2", 0, "100\n"),
        ("nodesite rproxy2", 0, "\n"),
        ("listhblinks rproxy2", 0, "\teth0\n"),
        ("hblinkstatus rproxy2 eth0", 0, "up\n"),
        ("clientstatus rproxy1 ipfail", 1, "offline\n"),
        ("rscstatus", 0, "local\n"),
        ("rscstatus -m", 0, "This node is holding local resources.\n"),
        ("hbparameter -p keepalive", 0, "200ms\n"),
        ("hbparameter -p nothing", 1, ""),
        ("foo", 11, ""),
    ] {
        let (got, text, _) = call(&format!("/usr/bin/cl_status {line}"), &mut running());
        assert_eq!((got, text.as_str()), (code, out), "{line}");
    }
    let (_, _, error) = call("cl_status nodestatus nobody", &mut running());
    assert_eq!(error, "Error. May be due to incorrect node name\n");
    let (_, text, _) = call("cl_status hbstatus -v", &mut running());
    assert!(
        text.contains("managed by: \"haresources\"\nrproxy2 dead (nodetype: normal)\n\teth0 up\n")
    );
}

/// Aim: without a daemon, or before the node is active, they say so and return 1.
#[test]
fn without_a_daemon() {
    let mut none = Fake(None, None);
    let (code, out, _) = call("cl_status hbstatus", &mut none);
    assert_eq!(
        (code, out.as_str()),
        (1, "Heartbeat is stopped on this machine.\n")
    );
    let (code, out, err) = call("cl_status rscstatus", &mut none);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("Cannot signon with heartbeat"), "{err}");
    let (code, out, err) = call("hb_standby", &mut none);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("not running on this node"), "{err}");
    let mut starting = running();
    starting.0.as_mut().unwrap().status = "up".into();
    assert_eq!(call("cl_status rscstatus", &mut starting).0, 1);
    assert_eq!(call("cl_status hbstatus", &mut starting).0, 0);
}

/// Aim: a transition is not reported as a state.
#[test]
fn transition() {
    let mut daemon = running();
    daemon.0.as_mut().unwrap().stable = false;
    assert_eq!(call("cl_status rscstatus", &mut daemon).1, "transition\n");
}

/// Aim: the scripts' words become requests, with the original's line and codes.
#[test]
fn standby_and_takeover() {
    let mut daemon = running();
    let (code, out, _) = call("/usr/share/heartbeat/hb_standby", &mut daemon);
    assert!(
        code == 0 && out.ends_with(" Going standby [all].\n"),
        "{out}"
    );
    assert_eq!(out.chars().filter(|c| *c == '/').count(), 2);
    assert_eq!(daemon.1, Some(Ask::Standby { what: What::All }));
    assert!(
        call("hb_standby failback", &mut daemon)
            .1
            .ends_with("[foreign].\n")
    );
    assert_eq!(
        daemon.1,
        Some(Ask::Standby {
            what: What::Foreign
        })
    );
    assert_eq!(
        call("hb_takeover local", &mut daemon),
        (0, String::new(), String::new())
    );
    assert_eq!(daemon.1, Some(Ask::Takeover { what: What::Local }));
    let (code, out, err) = call("hb_standby nonsense", &mut daemon);
    assert_eq!(
        (code, out.as_str()),
        (1, "hb_standby: wrong resources(nonsense).\nusage:\n")
    );
    assert_eq!(err, "hb_standby [all|foreign|local|failback]\n");
    assert_eq!(call("hb_takeover all all", &mut daemon).0, 1);
    assert_eq!(Tool::from_name(OsStr::new("/usr/sbin/systole")), None);
}
