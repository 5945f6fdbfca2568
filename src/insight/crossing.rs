//! How those with a mark of the host's own are spread over the stages.

use serde::Serialize;

use super::cohort::Cohort;
use crate::flow::Plan;
use crate::lifecycle::{StageKind, State};
use crate::store::{Error, Store};

type Predicate<'p> = Box<dyn Fn(&State) -> bool + Send + Sync + 'p>;

/// Marks that a host knows of: a name, and who has it.
///
/// ```
/// use std::collections::HashSet;
/// use onramp::insight::{Cohort, Crossing};
/// use onramp::prelude::*;
///
/// # async fn calls<F: Flow>(onramp: &Onramp<F>, phoned: HashSet<String>) -> Result<(), onramp::store::Error> {
/// // Who was called, and is not onboarded all the same?
/// let marks = Crossing::by("called", |state| phoned.contains(state.key().subject.as_str()))
///     .and("paid", |state| state.step("payment").is_some_and(|step| step.fact().is_some()));
/// let crossed = onramp.cross(&Cohort::everyone(), &marks).await?;
/// println!("{}: {} of {}", crossed[0].mark, crossed[0].with.not_completed(), crossed[0].with.all());
/// # Ok(()) }
/// ```
#[must_use = "it is to be given to `cross`"]
pub struct Crossing<'p> {
    marks: Vec<(String, Predicate<'p>)>,
}

impl<'p> Crossing<'p> {
    /// One mark.
    pub fn by(mark: impl Into<String>, has: impl Fn(&State) -> bool + Send + Sync + 'p) -> Self {
        let marks = vec![(mark.into(), Box::new(has) as Predicate<'p>)];
        Self { marks }
    }

    /// One more.
    pub fn and(
        mut self,
        mark: impl Into<String>,
        has: impl Fn(&State) -> bool + Send + Sync + 'p,
    ) -> Self {
        self.marks.push((mark.into(), Box::new(has)));
        self
    }
}

impl std::fmt::Debug for Crossing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let marks = self.marks.iter().map(|(mark, _)| mark);
        f.debug_list().entries(marks).finish()
    }
}

/// How a cohort is divided by one mark, by stage.
///
/// ```
/// # use onramp::insight::Crossed;
/// fn say(crossed: &Crossed) -> String {
///     format!("{}, not onboarded: {}", crossed.mark, crossed.with.not_completed())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Crossed {
    /// The mark.
    pub mark: String,
    /// Those who have it.
    pub with: StageCounts,
    /// Those who have not.
    pub without: StageCounts,
}

/// How many are in each stage.
///
/// ```
/// use onramp::insight::StageCounts;
/// assert_eq!(StageCounts::default().all(), 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StageCounts {
    /// Created, not started.
    pub pending: u64,
    /// Started.
    pub in_progress: u64,
    /// Completed.
    pub completed: u64,
    /// Failed or cancelled.
    pub failed: u64,
}

impl StageCounts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.completed + self.not_completed()
    }

    /// Those in every other stage than completed.
    #[must_use]
    pub fn not_completed(&self) -> u64 {
        self.pending + self.in_progress + self.failed
    }

    fn count(&mut self, stage: StageKind) {
        *match stage {
            StageKind::Pending => &mut self.pending,
            StageKind::InProgress => &mut self.in_progress,
            StageKind::Completed => &mut self.completed,
            StageKind::Failed => &mut self.failed,
        } += 1;
    }
}

/// A cohort divided by each mark.
pub(crate) async fn cross(
    store: &dyn Store,
    plan: &Plan,
    cohort: &Cohort,
    crossing: &Crossing<'_>,
) -> Result<Vec<Crossed>, Error> {
    let marks = crossing.marks.iter();
    let mut crossed: Vec<_> = marks
        .map(|(mark, _)| Crossed {
            mark: mark.clone(),
            with: StageCounts::default(),
            without: StageCounts::default(),
        })
        .collect();
    let counting = cohort.each(store, plan, |state| {
        for (crossed, (_, has)) in crossed.iter_mut().zip(&crossing.marks) {
            match has(state) {
                true => crossed.with.count(state.stage()),
                false => crossed.without.count(state.stage()),
            }
        }
    });
    counting.await?;
    Ok(crossed)
}
