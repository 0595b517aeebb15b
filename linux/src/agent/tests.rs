//! The agent against real processes: scripts that behave, hang, crash, flood and daemonize.

mod kinds;

use core::time::Duration;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use tokio::time::{sleep, timeout};

use super::*;
use crate::config::{AddressStyle, LogConfig, Resource};

const GROUP: GroupId = GroupId(0);

/// Remembers what was asked, and fails when told to.
#[derive(Default)]
struct Fake {
    journal: PathBuf,
    broken: Mutex<bool>,
}

impl Fake {
    fn note(&self, verb: &str, address: &Address) -> BoxFuture<'_, Result<(), AddressError>> {
        let line = format!("{verb} {}\n", address.text);
        append(&self.journal, &line);
        let broken = *self.broken.lock().unwrap();
        Box::pin(async move {
            if broken {
                Err("the cable is cut".into())
            } else {
                Ok(())
            }
        })
    }
}

impl Addresses for Fake {
    fn acquire<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        self.note("add", address)
    }
    fn release<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        self.note("remove", address)
    }
    fn announce<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        self.note("announce", address)
    }
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A machine of its own in a directory: scripts, a journal of what was done, an agent.
struct Machine {
    dir: tempfile::TempDir,
    addresses: Arc<Fake>,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("resource.d")).unwrap();
        fs::create_dir(dir.path().join("init.d")).unwrap();
        let journal = dir.path().join("journal");
        let addresses = Arc::new(Fake {
            journal,
            broken: Mutex::new(false),
        });
        Self { dir, addresses }
    }

    /// Writes a script by a child process: were it written here, a child that another test starts
    /// at this moment would inherit the open file, and running the script fail as "busy".
    fn script(&self, path: &str, body: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        let mut child = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\nD={}\n{body}\n", self.dir.path().display());
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
        path
    }

    /// A script that keeps its state in a file, as a well-behaved one.
    fn well_behaved(&self, name: &str) {
        self.script(
            &format!("resource.d/{name}"),
            r#"echo "$(basename $0) $*" >> $D/journal
            case $* in
                *start) touch $0.runs;;
                *stop) rm -f $0.runs;;
                *status) if [ -e $0.runs ]; then echo running; else echo stopped; exit 3; fi;;
            esac"#,
        );
    }

    fn agent(&self, resources: &[&str]) -> Agent {
        let group = Group {
            name: "first".to_owned(),
            node: "rproxy1".to_owned(),
            resources: resources.iter().map(|text| resource(text)).collect(),
        };
        let places = Places {
            scripts: vec![
                self.dir.path().join("resource.d"),
                self.dir.path().join("init.d"),
            ],
            systemd: self.dir.path().join("systemd"),
            units: vec![self.dir.path().join("units")],
            nginx: self.dir.path().join("nginx"),
            systemctl: self.dir.path().join("systemctl"),
        };
        let settings = Settings {
            places,
            environment: Environment::new(
                self.dir.path(),
                self.dir.path(),
                "rproxy1",
                &LogConfig::default(),
                &[],
            ),
            deadlines: Deadlines {
                start: Duration::from_secs(2),
                stop: Duration::from_secs(2),
                status: Duration::from_secs(2),
                grace: Duration::from_millis(300),
                retry: Duration::from_millis(10),
                ..Deadlines::default()
            },
            addresses: Arc::clone(&self.addresses) as Arc<dyn Addresses>,
        };
        Agent::new(vec![group], settings).unwrap()
    }

    /// What was done, one line each.
    fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.addresses.journal).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn until_journal(&self, line: &str) {
        for _ in 0..1000 {
            if self.journal().iter().any(|other| other == line) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("no {line:?} in {:?}", self.journal());
    }
}

fn resource(text: &str) -> Resource {
    if let Ok(address) = text.parse() {
        return Resource::Address(Address {
            text: text.to_owned(),
            style: AddressStyle::IPaddr,
            address,
            prefix: None,
            interface: None,
            label: None,
            broadcast: None,
        });
    }
    let mut words = text.split("::").map(str::to_owned);
    let name = words.next().unwrap();
    Resource::Agent {
        text: text.to_owned(),
        name,
        args: words.collect(),
    }
}

async fn done(agent: &mut Agent) -> (Operation, Outcome) {
    let done = timeout(Duration::from_secs(20), agent.done())
        .await
        .expect("it must end");
    assert_eq!(done.group, GROUP);
    (done.operation, done.outcome)
}

