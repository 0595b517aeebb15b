//! What the two nodes could know of each other, told from outside.
//!
//! The nodes are *in contact* while each keeps hearing the other within its deadtime, on a link on
//! which the other hears it, and each has heard something the other said after having heard it. This
//! is kept from what the network really delivered, not from what the nodes believe: the checkers hold the nodes against it.

use crate::clock::Micros;

/// What a frame carries for the book-keeping, beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who sent it.
    pub sender: usize,
    /// The sender's epoch: a new one at each start and whenever it has lost sight.
    epoch: u64,
    /// The receiver's epoch that the sender had heard last.
    echo: u64,
    /// The sequence number, when it has one.
    pub sequence: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct View {
    running: bool,
    epoch: u64,
    /// The other's epoch, as heard.
    heard_epoch: u64,
    /// When it was last heard on each link, in this node's time.
    link_at: Vec<Option<Micros>>,
    /// When the other was last heard saying something fresh, in this node's time.
    fresh_at: Option<Micros>,
    /// When the highest sequence number was heard first.
    newest_at: Micros,
    /// The highest sequence number heard, per link.
    highest: Vec<u64>,
    /// After which silence the other may be declared dead.
    patience: Micros,
}

/// The book-keeping of both nodes.
#[derive(Clone, Debug)]
pub struct Contact {
    views: [View; 2],
    epochs: u64,
}

impl Contact {
    /// Nobody runs. `patience` is the silence after which each node may give the other up.
    #[must_use]
    pub fn new(links: usize, patience: [Micros; 2]) -> Self {
        let view = |patience| View {
            highest: vec![0; links],
            link_at: vec![None; links],
            patience,
            ..View::default()
        };
        Self {
            views: patience.map(view),
            epochs: 0,
        }
    }

    fn renew(&mut self, node: usize) {
        self.epochs += 1;
        let view = &mut self.views[node];
        view.epoch = self.epochs;
        view.heard_epoch = 0;
        view.fresh_at = None;
        view.highest.fill(0);
        view.link_at.fill(None);
    }

    /// A node starts, or has lost sight of itself.
    pub fn on_start(&mut self, node: usize) {
        self.renew(node);
        self.views[node].running = true;
    }

    /// A node has ended or crashed.
    pub fn on_end(&mut self, node: usize) {
        self.views[node].running = false;
    }

    /// A node has declared the other dead: nothing said before counts for it any more.
    pub fn on_verdict(&mut self, node: usize) {
        self.renew(node);
    }

    /// What a frame sent now on a link carries. Like the wire's `echo`, when the frame has one, it
    /// answers what was heard on the same link: a path is a link that works both ways.
    #[must_use]
    pub fn stamp(&self, sender: usize, link: usize, echoes: bool, sequence: Option<u64>) -> Stamp {
        let view = &self.views[sender];
        let heard = echoes && view.link_at[link].is_some();
        Stamp {
            sender,
            epoch: view.epoch,
            echo: if heard { view.heard_epoch } else { 0 },
            sequence,
        }
    }

    /// A node handles an unaltered frame for the first time.
    pub fn on_heard(&mut self, node: usize, link: usize, stamp: Stamp, local: Micros) {
        let view = &mut self.views[node];
        if stamp.epoch < view.heard_epoch {
            return;
        }
        if stamp.epoch > view.heard_epoch {
            view.heard_epoch = stamp.epoch;
            view.fresh_at = None;
            view.highest.fill(0);
            view.link_at.fill(None);
        }
        let Some(sequence) = stamp.sequence else {
            return;
        };
        if sequence <= view.highest[link] {
            return;
        }
        if view.highest.iter().all(|highest| sequence > *highest) {
            view.newest_at = local;
        }
        view.highest[link] = sequence;
        view.link_at[link] = Some(local);
        let newest = view.highest.iter().all(|highest| sequence >= *highest);
        if newest && stamp.echo == view.epoch {
            view.fresh_at = Some(view.newest_at);
        }
    }

    /// Whether the nodes are in contact, at these times on their clocks.
    #[must_use]
    pub fn holds(&self, local: [Micros; 2]) -> bool {
        self.views.iter().zip(local).all(|(view, local)| {
            view.running && view.fresh_at.is_some_and(|at| local < at + view.patience)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(contact: &mut Contact, from: usize, sequence: u64, local: Micros) {
        let stamp = contact.stamp(from, 0, true, Some(sequence));
        contact.on_heard(1 - from, 0, stamp, local);
    }

    /// Aim: contact needs an answer to an answer; a silence in either direction ends it, and after a
    /// verdict both have to answer anew.
    #[test]
    fn contact_is_mutual() {
        let mut contact = Contact::new(1, [100, 100]);
        contact.on_start(0);
        contact.on_start(1);
        exchange(&mut contact, 0, 1, 10);
        assert!(!contact.holds([10; 2]));
        exchange(&mut contact, 1, 1, 20);
        assert!(
            !contact.holds([20; 2]),
            "node 1 does not know that it is heard"
        );
        exchange(&mut contact, 0, 2, 30);
        assert!(contact.holds([30; 2]));
        exchange(&mut contact, 0, 3, 110);
        assert!(contact.holds([119; 2]));
        assert!(
            !contact.holds([120; 2]),
            "node 0 has heard nothing since 20"
        );
        contact.on_verdict(0);
        exchange(&mut contact, 1, 2, 130);
        assert!(
            !contact.holds([130; 2]),
            "said before node 1 heard of the verdict"
        );
        exchange(&mut contact, 0, 4, 140);
        assert!(!contact.holds([140; 2]));
        exchange(&mut contact, 1, 3, 150);
        exchange(&mut contact, 0, 5, 160);
        assert!(contact.holds([160; 2]));
    }

    /// Aim: what has no newer number on its link is no sign of life.
    #[test]
    fn repetitions_prove_nothing() {
        let mut contact = Contact::new(1, [100, 100]);
        contact.on_start(0);
        contact.on_start(1);
        exchange(&mut contact, 1, 1, 5);
        exchange(&mut contact, 0, 1, 5);
        let stamp = contact.stamp(1, 0, true, Some(2));
        contact.on_heard(0, 0, stamp, 10);
        contact.on_heard(0, 0, stamp, 90);
        exchange(&mut contact, 0, 3, 100);
        assert!(contact.holds([109; 2]));
        assert!(!contact.holds([110; 2]));
    }
}
