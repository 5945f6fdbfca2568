//! Rows as rules with a guard taken out would make them.

use onramp::lifecycle::State;
use serde_json::Value;

use crate::model::guard::{Guard, Guards};

/// The state after a commit, spoilt if a guard of the rules is out.
pub(crate) fn state(guards: Guards, before: &State, after: State) -> State {
    let of_rules = [
        Guard::Backwards,
        Guard::UnderWay,
        Guard::Remainder,
        Guard::WrongTokens,
    ];
    if of_rules.iter().all(|guard| guards.hold(*guard)) {
        return after;
    }
    let was = serde_json::to_value(before).unwrap();
    let mut row = serde_json::to_value(&after).unwrap();
    let begins = after.undoing().is_some() && before.undoing().is_none();
    if let Some(steps) = row.pointer_mut("/undoing/steps").filter(|_| begins) {
        let steps = steps.as_array_mut().unwrap();
        if !guards.hold(Guard::Backwards) {
            steps.reverse();
        }
        if !guards.hold(Guard::UnderWay) {
            let known = |step: &Value| {
                before
                    .step(step.as_str().unwrap())
                    .is_some_and(|s| s.fact().is_some())
            };
            steps.retain(known);
        }
    }
    if let Some(remaining) = row.pointer_mut("/remaining")
        && !guards.hold(Guard::Remainder)
    {
        *remaining = Value::Array(Vec::new());
    }
    let wrong = "/secrets/api_key/reveal/wrong";
    if !guards.hold(Guard::WrongTokens)
        && was.pointer("/secrets/api_key/reveal/token")
            == row.pointer("/secrets/api_key/reveal/token")
        && let Some(counted) = row.pointer_mut(wrong)
    {
        *counted = was.pointer(wrong).cloned().unwrap_or(Value::from(0));
    }
    serde_json::from_value(row).unwrap()
}