async fn acquire(agent: &mut Agent) -> Outcome {
    agent.acquire(GROUP);
    let (operation, outcome) = done(agent).await;
    assert_eq!(operation, Operation::Acquire);
    outcome
}

async fn release(agent: &mut Agent) -> Outcome {
    agent.release(GROUP);
    let (operation, outcome) = done(agent).await;
    assert_eq!(operation, Operation::Release);
    outcome
}

/// Aim: left to right, right to left, arguments before the verb, resource.d before init.d.
#[tokio::test]
async fn order_and_arguments() {
    let machine = Machine::new();
    machine.well_behaved("web");
    machine.well_behaved("disk");
    machine.script("init.d/web", "echo wrong >> $D/journal");
    let mut agent = machine.agent(&["10.8.0.1", "disk::/dev/sda1::/srv", "web"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert_eq!(
        machine.journal(),
        [
            "add 10.8.0.1",
            "disk /dev/sda1 /srv status",
            "disk /dev/sda1 /srv start",
            "web status",
            "web start",
            "web stop",
            "disk /dev/sda1 /srv stop",
            "remove 10.8.0.1",
        ]
    );
}

/// Aim: what runs already is not started again, but addresses are always acquired again.
#[tokio::test]
async fn running_resources_are_left_alone() {
    let machine = Machine::new();
    machine.well_behaved("web");
    let mut agent = machine.agent(&["10.8.0.1", "web"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    let journal = machine.journal();
    assert_eq!(
        journal.iter().filter(|line| *line == "web start").count(),
        1
    );
    assert_eq!(
        journal
            .iter()
            .filter(|line| *line == "add 10.8.0.1")
            .count(),
        2
    );
}

/// Aim: addresses are announced again only while the group is held.
#[tokio::test]
async fn announcements() {
    let machine = Machine::new();
    let mut agent = machine.agent(&["10.8.0.1"]);
    agent.announce(GROUP);
    sleep(Duration::from_millis(50)).await;
    assert!(machine.journal().is_empty());
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    agent.announce(GROUP);
    machine.until_journal("announce 10.8.0.1").await;
}

/// Aim: a failed start ends the acquire there, and the release still takes everything away.
#[tokio::test]
async fn a_failed_start_stops_the_row() {
    let machine = Machine::new();
    machine.script(
        "resource.d/bad",
        "[ $1 = start ] && exit 5; [ $1 = status ] && exit 3; exit 0",
    );
    machine.well_behaved("web");
    let mut agent = machine.agent(&["10.8.0.1", "bad", "web"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
    assert!(!machine.journal().contains(&"web start".to_owned()));
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert_eq!(machine.journal().last().unwrap(), "remove 10.8.0.1");
}

/// Aim: a word that stands for nothing fails at once, and does not block the release.
#[tokio::test]
async fn a_missing_script_fails_and_releases() {
    let machine = Machine::new();
    fs::write(machine.dir.path().join("init.d/absent"), "").unwrap();
    let mut agent = machine.agent(&["10.8.0.1", "absent"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
    assert_eq!(release(&mut agent).await, Outcome::Done);
    let places = Places {
        scripts: vec![
            machine.dir.path().join("resource.d"),
            machine.dir.path().join("init.d"),
        ],
        ..Places::new(Path::new("/nowhere"))
    };
    let error = places.find("absent", &[]).unwrap_err().to_string();
    assert!(
        error.contains("resource.d/absent, ") && error.contains("not executable: chmod +x"),
        "{error}"
    );
}

/// Aim: a script that was started and then vanished keeps the group from the peer.
#[tokio::test]
async fn a_vanished_script_is_not_believed_stopped() {
    let machine = Machine::new();
    machine.well_behaved("web");
    let mut agent = machine.agent(&["10.8.0.1", "web"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    fs::remove_file(machine.dir.path().join("resource.d/web")).unwrap();
    assert_eq!(release(&mut agent).await, Outcome::Failed);
    assert_eq!(machine.journal().last().unwrap(), "remove 10.8.0.1");
}

/// Aim: a start that hangs is killed at its deadline, with all of its process group.
#[tokio::test]
async fn a_hanging_start_meets_its_deadline() {
    let machine = Machine::new();
    machine.script(
        "resource.d/hang",
        "[ $1 = start ] || exit 3; trap '' TERM; sleep 1000 & echo $! > $D/pid; \
         echo $$ > $D/parent; while :; do wait; done",
    );
    let mut agent = machine.agent(&["hang"]);
    let began = clock_now();
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
    assert!(began.elapsed() < Duration::from_secs(6));
    for file in ["pid", "parent"] {
        let pid = fs::read_to_string(machine.dir.path().join(file)).unwrap();
        assert!(gone(pid.trim()).await, "{file} still runs");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may measure")]
fn clock_now() -> std::time::Instant {
    std::time::Instant::now()
}

async fn gone(pid: &str) -> bool {
    for _ in 0..200 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return true;
        }
        sleep(Duration::from_millis(10)).await;
    }
    false
}

/// Aim: a release during an acquire breaks it off at once; only the release is reported.
#[tokio::test]
async fn a_release_breaks_off_an_acquire() {
    let machine = Machine::new();
    machine.script(
        "resource.d/slow",
        "echo $1 >> $D/journal; case $1 in start) exec sleep 1000;; status) exit 3;; esac",
    );
    let mut agent = machine.agent(&["10.8.0.1", "slow"]);
    agent.acquire(GROUP);
    machine.until_journal("start").await;
    let began = clock_now();
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(
        machine.journal(),
        ["add 10.8.0.1", "status", "start", "stop", "remove 10.8.0.1"]
    );
    assert!(
        timeout(Duration::from_millis(50), agent.done())
            .await
            .is_err()
    );
}

/// Aim: megabytes of output neither block the child nor the agent, nor cost memory.
#[tokio::test]
async fn a_flood_is_read_and_dropped() {
    let machine = Machine::new();
    machine.script(
        "resource.d/flood",
        "[ $1 = status ] && exit 3; head -c 8000000 /dev/zero; yes | head -c 8000000; \
         touch $D/journal; echo ended >> $D/journal",
    );
    let mut agent = machine.agent(&["flood"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(machine.journal(), ["ended"]);
}

/// Aim: a daemon that keeps the output open does not hold up its start, and can go on writing.
#[tokio::test]
async fn a_daemon_that_keeps_the_pipe_is_not_waited_for() {
    let machine = Machine::new();
    machine.script(
        "resource.d/daemon",
        "case $1 in status) exit 3;; start) (sleep 2; echo hello; echo alive >> $D/journal) & echo up;; esac",
    );
    let mut agent = machine.agent(&["daemon"]);
    let began = clock_now();
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    machine.until_journal("alive").await;
}

/// Aim: a failing stop is tried again, and the address comes off whatever happens.
#[tokio::test]
async fn a_failing_stop_is_retried() {
    let machine = Machine::new();
    machine.script(
        "resource.d/third",
        r"echo $1 >> $D/journal; case $1 in
            status) echo running;;
            stop) n=$(grep -c stop $D/journal); [ $n -ge 3 ] || exit 1;;
        esac",
    );
    let mut agent = machine.agent(&["10.8.0.1", "third"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(release(&mut agent).await, Outcome::Done);
    assert_eq!(
        machine
            .journal()
            .iter()
            .filter(|line| *line == "stop")
            .count(),
        3
    );

    let machine = Machine::new();
    machine.script(
        "resource.d/never",
        "[ $1 = status ] && echo running; [ $1 != stop ]",
    );
    let mut agent = machine.agent(&["10.8.0.1", "never"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Done);
    assert_eq!(release(&mut agent).await, Outcome::Failed);
    assert_eq!(machine.journal(), ["add 10.8.0.1", "remove 10.8.0.1"]);
}

/// Aim: a crash is a failure; so is an address that cannot be added or removed.
#[tokio::test]
async fn crashes_and_addresses() {
    let machine = Machine::new();
    machine.script(
        "resource.d/crash",
        "[ $1 = status ] && exit 3; kill -SEGV $$",
    );
    let mut agent = machine.agent(&["crash"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);

    *machine.addresses.broken.lock().unwrap() = true;
    let mut agent = machine.agent(&["10.8.0.1"]);
    assert_eq!(acquire(&mut agent).await, Outcome::Failed);
    assert_eq!(release(&mut agent).await, Outcome::Failed);
    *machine.addresses.broken.lock().unwrap() = false;
    assert_eq!(release(&mut agent).await, Outcome::Done);
}
