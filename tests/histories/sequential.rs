//! What a store may answer when one asks after another.

use stateright::semantics::SequentialSpec;

use crate::model::guard::Guards;
use crate::model::store::{Commit, Kept, Outcome, Settlement};

/// A row, by the beginning of its journal's head.
pub(crate) type Head = u64;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    Create(Head),
    Load,
    Commit(Commit<Head>),
    Claim,
    Release {
        fence: u16,
    },
    Take,
    Settle {
        name: u16,
        fence: u16,
        how: Settlement,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ret {
    Created {
        row: Head,
        fresh: bool,
    },
    Loaded(Option<Head>),
    Outcome(Outcome<Head>),
    /// The fence and the attempt; none when nothing was claimed.
    Claimed(Option<(u16, u16)>),
    /// What was taken: its name, fence and attempt.
    Taken(Option<(u16, u16, u16)>),
    Done,
}

/// One onboarding, or none yet: the proven store, asked one thing after another.
#[derive(Debug, Clone)]
pub(crate) struct Sequential(pub(crate) Option<Kept<Head>>);

impl SequentialSpec for Sequential {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        let Some(kept) = self.0.as_mut() else {
            let Op::Create(row) = *op else {
                return Ret::Loaded(None);
            };
            self.0 = Some(Kept::new(row, 1));
            return Ret::Created { row, fresh: true };
        };
        match op {
            Op::Create(_) => Ret::Created {
                row: kept.row,
                fresh: false,
            },
            Op::Load => Ret::Loaded(Some(kept.row)),
            Op::Commit(commit) => Ret::Outcome(kept.commit(commit, Guards::ALL)),
            Op::Claim => Ret::Claimed(kept.claim(true, Guards::ALL)),
            Op::Release { fence } => {
                kept.release(*fence, true);
                Ret::Done
            }
            Op::Take => {
                let taken = kept.take(true, Guards::ALL);
                Ret::Taken(taken.map(|taken| (taken.name, taken.fence, taken.attempt)))
            }
            Op::Settle { name, fence, how } => {
                let message = kept.outbox.iter().find(|message| message.name == *name);
                if let Some(place) = message.map(|message| message.place) {
                    kept.settle(place, *fence, *how, Guards::ALL);
                }
                Ret::Done
            }
        }
    }

    /// A claim, and a taking, may pass over what somebody else has locked just then; a fence need only be
    /// higher than those before; and the row that a conflict gives may be newer than the conflict
    /// (MariaDB reads it in a statement of its own). In order, all of that is held to the letter.
    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        match (op, ret) {
            (Op::Claim, Ret::Claimed(None)) | (Op::Take, Ret::Taken(None)) => true,
            (Op::Claim, Ret::Claimed(Some((fence, attempt)))) => {
                let before = self.0.as_ref().map_or(0, |kept| kept.fence);
                let claimed = self.invoke(op);
                if let Some(kept) = self.0.as_mut() {
                    kept.fence = *fence;
                }
                let expected = matches!(claimed, Ret::Claimed(Some((_, n))) if n == *attempt);
                expected && *fence > before
            }
            (Op::Take, Ret::Taken(Some((name, fence, attempt)))) => {
                let taken = self.invoke(op);
                let Some(kept) = self.0.as_mut() else {
                    return false;
                };
                let message = kept.outbox.iter_mut().find(|m| m.name == *name);
                let higher = message.is_some_and(|message| {
                    let higher = *fence >= message.fence;
                    message.fence = *fence;
                    higher
                });
                let same =
                    matches!(taken, Ret::Taken(Some((n, _, a))) if (n, a) == (*name, *attempt));
                higher && same
            }
            (Op::Commit(_), Ret::Outcome(Outcome::Conflict { .. })) => {
                matches!(self.invoke(op), Ret::Outcome(Outcome::Conflict { .. }))
            }
            _ => self.invoke(op) == *ret,
        }
    }
}
