//! Where a run can crash.

use crate::id::StepName;
use crate::testing::crashes::Finding;
use crate::testing::point::{Moment, Point, Work};

/// A task that waits more often is dropped at its first so many awaits only.
const AWAITS: usize = 16;

/// What is blamed when a run differs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    step: Option<StepName>,
    work: Option<Work>,
    pub(super) point: Point,
    cancelled: bool,
}

impl Place {
    /// A call of a task in an onboarding that is taken back.
    pub(super) fn of(step: &StepName, work: Work, point: Point) -> Self {
        Self {
            step: Some(step.clone()),
            work: Some(work),
            point,
            cancelled: true,
        }
    }

    pub(super) fn found(self, difference: String, story: String) -> Finding {
        Finding {
            step: self.step,
            work: self.work,
            point: self.point,
            cancelled: self.cancelled,
            difference,
            story,
        }
    }
}

/// The points at and after a moment, in order.
pub(super) fn points(moments: &[Moment], from: usize, cancelled: bool) -> Vec<(usize, Place)> {
    let mut points = Vec::new();
    let mut called: Option<(&StepName, Work)> = None;
    for (index, moment) in moments.iter().enumerate() {
        let (step, work, here) = match moment {
            Moment::Call { step, work, awaits } => {
                called = Some((step, *work));
                let here = [Point::BeforeEffect].into_iter().chain(inside(*awaits));
                (Some(step), Some(*work), here.collect())
            }
            Moment::Commit { step } => {
                let reported = called.filter(|(called, _)| Some(*called) == step.as_ref());
                let here = vec![Point::ReportLost, Point::InDoubt];
                (step.as_ref(), reported.map(|(_, work)| work), here)
            }
        };
        let place = |point| Place {
            step: step.cloned(),
            work,
            point,
            cancelled,
        };
        if index >= from {
            points.extend(here.into_iter().map(|point| (index, place(point))));
        }
    }
    points
}

/// The awaits at which another attempt can overtake.
pub(super) fn late_points(moments: &[Moment]) -> Vec<(usize, Place)> {
    let calls = moments.iter().enumerate().filter_map(|(index, moment)| {
        let Moment::Call { step, work, awaits } = moment else {
            return None;
        };
        let place = |n| Place {
            step: Some(step.clone()),
            work: Some(*work),
            point: Point::Overtaken(n),
            cancelled: false,
        };
        let points = each(*awaits).map(move |n| (index, place(n)));
        (*work != Work::Verify).then(|| points.collect::<Vec<_>>())
    });
    calls.flatten().collect()
}

/// The points of a call at which it has begun.
pub(super) fn inside(awaits: usize) -> impl Iterator<Item = Point> {
    each(awaits)
        .map(Point::DuringEffect)
        .chain([Point::AfterEffect])
}

fn each(awaits: usize) -> impl Iterator<Item = usize> {
    1..=awaits.min(AWAITS)
}
