//! Random plans.

use std::time::Duration;

use onramp::StepName;
use onramp::flow::{Kind, Need, Plan, PlanStep, RetryPolicy, Waits};
use proptest::prelude::*;

/// One step, before it is known what comes before it.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    kind: u8,
    /// Which of the earlier steps it reads, as bits.
    needs: u8,
    /// The same for its condition, if it has one.
    condition: Option<u8>,
    attempts: u32,
    /// After how many seconds somebody is reminded, and nobody is waited for any more.
    waits: Option<(u64, u64)>,
    immutable: bool,
}

/// The steps, and how long the whole may take, in seconds.
pub(crate) type Shapes = (Vec<Shape>, Option<u64>);

pub(crate) fn shapes() -> impl Strategy<Value = Shapes> {
    let condition = prop_oneof![3 => Just(None), 1 => any::<u8>().prop_map(Some)];
    let waits = prop::option::of((1..10u64, 5..30u64));
    let shape = (
        0..10u8,
        any::<u8>(),
        condition,
        1..4u32,
        waits,
        any::<bool>(),
    )
        .prop_map(
            |(kind, needs, condition, attempts, waits, immutable)| Shape {
                kind,
                needs,
                condition,
                attempts,
                waits,
                immutable,
            },
        );
    let deadline = prop_oneof![4 => Just(None), 1 => (20..60u64).prop_map(Some)];
    (prop::collection::vec(shape, 1..=8), deadline)
}

pub(crate) fn name(index: usize) -> StepName {
    StepName::from_text(format!("s{index}"))
}

pub(crate) fn plan((shapes, deadline): &Shapes) -> Plan {
    let steps = shapes.iter().enumerate().map(|(index, shape)| {
        let reads = |bits: u8| -> Vec<Need> {
            let chosen = (0..index).filter(|earlier| bits & (1 << earlier) != 0);
            let chosen = chosen.filter(|earlier| shapes[*earlier].kind != PAUSE);
            chosen
                .map(|earlier| Need {
                    step: name(earlier),
                    optional: false,
                })
                .collect()
        };
        let waits = match shape.waits {
            Some((remind, expire)) => {
                let (remind, expire) = (Duration::from_secs(remind), Duration::from_secs(expire));
                let waits = Waits::default().expire_after(expire);
                waits.remind_after(remind * 2).remind_after(remind)
            }
            None => Waits::default(),
        };
        let answer = PlanStep::new(name(index), Kind::Answer);
        let answer = match shape.immutable {
            true => answer.immutable_once_used(),
            false => answer,
        };
        let step = match shape.kind {
            0 => answer.waiting(waits),
            1 => answer.optional().waiting(waits),
            2 => PlanStep::new(name(index), Kind::Evidence).waiting(waits),
            3 => PlanStep::new(name(index), Kind::Approval).waiting(waits),
            PAUSE => PlanStep::pause(name(index), Duration::from_secs(3)),
            _ => {
                let retry = RetryPolicy::new(shape.attempts).base(Duration::from_secs(1));
                PlanStep::new(name(index), Kind::Task)
                    .needing(reads(shape.needs))
                    .retrying(retry)
            }
        };
        match shape.condition {
            Some(bits) => step.conditional_on(reads(bits)),
            None => step,
        }
    });
    let plan = Plan::new("random", 1, steps.collect()).unwrap();
    match deadline {
        Some(seconds) => plan.within(Duration::from_secs(*seconds)),
        None => plan,
    }
}

/// The kind of a pause.
const PAUSE: u8 = 4;
