//! What can be seen in a row, small enough to be compared and copied.

use onramp::StepName;
use onramp::flow::Plan;
use onramp::lifecycle::{Next, StageKind, State, next};

use crate::model::wishes::{SECRET, now};

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Do {
    Run(u8),
    Undo(u8),
    FinishUndo,
    Complete,
    Wait,
    Nothing,
}

/// An effect, as a bit: it is its step's, and of the round that it was made in.
pub(crate) fn effect(step: u8, round: u8) -> u32 {
    assert!(round < 8, "there is room for eight rounds");
    1 << (u32::from(step) * 8 + u32::from(round))
}

impl Do {
    pub(crate) fn is_work(self) -> bool {
        !matches!(self, Self::Wait | Self::Nothing)
    }
}

/// The newest offer to show the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Which token is out; none when it serves no more.
    pub(crate) token: Option<u8>,
    pub(crate) shown: bool,
}

/// What can be seen in a row. Sets of steps are bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) revision: u16,
    pub(crate) stage: StageKind,
    pub(crate) next: Do,
    pub(crate) facts: u8,
    pub(crate) rounds: [u8; 3],
    pub(crate) undoing: u8,
    pub(crate) remaining: u8,
    pub(crate) offer: Option<Offer>,
}

impl Look {
    /// The effect that a step has, or would have now.
    pub(crate) fn effect(&self, step: u8) -> u32 {
        effect(step, self.rounds[usize::from(step)])
    }
}

/// What can be seen in a state.
pub(crate) fn at(plan: &Plan, state: &State) -> Look {
    let mut rounds = [0; 3];
    for (name, step) in state.steps() {
        rounds[usize::from(place(plan, name))] = step.round() as u8;
    }
    let known = state.steps().filter(|(_, step)| step.fact().is_some());
    let reveal = state.secret(&SECRET).and_then(|secret| secret.reveal());
    let to_undo = state.undoing().map_or(&[][..], |undoing| &undoing.steps);
    let remaining = state.failed().map_or(&[][..], |failed| &failed.remaining);
    Look {
        revision: state.revision().get() as u16,
        stage: state.stage(),
        next: match next(state, plan, now()) {
            Next::Run { step } => Do::Run(place(plan, &step)),
            Next::Undo { step } => Do::Undo(place(plan, &step)),
            Next::FinishUndo => Do::FinishUndo,
            Next::Complete => Do::Complete,
            Next::Nothing => Do::Nothing,
            Next::Wait { .. } => Do::Wait,
            other => unreachable!("{other:?} is not in the model"),
        },
        facts: bits(plan, known.map(|(name, _)| name)),
        rounds,
        undoing: bits(plan, to_undo),
        remaining: bits(plan, remaining),
        offer: reveal.map(|reveal| Offer {
            token: reveal.token().map(|mark| mark.commitment.as_bytes()[0]),
            shown: reveal.revealed_at().is_some(),
        }),
    }
}

fn place(plan: &Plan, name: &StepName) -> u8 {
    let mut steps = plan.steps().iter();
    steps.position(|step| step.name() == name).unwrap() as u8
}

fn bits<'a>(plan: &Plan, names: impl IntoIterator<Item = &'a StepName>) -> u8 {
    let names = names.into_iter();
    names.fold(0, |bits, name| bits | 1 << place(plan, name))
}
