//! What the types cost, counted in instructions: the typed face against the rules called by hand,
//! against a typestate written by hand for one flow.
//!
//! `cargo bench --bench types` (needs valgrind). Every variant takes one onboarding from new over
//! started and answered to completed, with the same data, checks, events and command identities.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command as Process, ExitCode};

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::EncodedFact;
use onramp::lifecycle::{
    Action, Command, Digest, Event, FactMark, Happened, StageKind, State, decide, evolve,
};
use onramp::prelude::*;
use onramp::testing::pure;
use onramp::{CommandId, FlowName, Key, Revision, StepName};
use serde::{Deserialize, Serialize};

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
    employees: u32,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        Invalid::check("/employees", self.employees > 0, "must be at least 1")
    }
}

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

struct Given {
    flow: Definition<Signup>,
    tenant: TenantId,
    subject: SubjectId,
    now: DateTime<Utc>,
}

impl Given {
    fn new() -> Anyhow<Self> {
        Ok(Self {
            flow: Signup::steps().ask::<Company>().build()?,
            tenant: TenantId::new("acme")?,
            subject: SubjectId::new("org-001")?,
            now: DateTime::from_timestamp(1_700_000_000, 0).ok_or("no such time")?,
        })
    }

    fn company(&self) -> Company {
        Company {
            name: "Acme".to_owned(),
            employees: 7,
        }
    }

    fn key(&self) -> Key {
        Key {
            tenant: self.tenant.clone(),
            flow: FlowName::from_static(Signup::NAME),
            subject: self.subject.clone(),
        }
    }
}

fn mark(fact: &EncodedFact) -> FactMark {
    FactMark {
        version: fact.version(),
        commitment: Digest::ZERO,
    }
}

/// The typed face.
fn typed(given: &Given) -> Anyhow<u64> {
    let (flow, now) = (&given.flow, given.now);
    let pending = pure::begin(flow, given.tenant.clone(), given.subject.clone(), now);
    let clearance = pure::clearance(&pending, now);
    let running = pure::commit(pending.start(clearance), flow, now)?;
    let running = pure::commit(running.submit(given.company()), flow, now)?;
    let done: Onboarding<Signup, Completed> = pure::commit(running.complete(), flow, now)?;
    Ok(done.revision().get())
}

/// The rules called by hand: commands put together, stages checked at run time alone.
fn rules(given: &Given) -> Anyhow<u64> {
    let (plan, now) = (given.flow.plan(), given.now);
    let (state, _) = State::create(OnboardingId::fresh(), given.key(), plan, now);
    let carry_out = |state: State, by: Actor, action: Action| -> Anyhow<State> {
        black_box(CommandId::fresh());
        let events = decide(&state, plan, &Command { by, action }, now)?;
        Ok(evolve(state, &events))
    };
    let start = Action::Start {
        cleared: state.id(),
        cleared_at: now,
    };
    let state = carry_out(state, Actor::Host, start)?;
    let company = given.company();
    company.validate()?;
    let encoded = EncodedFact::encode(&company)?;
    let submit = Action::Submit {
        step: StepName::from_static(Company::NAME),
        fact: mark(&encoded),
    };
    let state = carry_out(state, Actor::Subject, submit)?;
    let state = carry_out(state, Actor::Host, Action::Complete { verified: false })?;
    Ok(state.revision().get())
}

/// A typestate written by hand for this one flow: no plan, no rules to be shared.
mod by_hand {
    use super::*;

    pub(crate) struct Common {
        id: OnboardingId,
        key: Key,
        pub(crate) revision: Revision,
        created_at: DateTime<Utc>,
        started_at: Option<DateTime<Utc>>,
        facts: BTreeMap<StepName, FactMark>,
    }

    pub(crate) struct New(Common);
    pub(crate) struct Running(Common, DateTime<Utc>);
    pub(crate) struct Done(pub(crate) Common, DateTime<Utc>);

    fn commit(common: &mut Common, at: DateTime<Utc>, happened: Happened) {
        let events = vec![Event { at, happened }];
        black_box((CommandId::fresh(), events));
        common.revision = common.revision.next();
    }

    pub(crate) fn begin(given: &Given) -> New {
        let mut common = Common {
            id: OnboardingId::fresh(),
            key: given.key(),
            revision: Revision::new(0),
            created_at: given.now,
            started_at: None,
            facts: BTreeMap::new(),
        };
        let created = Happened::Created {
            id: common.id,
            key: common.key.clone(),
            flow_version: Signup::VERSION,
            fingerprint: given.flow.plan().fingerprint(),
        };
        let events = vec![Event {
            at: given.now,
            happened: created,
        }];
        black_box(events);
        common.revision = common.revision.next();
        New(common)
    }

