//! Progress bars: one per step, one over all. Hidden where nobody watches.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use onramp::OnboardingId;
use onramp::flow::{Plan, PlanStep};
use onramp::lifecycle::{StageKind, State};

use crate::signup::Signups;

pub(crate) struct Board {
    steps: Vec<(PlanStep, ProgressBar)>,
    overall: ProgressBar,
    seen: Mutex<BTreeMap<OnboardingId, State>>,
}

impl Board {
    pub(crate) fn new(plan: &Plan, signups: &Signups, quiet: bool) -> Self {
        let all = MultiProgress::new();
        if quiet || !std::io::stderr().is_terminal() {
            all.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:>18} {bar:40.green/dim} {pos:>4}/{len}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |name: &str| {
            let bar = ProgressBar::new(signups.accepted.len() as u64);
            bar.set_style(style.clone());
            bar.set_prefix(name.replace('_', " "));
            all.add(bar)
        };
        let steps = plan.steps().iter();
        Self {
            steps: steps.map(|s| (s.clone(), bar(s.name().as_str()))).collect(),
            overall: bar("ready"),
            seen: Mutex::default(),
        }
    }

    /// Takes note of an onboarding as it is now.
    pub(crate) fn saw(&self, state: &State) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(state.id(), state.clone());
        let count = |is: &dyn Fn(&State) -> bool| seen.values().filter(|s| is(s)).count() as u64;
        for (step, bar) in &self.steps {
            bar.set_position(count(&|state| state.progress(step).is_settled()));
        }
        let ready = count(&|state| state.stage() == StageKind::Completed);
        self.overall.set_position(ready);
    }

    /// Leaves the bars as they are.
    pub(crate) fn finish(&self) {
        let bars = self.steps.iter().map(|(_, bar)| bar);
        bars.chain([&self.overall]).for_each(ProgressBar::abandon);
    }
}
