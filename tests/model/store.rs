//! The smallest store that holds the contract, for one onboarding: rows are names, and time is whether
//! something is due. What is proven of the protocol is proven over this one, and real stores are
//! compared with it (`tests/histories.rs`).

use crate::model::guard::{Guard, Guards};

/// A queue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Queued {
    /// Due now; of a leased one: its lease has run out.
    pub(crate) due: bool,
    pub(crate) leased: bool,
    pub(crate) attempt: u16,
}

/// What becomes of it in a commit; whether it is due at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Queue {
    Keep,
    Wake(bool),
    Hold,
    Release(bool),
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Due {
    Now,
    /// Hidden, or put off.
    Later,
    Dead,
}

/// A message; its place is how many were posted before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) place: u16,
    pub(crate) name: u16,
    pub(crate) due: Due,
    pub(crate) fence: u16,
    pub(crate) attempt: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Settlement {
    Delivered,
    /// Whether it is due again at once.
    Later(bool),
    Dead,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Commit<R> {
    pub(crate) expected: u16,
    pub(crate) fence: Option<u16>,
    /// None for one that is never sent again.
    pub(crate) command: Option<u16>,
    pub(crate) row: R,
    pub(crate) queue: Queue,
    /// The name of the message that it posts.
    pub(crate) tells: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome<R> {
    Committed,
    Replayed { revision: u16, current: R },
    Conflict { current: R },
    Fenced,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kept<R> {
    pub(crate) row: R,
    pub(crate) revision: u16,
    pub(crate) fence: u16,
    pub(crate) queued: Option<Queued>,
    /// The commands that were committed, and the revision each made.
    pub(crate) commands: Vec<(u16, u16)>,
    pub(crate) outbox: Vec<Message>,
    /// How many messages there ever were.
    pub(crate) posted: u16,
}

impl<R: Copy> Kept<R> {
    pub(crate) fn new(row: R, revision: u16) -> Self {
        Self {
            row,
            revision,
            fence: 0,
            queued: None,
            commands: Vec::new(),
            outbox: Vec::new(),
            posted: 0,
        }
    }

    pub(crate) fn commit(&mut self, commit: &Commit<R>, guards: Guards) -> Outcome<R> {
        let current = self.row;
        let mut before = self.commands.iter();
        let before = before.find(|(id, _)| Some(*id) == commit.command);
        if let Some((_, revision)) = before.filter(|_| guards.hold(Guard::Commands)) {
            let revision = *revision;
            return Outcome::Replayed { revision, current };
        }
        if let Some(fence) = commit.fence.filter(|_| guards.hold(Guard::Fence))
            && !self.is_held(fence)
        {
            return Outcome::Fenced;
        }
        if commit.expected != self.revision && guards.hold(Guard::Revision) {
            return Outcome::Conflict { current };
        }
        self.row = commit.row;
        self.revision = commit.expected + 1;
        let command = commit.command.map(|command| (command, self.revision));
        self.commands.extend(command);
        self.change_queue(commit.queue, guards);
        if let Some(name) = commit.tells.filter(|_| guards.hold(Guard::Outbox)) {
            self.post(name);
        }
        Outcome::Committed
    }

    pub(crate) fn post(&mut self, name: u16) {
        self.outbox.push(Message {
            place: self.posted,
            name,
            due: Due::Now,
            fence: 0,
            attempt: 0,
        });
        self.posted += 1;
    }

    pub(crate) fn change_queue(&mut self, change: Queue, guards: Guards) {
        match (change, &mut self.queued) {
            (Queue::Keep, _) => {}
            (Queue::Wake(_), Some(queued)) if queued.leased && guards.hold(Guard::WakeUp) => {
                queued.attempt = 1;
            }
            (Queue::Wake(due), queued) => {
                *queued = Some(Queued {
                    due,
                    leased: false,
                    attempt: 0,
                });
            }
            (Queue::Hold, Some(queued)) => queued.attempt = 1,
            (Queue::Release(due), Some(queued)) => {
                queued.due = due;
                queued.leased = false;
            }
            (Queue::Hold | Queue::Release(_), None) => {}
            (Queue::Remove, queued) => *queued = None,
        }
    }

    /// Whether this claim is the newest one, and not given back.
    pub(crate) fn is_held(&self, fence: u16) -> bool {
        self.fence == fence && self.queued.is_some_and(|queued| queued.leased)
    }

    pub(crate) fn is_claimable(&self, guards: Guards) -> bool {
        let leased = |queued: Queued| queued.leased && !guards.hold(Guard::Leased);
        self.queued
            .is_some_and(|queued| queued.due || leased(queued))
    }

    /// Gives the fence and the attempt.
    pub(crate) fn claim(&mut self, lasts: bool, guards: Guards) -> Option<(u16, u16)> {
        if !self.is_claimable(guards) {
            return None;
        }
        let queued = self.queued.as_mut()?;
        queued.leased = true;
        queued.due = !lasts;
        self.fence += 1;
        if guards.hold(Guard::AttemptsCounted) {
            queued.attempt += 1;
        }
        Some((self.fence, queued.attempt.max(1)))
    }

    pub(crate) fn renew(&mut self, fence: u16, lasts: bool, guards: Guards) -> bool {
        let held = self.is_held(fence) || !guards.hold(Guard::Renewal);
        if let Some(queued) = self.queued.as_mut().filter(|_| held) {
            queued.due = !lasts;
        }
        held && self.queued.is_some()
    }

    pub(crate) fn release(&mut self, fence: u16, due: bool) {
        let held = self.is_held(fence);
        if let Some(queued) = self.queued.as_mut().filter(|_| held) {
            queued.due = due;
            queued.leased = false;
            queued.attempt = queued.attempt.saturating_sub(1);
        }
    }

    /// `rest`: whether it is due at once, or some time; never, when none is given.
    pub(crate) fn park(&mut self, fence: u16, at: u16, rest: Option<bool>, guards: Guards) {
        if !self.is_held(fence) && guards.hold(Guard::Return) {
            return;
        }
        let moved_on = self.revision != at && guards.hold(Guard::Parking);
        let change = match rest {
            _ if moved_on => Queue::Release(true),
            Some(due) => Queue::Release(due),
            None => Queue::Remove,
        };
        self.change_queue(change, guards);
        if let Some(queued) = self.queued.as_mut().filter(|_| !moved_on) {
            queued.attempt = queued.attempt.saturating_sub(1);
        }
    }

    /// Time passes: the lease is over.
    pub(crate) fn run_out(&mut self) {
        if let Some(queued) = self.queued.as_mut() {
            queued.due = true;
        }
    }

    /// The message that can be handed out.
    fn next_message(&mut self, guards: Guards) -> Option<&mut Message> {
        let mut living = self.outbox.iter_mut().filter(|m| m.due != Due::Dead);
        match guards.hold(Guard::Oldest) {
            true => living.next().filter(|message| message.due == Due::Now),
            false => living.find(|message| message.due == Due::Now),
        }
    }

    pub(crate) fn take(&mut self, hidden: bool, guards: Guards) -> Option<Message> {
        let message = self.next_message(guards)?;
        message.fence += 1;
        if guards.hold(Guard::DeliveriesCounted) {
            message.attempt += 1;
        }
        if hidden {
            message.due = Due::Later;
        }
        Some(*message)
    }

    pub(crate) fn settle(
        &mut self,
        place: u16,
        fence: u16,
        settlement: Settlement,
        guards: Guards,
    ) {
        let mut messages = self.outbox.iter();
        let Some(at) = messages.position(|message| message.place == place) else {
            return;
        };
        let message = &mut self.outbox[at];
        let newest = message.fence == fence || !guards.hold(Guard::Settling);
        if !newest || message.due == Due::Dead {
            return;
        }
        match settlement {
            Settlement::Delivered => {
                self.outbox.remove(at);
            }
            Settlement::Later(due) => message.due = if due { Due::Now } else { Due::Later },
            Settlement::Dead => message.due = Due::Dead,
        }
    }

    /// Gives whether there was such a dead one.
    pub(crate) fn revive(&mut self, place: u16) -> bool {
        let mut messages = self.outbox.iter_mut();
        let dead = messages.find(|m| m.place == place && m.due == Due::Dead);
        if let Some(message) = dead {
            message.due = Due::Now;
            message.attempt = 0;
            return true;
        }
        false
    }

    /// Time passes: what was handed out is due again. Gives the number of that handing out.
    pub(crate) fn reappear(&mut self, place: u16) -> Option<u16> {
        let mut messages = self.outbox.iter_mut();
        let message = messages.find(|m| m.place == place && m.due == Due::Later)?;
        message.due = Due::Now;
        Some(message.fence)
    }
}
