//! Random plans.

use std::time::Duration;

use onramp::StepName;
use onramp::flow::{Kind, Need, Plan, PlanStep, RetryPolicy};
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
}

pub(crate) fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let condition = prop_oneof![3 => Just(None), 1 => any::<u8>().prop_map(Some)];
    let shape =
        (0..6u8, any::<u8>(), condition, 1..4u32).prop_map(|(kind, needs, condition, attempts)| {
            Shape {
                kind,
                needs,
                condition,
                attempts,
            }
        });
    prop::collection::vec(shape, 1..=8)
}

pub(crate) fn name(index: usize) -> StepName {
    StepName::from_text(format!("s{index}"))
}

pub(crate) fn plan(shapes: &[Shape]) -> Plan {
    let steps = shapes.iter().enumerate().map(|(index, shape)| {
        let reads = |bits: u8| -> Vec<Need> {
            let chosen = (0..index).filter(|earlier| bits & (1 << earlier) != 0);
            chosen
                .map(|earlier| Need {
                    step: name(earlier),
                    optional: false,
                })
                .collect()
        };
        let step = match shape.kind {
            0 => PlanStep::new(name(index), Kind::Answer),
            1 => PlanStep::new(name(index), Kind::Answer).optional(),
            2 => PlanStep::new(name(index), Kind::Evidence),
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
    Plan::new("random", 1, steps.collect()).unwrap()
}
