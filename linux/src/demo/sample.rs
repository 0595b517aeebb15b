//! What the client measured: one line of text per probe, from the client's process to the lab.

use core::fmt;
use core::str::FromStr;

use systole_core::time::{Duration, Instant};

/// One of the two nodes of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// `rproxy1`, which haresources prefers.
    First,
    /// `rproxy2`.
    Second,
}

impl Host {
    /// Both, in the order of ha.cf.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// Its node name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "rproxy1",
            Self::Second => "rproxy2",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 1 or 2: the last part of its addresses.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    /// The node with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|host| host.name() == name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the service address was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Probe {
    /// A fresh TCP connection with one HTTP request.
    Http,
    /// A UDP datagram to the node's echo: what the address does, without nginx.
    Echo,
    /// An ARP request from a neighbour on the service network.
    Arp,
    /// Not asked: somebody announced the address (gratuitous ARP).
    Announced,
}

impl Probe {
    const ALL: [Self; 4] = [Self::Http, Self::Echo, Self::Arp, Self::Announced];

    const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Echo => "echo",
            Self::Arp => "arp",
            Self::Announced => "announced",
        }
    }
}

/// One probe and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How it was asked.
    pub probe: Probe,
    /// When it was asked.
    pub sent: Instant,
    /// When the answer was there; `None` when none came in time.
    pub answered: Option<Instant>,
    /// Who answered; `None` with an answer means somebody who is not one of the nodes.
    pub by: Option<Host>,
}

impl Sample {
    /// The node that answered and when, for a good answer.
    #[must_use]
    pub fn good(&self) -> Option<(Instant, Host)> {
        Some((self.answered?, self.by?))
    }

    /// Whether nobody answered.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.answered.is_none()
    }

    /// How long the answer took.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        self.answered.map(|answered| answered.since(self.sent))
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.probe.word(), self.sent.as_micros())?;
        match self.answered {
            Some(answered) => write!(f, "{} ", answered.as_micros())?,
            None => f.write_str("- ")?,
        }
        f.write_str(self.by.map_or("-", Host::name))
    }
}

impl FromStr for Sample {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split(' ');
        let mut next = || words.next().ok_or(());
        let word = next()?;
        let probe = Probe::ALL
            .into_iter()
            .find(|probe| probe.word() == word)
            .ok_or(())?;
        let sent = Instant::from_micros(next()?.parse().map_err(|_| ())?);
        let answered = match next()? {
            "-" => None,
            micros => Some(Instant::from_micros(micros.parse().map_err(|_| ())?)),
        };
        let by = Host::from_name(next()?);
        match words.next() {
            Some(_) => Err(()),
            None => Ok(Self {
                probe,
                sent,
                answered,
                by,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: every kind of sample survives the pipe.
    #[test]
    fn round_trip() {
        for probe in Probe::ALL {
            for (answered, by) in [
                (None, None),
                (Some(Instant::from_micros(1_250)), Some(Host::Second)),
                (Some(Instant::from_micros(1_250)), None),
            ] {
                let sample = Sample {
                    probe,
                    sent: Instant::from_micros(1_000),
                    answered,
                    by,
                };
                assert_eq!(sample.to_string().parse(), Ok(sample));
            }
        }
    }

    /// Aim: a line cut short, or of something else, is not taken for a sample.
    #[test]
    fn refuses_other_lines() {
        for line in [
            "",
            "http",
            "http 1",
            "http 1 -",
            "http x - -",
            "http 1 - - -",
            "icmp 1 - -",
        ] {
            assert_eq!(line.parse::<Sample>(), Err(()), "{line:?}");
        }
    }
}