    impl New {
        pub(crate) fn start(
            mut self,
            cleared: (OnboardingId, DateTime<Utc>),
            now: DateTime<Utc>,
        ) -> Anyhow<Running> {
            if cleared.0 != self.0.id || now - cleared.1 > TimeDelta::minutes(5) {
                return Err("not cleared".into());
            }
            commit(&mut self.0, now, Happened::Started);
            self.0.started_at = Some(now);
            Ok(Running(self.0, now))
        }

        pub(crate) fn clearance(&self) -> (OnboardingId, DateTime<Utc>) {
            (self.0.id, self.0.created_at)
        }
    }

    impl Running {
        pub(crate) fn submit(mut self, company: &Company, now: DateTime<Utc>) -> Anyhow<Self> {
            company.validate()?;
            let encoded = EncodedFact::encode(company)?;
            let step = StepName::from_static(Company::NAME);
            if self.0.facts.contains_key(&step) {
                return Err("given already".into());
            }
            let fact = mark(&encoded);
            let happened = Happened::AnswerSubmitted {
                step: step.clone(),
                fact,
            };
            commit(&mut self.0, now, happened);
            self.0.facts.insert(step, fact);
            Ok(self)
        }

        pub(crate) fn complete(mut self, now: DateTime<Utc>) -> Anyhow<Done> {
            if !self.0.facts.contains_key(Company::NAME) || self.0.started_at != Some(self.1) {
                return Err("not complete".into());
            }
            commit(&mut self.0, now, Happened::Completed);
            Ok(Done(self.0, now))
        }
    }

    impl Done {
        pub(crate) fn read(&self) -> (u64, DateTime<Utc>) {
            (self.0.revision.get(), self.1)
        }
    }
}

fn handwritten(given: &Given) -> Anyhow<u64> {
    let pending = by_hand::begin(given);
    let clearance = pending.clearance();
    let running = pending.start(clearance, given.now)?;
    let running = running.submit(&given.company(), given.now)?;
    Ok(running.complete(given.now)?.read().0)
}

type Variant = (&'static str, &'static str, fn(&Given) -> Anyhow<u64>);

const VARIANTS: [Variant; 4] = [
    ("empty", "empty loop", |_| Ok(4)),
    ("handwritten", "typestate by hand", handwritten),
    ("rules", "rules called by hand", rules),
    ("typed", "typed face", typed),
];

/// Where a variant is counted: the difference of two runs leaves out how the program starts.
const RUNS: [u64; 2] = [200, 1_200];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let result = match &arguments[..] {
        [_, name, runs] => repeat(name, runs),
        _ => compare(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn repeat(name: &str, runs: &str) -> Anyhow<()> {
    let (.., variant) = VARIANTS
        .iter()
        .find(|(short, ..)| *short == name)
        .ok_or("no such variant")?;
    let given = Given::new()?;
    for _ in 0..runs.parse::<u64>()? {
        assert_eq!(black_box(variant(black_box(&given))?), 4);
    }
    Ok(())
}

fn compare() -> Anyhow<()> {
    println!("bytes of a handle, and of them the stage's own:");
    sizes::<Pending>();
    sizes::<InProgress>();
    sizes::<Completed>();
    sizes::<Failed>();
    println!("\ninstructions per onboarding (new, started, answered, completed):");
    let mut counted = BTreeMap::new();
    for (short, name, _) in VARIANTS {
        let [few, many] = RUNS;
        let each = instructions(short, many)?.saturating_sub(instructions(short, few)?);
        let each = each / (many - few);
        println!("{name:>22} {each:>8}");
        counted.insert(short, each);
    }
    // The types cost nothing; that a handle is moved into the rules' state and back does, a little.
    if counted["typed"] > counted["rules"] + counted["rules"] / 10 {
        return Err("the typed face costs more than a tenth: see above".into());
    }
    Ok(())
}

fn sizes<S: onramp::lifecycle::Stage>() {
    let (whole, own) = (size_of::<Onboarding<Signup, S>>(), size_of::<S>());
    let kind: StageKind = S::KIND;
    println!("{kind:>22} {whole:>8} {own:>8}");
}

fn instructions(variant: &str, runs: u64) -> Anyhow<u64> {
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args([variant, &runs.to_string()])
        .output()
        .map_err(|error| {
            format!(
                "valgrind does not start ({error}): install it, for instance `apt install valgrind`"
            )
        })?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the variant {variant} failed:\n{text}").into());
    }
    let line = text.lines().find(|line| line.contains("Collected :"));
    let count = line.and_then(|line| line.rsplit(' ').next());
    Ok(count.ok_or("valgrind counted nothing")?.parse()?)
}
