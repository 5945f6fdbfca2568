//! One state of everything: the store, who uses it, and the world outside.

use crate::model::caller::Caller;
use crate::model::guard::{Guard, Guards};
use crate::model::look::{Do, effect};
use crate::model::person::Person;
use crate::model::relay::{self, Relay};
use crate::model::rules::{ATTEMPTS, Decided, RowId, Rules, STEPS};
use crate::model::store::{Commit, Kept, Message, Outcome, Queue};
use crate::model::wishes::Wish;
use crate::model::worker::Worker;

/// How often what may happen still may; so every history ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Left {
    /// Workers that die.
    pub(crate) crashes: u8,
    /// Leases that run out while their holder lives.
    pub(crate) stalls: u8,
    /// Commits that are stored, and nobody hears of it.
    pub(crate) unheard: u8,
    /// Attempts that fail.
    pub(crate) faults: u8,
    /// Effects that vanish.
    pub(crate) losses: u8,
    pub(crate) cancels: u8,
    pub(crate) revisions: u8,
    pub(crate) retries: u8,
    pub(crate) parkings: u8,
    /// Relays that die.
    pub(crate) relay_crashes: u8,
    /// Messages that are due again while their relay lives.
    pub(crate) relay_stalls: u8,
    /// Deliveries that fail.
    pub(crate) relay_faults: u8,
    pub(crate) right_tokens: u8,
    pub(crate) wrong_tokens: u8,
    /// Offers after the first.
    pub(crate) offers: u8,
    /// Tokens whose time is over.
    pub(crate) late: u8,
}

/// What must never be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wrong {
    StaleWrite,
    CheckpointTwice,
    TooManyAttempts,
    UndoneTooEarly,
    UntoldUndo,
    CommandTwice,
    LeaseTaken,
    LostLeaseRenewed,
    ForeignLeaseReturned,
    ForgottenMessage,
    MessageOutOfOrder,
    MessageRenamed,
    TooManyDeliveries,
    ShownTwice,
    ShownAfterFive,
    ShownUnknown,
    ShownLate,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) kept: Kept<RowId>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) relays: Vec<Relay>,
    pub(crate) people: Vec<Person>,
    pub(crate) left: Left,
    /// The effects that exist: each a step and the round it was made in, as a bit.
    pub(crate) effects: u32,
    /// What the journal adds up to.
    pub(crate) folded: RowId,
    /// The checkpoints in the journal.
    pub(crate) checkpoints: u32,
    /// How often what is next was begun.
    pub(crate) begun: u16,
    /// What an attempt has made whose worker is about to say so.
    pub(crate) made: u32,
    /// The claim whose time is not over, and that its holder has not given back.
    pub(crate) lease: Option<u16>,
    /// How many messages there should have been.
    pub(crate) owed: u16,
    /// What each message that was told was called, by its place.
    pub(crate) told: [Option<u16>; 6],
    /// How often the newest token has shown the secret, and how many wrong ones were refused.
    pub(crate) shown: u8,
    pub(crate) refused: u8,
    /// Whether the newest token's time is over.
    pub(crate) late: bool,
    pub(crate) wrong: u32,
}

/// Under whose name a commit is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) fence: Option<u16>,
    pub(crate) command: Option<u16>,
    /// Whether the answer comes back.
    pub(crate) heard: bool,
}

impl World {
    pub(crate) fn new(row: RowId, rules: &Rules, left: Left) -> Self {
        Self {
            kept: Kept::new(row, rules.look(row).revision),
            workers: Vec::new(),
            callers: Vec::new(),
            relays: Vec::new(),
            people: Vec::new(),
            left,
            effects: 0,
            folded: row,
            checkpoints: 0,
            begun: 0,
            made: 0,
            lease: None,
            owed: 0,
            told: [None; 6],
            shown: 0,
            refused: 0,
            late: false,
            wrong: 0,
        }
    }

    pub(crate) fn note(&mut self, wrong: Wrong, seen: bool) {
        self.wrong |= u32::from(seen) << wrong as u32;
    }

    pub(crate) fn saw(&self, wrong: Wrong) -> bool {
        self.wrong & 1 << wrong as u32 != 0
    }

