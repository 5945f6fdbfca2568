//! The runs that are made, and what each is held against.

use std::fmt::Debug;

use crate::flow::{Definition, Flow};
use crate::id::StepName;
use crate::lifecycle::StageKind;
use crate::testing::crashes::Crashes;
use crate::testing::crashes::points::{Place, inside, late_points, points};
use crate::testing::crashes::run::{Disturbance, Ran, run};
use crate::testing::point::{Moment, Point, Work};
use crate::testing::scenario::{Broken, Scenario};

pub(super) struct Search<'a, F, A> {
    pub(super) scenario: &'a Scenario<F>,
    pub(super) fresh: A,
    pub(super) found: Crashes,
}

impl<F, S, O, A> Search<'_, F, A>
where
    F: Flow,
    S: PartialEq + Debug,
    O: AsyncFn() -> S,
    A: AsyncFn() -> (Definition<F>, O),
{
    #[expect(clippy::panic, reason = "an assertion of a test")]
    pub(super) async fn undisturbed(&self) -> Ran<S> {
        let once = async || match run(self.scenario, &self.fresh, &Disturbance::default()).await {
            Ok(ran) => ran,
            Err(broken) => panic!("{broken}"),
        };
        let (first, second) = (once().await, once().await);
        if let Some(difference) = second.differs(&first) {
            panic!("two undisturbed runs differ, so nothing can be told of crashes:\n{difference}");
        }
        first
    }

    /// A crash at each moment; then it goes on.
    pub(super) async fn forward(&mut self, as_it_is: &Ran<S>) {
        for (moment, place) in points(&as_it_is.moments, 0, false) {
            let once = Disturbance::default().and(moment, place.point);
            let ran = self.disturbed(&once).await;
            self.compare(place, ran, as_it_is);
        }
    }

    /// Another attempt overtakes at each await.
    pub(super) async fn late(&mut self, as_it_is: &Ran<S>) {
        for (moment, place) in late_points(&as_it_is.moments) {
            let once = Disturbance::default().and(moment, place.point);
            let ran = self.disturbed(&once).await;
            self.compare(place, ran, as_it_is);
        }
    }

    /// Everything is taken back: from each call of a task, and at last when all is made.
    pub(super) async fn back(&mut self, as_it_is: &Ran<S>) {
        // What the scenario itself takes back is crashed on the way forward.
        let made = as_it_is.moments.iter();
        let made = made
            .take_while(|moment| !moment.calls(Work::Undo))
            .enumerate();
        // The newest effect, and the run in which all that is older was made and taken back.
        let mut newest: Option<(StepName, usize, Ran<S>)> = None;
        for (at, moment) in made {
            let Moment::Call { step, work, awaits } = moment else {
                continue;
            };
            if *work != Work::Run {
                continue;
            }
            let place = |point| Place::of(step, Work::Run, point);
            let point = Point::BeforeEffect;
            let ran = self.disturbed(&Disturbance::cancelled(at, point)).await;
            let Some(unmade) = self.told(place(point), ran) else {
                continue;
            };
            if let Some((newest, _, older)) = &newest {
                self.leak(newest, &unmade, older);
            }
            for point in inside(*awaits) {
                let ran = self.disturbed(&Disturbance::cancelled(at, point)).await;
                self.compare(place(point), ran, &unmade);
            }
            newest = Some((step.clone(), at, unmade));
        }
        if let Some((newest, at, older)) = newest {
            self.wholly_back(as_it_is, &newest, at, &older).await;
        }
    }

    /// All is made, and taken back; then a crash at each moment of that.
    async fn wholly_back(
        &mut self,
        as_it_is: &Ran<S>,
        newest: &StepName,
        at: usize,
        older: &Ran<S>,
    ) {
        let mut later = as_it_is.moments.iter().enumerate().skip(at);
        let wholly = match as_it_is.end.stage {
            Some(StageKind::InProgress) => Disturbance::cancelled_last(),
            Some(StageKind::Completed) => match later.find(|(_, m)| m.calls(Work::Verify)) {
                Some((at, _)) => Disturbance::cancelled(at, Point::BeforeEffect),
                None => return,
            },
            // The scenario itself has taken all back.
            Some(StageKind::Failed) => return self.leak(newest, as_it_is, older),
            Some(StageKind::Pending) | None => return,
        };
        let ran = self.disturbed(&wholly).await;
        let place = Place::of(newest, Work::Undo, Point::Undisturbed);
        let Some(taken_back) = self.told(place, ran) else {
            return;
        };
        self.leak(newest, &taken_back, older);
        let halt = wholly.crashes.first();
        let from = halt.map_or(as_it_is.moments.len(), |(at, _)| at + 1);
        for (moment, place) in points(&taken_back.moments, from, true) {
            let twice = wholly.clone().and(moment, place.point);
            let ran = self.disturbed(&twice).await;
            self.compare(place, ran, &taken_back);
        }
    }

    async fn disturbed(&mut self, disturbance: &Disturbance) -> Result<Ran<S>, Broken> {
        self.found.runs += 1;
        run(self.scenario, &self.fresh, disturbance).await
    }

    /// The run, when it came to its end and was disturbed as it should be.
    fn told(&mut self, place: Place, ran: Result<Ran<S>, Broken>) -> Option<Ran<S>> {
        match ran {
            Ok(ran) if ran.struck => return Some(ran),
            Ok(_) => self.found.missed += 1,
            Err(broken) => {
                let finding = place.found(broken.to_string(), String::new());
                self.found.findings.push(finding);
            }
        }
        None
    }

    fn compare(&mut self, place: Place, ran: Result<Ran<S>, Broken>, wanted: &Ran<S>) {
        if let Some(ran) = self.told(place.clone(), ran)
            && let Some(difference) = ran.differs(wanted)
        {
            self.found.findings.push(place.found(difference, ran.story));
        }
    }

    /// What is left behind when everything was taken back in peace, and was not when all but the
    /// newest effect had been made, is the fault of that one.
    fn leak(&mut self, newest: &StepName, ran: &Ran<S>, older: &Ran<S>) {
        if let Some(difference) = ran.leaves(older) {
            let place = Place::of(newest, Work::Undo, Point::Undisturbed);
            let finding = place.found(difference, ran.story.clone());
            self.found.findings.push(finding);
        }
    }
}
