//! One machine: its clock, its files, its sockets, its resources, and the daemon when it runs.

use std::collections::VecDeque;
use std::rc::Rc;

use systole_core::Node;
use systole_core::auth::Keys;
use systole_core::event::{Command, Operation, Outcome};

use crate::clock::{Clock, MILLI, Micros, SECOND};
use crate::contact::Stamp;
use crate::random::{Ppm, Random};

/// Frames a socket buffer holds while the daemon does not read.
pub const SOCKET_FRAMES: usize = 200;

/// What a resource operation does when it is not left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It succeeds.
    Works,
    /// It takes its time and fails.
    Fails,
    /// It never ends by itself; the host's own time limit makes a failure of it.
    Hangs,
}

/// How resource operations go on one machine. Index 0 is acquire, 1 is release.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Least and most time of an operation.
    pub takes: [(Micros, Micros); 2],
    /// How often one fails.
    pub fails: [Ppm; 2],
    /// How often one hangs.
    pub hangs: [Ppm; 2],
    /// The host's time limit.
    pub limit: Micros,
    /// What is settled for a group, whatever chance says.
    pub settled: Vec<[Option<Behaviour>; 2]>,
}

impl Agent {
    /// Acquire and release each take 20 ms and work.
    #[must_use]
    pub fn new(groups: usize) -> Self {
        Self {
            takes: [(20 * MILLI, 20 * MILLI); 2],
            fails: [0; 2],
            hangs: [0; 2],
            limit: 20 * SECOND,
            settled: vec![[None; 2]; groups],
        }
    }

    /// Every operation works from now on.
    pub fn heal(&mut self) {
        self.fails = [0; 2];
        self.hangs = [0; 2];
        self.settled.fill([None; 2]);
    }

    /// Decides one operation: how long it takes and how it ends.
    pub fn run(&self, group: usize, which: Operation, random: &mut Random) -> (Micros, Outcome) {
        let index = which as usize;
        let behaviour = self.settled[group][index].unwrap_or_else(|| {
            if random.chance(self.hangs[index]) {
                Behaviour::Hangs
            } else if random.chance(self.fails[index]) {
                Behaviour::Fails
            } else {
                Behaviour::Works
            }
        });
        let (least, most) = self.takes[index];
        match behaviour {
            Behaviour::Works => (random.between(least, most), Outcome::Done),
            Behaviour::Fails => (random.between(least, most), Outcome::Failed),
            Behaviour::Hangs => (self.limit, Outcome::Failed),
        }
    }
}

/// One group on one machine, as it really is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resource {
    /// Whether anything of it is, or may be, here: from the begin of an acquire to the end of a
    /// release that succeeded.
    pub present: bool,
    /// The operation under way, and its number.
    pub running: Option<(Operation, u64)>,
}

/// Whose words a frame really is.
#[derive(Clone, Copy, Debug)]
pub enum Nature {
    /// The peer's, unaltered.
    Genuine(Stamp),
    /// Nobody's that may have an effect: altered, forged, played back, from a stranger.
    False,
}

/// Something that waits for the daemon.
#[derive(Clone, Debug)]
pub enum Input {
    /// A frame on a link.
    Frame(usize, Rc<[u8]>, Nature),
    /// The end of an operation, with its number.
    Done(usize, Operation, Outcome, u64),
    /// An operator's command.
    Command(Command),
    /// A link changed on the machine.
    Link(usize, bool),
    /// authkeys was read again.
    Keys(Box<Keys>),
}

/// Whether the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No daemon.
    Off,
    /// It runs.
    Running,
    /// It is stopped (`SIGSTOP`) since then, on its clock.
    Paused(Micros),
}

/// One machine.
#[derive(Debug)]
pub struct Machine {
    /// The daemon's node, while there is a daemon.
    pub node: Option<Box<Node>>,
    /// Whether it runs.
    pub state: State,
    /// Its clock.
    pub clock: Clock,
    /// `hb_generation`.
    pub generation: u64,
    /// How its resource operations go.
    pub agent: Agent,
    /// Its groups.
    pub resources: Vec<Resource>,
    /// How long the daemon is busy with each event.
    pub slow: Micros,
    /// It takes no actions from its node before this.
    pub undrained_until: Micros,
    /// Whether it hears its own frames, as with broadcast.
    pub hears_itself: bool,
    inbox: VecDeque<Input>,
    /// How many of them come before a tick that is due.
    before_tick: Option<usize>,
    /// When the daemon last looked at its clock, on that clock.
    pub(crate) ticked_at: Micros,
    /// The latest time on its clock that the daemon has seen.
    pub(crate) highest: Micros,
    frames: usize,
    /// It is busy until then.
    pub(crate) busy_until: Micros,
    pub(crate) wake_at: Option<Micros>,
    /// Actions wait since then.
    pub(crate) undrained_since: Option<Micros>,
}

impl Machine {
    /// A machine that is off.
    #[must_use]
    pub fn new(groups: usize, clock: Clock) -> Self {
        Self {
            node: None,
            state: State::Off,
            clock,
            generation: 1_700_000_000,
            agent: Agent::new(groups),
            resources: vec![Resource::default(); groups],
            slow: 0,
            undrained_until: 0,
            hears_itself: false,
            inbox: VecDeque::new(),
            before_tick: None,
            ticked_at: 0,
            highest: 0,
            frames: 0,
            busy_until: 0,
            wake_at: None,
            undrained_since: None,
        }
    }

    /// Whether there is a daemon, running or paused.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state != State::Off
    }

    /// Gives the daemon something. Frames beyond the socket buffer are lost, and so is everything
    /// when there is no daemon.
    pub fn receive(&mut self, input: Input) {
        if !self.is_up() {
            return;
        }
        if matches!(input, Input::Frame(..)) {
            if self.frames >= SOCKET_FRAMES {
                return;
            }
            self.frames += 1;
        }
        self.inbox.push_back(input);
    }

    /// What the daemon takes next. When its deadline has come, it takes what was there by then, and
    /// not what keeps coming.
    pub fn take_input(&mut self, due: bool) -> Option<Input> {
        if due {
            let before = self.before_tick.get_or_insert(self.inbox.len());
            *before = before.checked_sub(1)?;
        } else {
            self.before_tick = None;
        }
        let input = self.inbox.pop_front()?;
        if matches!(input, Input::Frame(..)) {
            self.frames -= 1;
        }
        Some(input)
    }

    /// Whether something waits.
    #[must_use]
    pub fn has_input(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// The daemon is gone, and with it what waited for it.
    pub fn clear(&mut self) {
        self.node = None;
        self.state = State::Off;
        self.inbox.clear();
        self.before_tick = None;
        self.frames = 0;
        self.wake_at = None;
        self.busy_until = 0;
        self.undrained_until = 0;
        self.undrained_since = None;
    }
}
