//! What was stored by other versions of the program: upcasts, and the locked shape of a flow.

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::{Cohort, EncodedFact, Kind, NoUpcast, Plan, PlanStep, Waits};
use onramp::lifecycle::{State, explain, next, phase};
use onramp::prelude::*;
use onramp::status::Status;
use onramp::{Key, StepName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dice::{Dice, Hunt};
use super::mutate;

/// Its name was one text first, then two, and its employees were not asked for.
#[derive(Serialize, Deserialize)]
struct Person {
    first: String,
    last: String,
    employees: u32,
}

impl Step for Person {
    const NAME: &'static str = "person";
    const VERSION: u32 = 3;

    fn upcast(from: u32, old: Value) -> Result<Value, NoUpcast> {
        let Value::Object(mut old) = old else {
            return Err(NoUpcast);
        };
        match from {
            1 => {
                let name = old.remove("name").ok_or(NoUpcast)?;
                let (first, last) = name
                    .as_str()
                    .ok_or(NoUpcast)?
                    .split_once(' ')
                    .ok_or(NoUpcast)?;
                old.insert("first".into(), first.into());
                old.insert("last".into(), last.into());
            }
            2 => drop(old.insert("employees".into(), 1.into())),
            _ => return Err(NoUpcast),
        }
        Ok(Value::Object(old))
    }
}

const PEOPLE: [&str; 3] = [
    r#"{"name": "Ann Lee"}"#,
    r#"{"first": "Ann", "last": "Lee"}"#,
    r#"{"first": "Ann", "last": "Lee", "employees": 7}"#,
];

#[test]
fn a_fact_of_any_version_is_read_or_refused() {
    let hunt = Hunt::named("a_fact_of_any_version_is_read_or_refused");
    hunt.run(async |dice: &mut Dice| {
        let valid = *dice.pick(&PEOPLE);
        let json = mutate::json(dice, valid);
        let any = dice.number() as u32;
        let version = *dice.pick(&[0, 1, 2, 3, 4, u32::MAX, any]);
        let step = mutate::text(dice, "person");
        let step = if dice.once_in(3) {
            step
        } else {
            "person".into()
        };
        let Ok(fact) = EncodedFact::from_stored(StepName::from_text(step), version, json.clone())
        else {
            return;
        };
        // Space around it is no part of JSON text.
        let text = json.trim_matches([' ', '\t', '\r', '\n']);
        assert_eq!(fact.json(), text, "kept to the byte");
        if let Err(error) = fact.decode::<Person>() {
            // A place, and the step's own name, never the value.
            let named = fact.step().as_str().contains("Lee");
            assert!(named || !error.to_string().contains("Lee"), "{error}");
        }
        let _ = fact.check();
    });
}

#[test]
fn what_each_version_wrote_is_read() {
    for (version, json) in (1..).zip(PEOPLE) {
        let fact = EncodedFact::from_stored("person".into(), version, json.to_owned()).unwrap();
        let person: Person = fact.decode().unwrap();
        assert_eq!(
            (person.first.as_str(), person.last.as_str()),
            ("Ann", "Lee")
        );
        assert_eq!(person.employees, if version == 3 { 7 } else { 1 });
    }
}

pub(super) fn plan() -> Plan {
    let hour = std::time::Duration::from_secs(3_600);
    let waits = Waits::default().remind_after(hour).expire_after(hour * 9);
    let steps = vec![
        PlanStep::new("company", Kind::Answer).waiting(waits),
        PlanStep::new("branding", Kind::Answer).optional(),
        PlanStep::new("payment", Kind::Evidence).since(2, Cohort::NewStarts),
        PlanStep::pause("cool_down", hour),
        PlanStep::new("create_dataset", Kind::Task).needing(vec![onramp::flow::Need {
            step: "company".into(),
            optional: false,
        }]),
    ];
    Plan::new("workspace", 3, steps).unwrap()
}

#[test]
fn a_locked_shape_is_read_or_refused_and_can_be_lived_by() {
    let hunt = Hunt::named("a_locked_shape_is_read_or_refused_and_can_be_lived_by");
    let (known, lock) = (plan(), plan().to_lock());
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let key = Key {
        tenant: TenantId::new("acme").unwrap(),
        flow: "workspace".into(),
        subject: SubjectId::new("org-1").unwrap(),
    };
    let (state, _) = State::create(OnboardingId::fresh(), key, &known, now);
    hunt.run(async |dice: &mut Dice| {
        let text = mutate::json(dice, &lock);
        let read = match Plan::from_lock(&text) {
            Ok(read) => read,
            Err(why) => return assert!(!why.to_string().is_empty()),
        };
        let again = Plan::from_lock(&read.to_lock()).unwrap();
        assert_eq!(again.fingerprint(), read.fingerprint());
        assert_eq!(again.breaks(&read), Vec::<String>::new());
        let _ = (read.breaks(&known), known.breaks(&read));
        lived_by(&state, &read, now + TimeDelta::days(1));
    });
}

/// Everything that is asked of a state, by the rules and by those who show it.
pub(super) fn lived_by(state: &State, plan: &Plan, now: DateTime<Utc>) {
    let _ = next(state, plan, now);
    let _ = phase(state, plan, now);
    let _ = explain(state, plan, now);
    assert!(state.percent(plan) <= 100);
    let status = Status::of(state, plan, now);
    let _ = status.compat(|_| None);
    serde_json::to_string(&status).unwrap();
}