    /// Sends the commit that was decided on `before`, and looks at what the store makes of it.
    pub(crate) fn send(
        &mut self,
        rules: &Rules,
        guards: Guards,
        (before, wish, decided): (RowId, Wish, Decided),
        by: By,
    ) -> Outcome<RowId> {
        let mut commit = Commit {
            expected: rules.look(before).revision,
            fence: by.fence,
            command: by.command,
            row: decided.row,
            queue: decided.queue,
            tells: decided.tells,
        };
        let of_secret = matches!(wish, Wish::Refuse { .. } | Wish::Reveal { .. });
        if of_secret && !guards.hold(Guard::OneWinner) {
            commit.expected = self.kept.revision;
        }
        let held = by.fence.is_none_or(|fence| self.kept.is_held(fence));
        let was = rules.look(self.kept.row);
        let known = self
            .kept
            .commands
            .iter()
            .any(|(id, _)| Some(*id) == by.command);
        let outcome = self.kept.commit(&commit, guards);
        if outcome != Outcome::Committed {
            return outcome;
        }
        self.note(Wrong::StaleWrite, !held);
        if by.fence.is_some() && decided.queue != Queue::Hold {
            self.lease.take_if(|lease| Some(*lease) == by.fence);
        }
        self.note(Wrong::CommandTwice, known);
        self.folded = rules.fold(self.folded, decided);
        self.owed += u16::from(decided.tells.is_some());
        if let Some(name) = decided
            .tells
            .filter(|_| by.heard && !guards.hold(Guard::Outbox))
        {
            self.kept.post(name);
        }
        if let Wish::Record { step, .. } = wish {
            let round = was.rounds[usize::from(step)];
            let twice = self.checkpoints & effect(step, round) != 0;
            self.note(Wrong::CheckpointTwice, twice);
            self.checkpoints |= effect(step, round);
        }
        if let Wish::Offer { .. } = wish {
            (self.shown, self.refused) = (0, 0);
        }
        if rules.look(self.kept.row).next != was.next {
            self.begun = 0;
        }
        outcome
    }

    /// Begins an attempt at a step; its effect may be there from now on.
    pub(crate) fn begin(&mut self, rules: &Rules, row: RowId, job: Do) {
        let look = rules.look(row);
        if rules.look(self.kept.row).next == job {
            self.begun += 1;
            self.note(Wrong::TooManyAttempts, self.begun > ATTEMPTS);
        }
        match job {
            Do::Run(step) => self.effects |= look.effect(step),
            Do::Undo(step) => {
                let made = self.made & look.effect(step) != 0;
                self.note(Wrong::UntoldUndo, made && look.facts & 1 << step == 0);
            }
            _ => {}
        }
    }

    /// An effect is taken back.
    pub(crate) fn take_back(&mut self, rules: &Rules, row: RowId, step: u8) {
        let look = rules.look(row);
        let later = |of: &u8| {
            let exists = self.effects & look.effect(*of) != 0;
            exists && look.undoing & 1 << of != 0
        };
        let too_early = (step + 1..STEPS).any(|of| later(&of));
        self.note(Wrong::UndoneTooEarly, too_early);
        self.effects &= !look.effect(step);
    }

    pub(crate) fn claim(&mut self, guards: Guards) -> Option<(u16, u16)> {
        let claimed = self.kept.claim(true, guards)?;
        self.note(Wrong::LeaseTaken, self.lease.is_some());
        self.lease = Some(claimed.0);
        self.made = 0;
        Some(claimed)
    }

    pub(crate) fn park(&mut self, fence: u16, at: u16, guards: Guards) {
        let (held, before) = (self.kept.is_held(fence), self.kept.queued);
        self.kept.park(fence, at, None, guards);
        let changed = before != self.kept.queued;
        self.note(Wrong::ForeignLeaseReturned, !held && changed);
        self.lease.take_if(|lease| *lease == fence);
    }

    /// Whether the lease has not run out, as far as its holder can know.
    pub(crate) fn is_live(&self, fence: u16) -> bool {
        self.kept.is_held(fence) && self.kept.queued.is_some_and(|queued| !queued.due)
    }

    /// Nobody works under the newest claim any more.
    pub(crate) fn is_orphaned(&self) -> bool {
        let held = |worker: &Worker| worker.fence() == Some(self.kept.fence);
        !self.workers.iter().any(held)
    }

    /// A message is told to whoever is to hear it, who hears it or not.
    pub(crate) fn tell(&mut self, message: Message, name: u16, heard: bool) {
        self.note(Wrong::TooManyDeliveries, message.fence > relay::TRIES);
        if !heard {
            return;
        }
        let at = usize::from(message.place);
        let later = self.told.iter().skip(at + 1).any(Option::is_some);
        self.note(Wrong::MessageOutOfOrder, later);
        let renamed = self.told[at].replace(name).is_some_and(|was| was != name);
        self.note(Wrong::MessageRenamed, renamed);
    }

    /// A message was settled, and forgotten or not.
    pub(crate) fn forgot(&mut self, place: u16, forgotten: bool) {
        let untold = self.told[usize::from(place)].is_none();
        self.note(Wrong::ForgottenMessage, forgotten && untold);
    }

    /// The secret comes out.
    pub(crate) fn show(&mut self, rules: &Rules) {
        self.shown += 1;
        self.note(Wrong::ShownTwice, self.shown > 1);
        self.note(Wrong::ShownAfterFive, self.refused >= 5);
        self.note(Wrong::ShownLate, self.late);
        let told = rules
            .look(self.kept.row)
            .offer
            .is_some_and(|offer| offer.shown);
        self.note(Wrong::ShownUnknown, !told);
    }
}
