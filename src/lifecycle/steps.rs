//! What is known of the steps of one onboarding, by their names.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::StepName;
use crate::lifecycle::state::StepState;

/// A map in a list, in the order of the names: few entries, and of very many onboardings at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Steps(Vec<(StepName, StepState)>);

impl Steps {
    fn place(&self, step: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(name, _)| name.as_str().cmp(step))
    }

    pub(crate) fn get(&self, step: &str) -> Option<&StepState> {
        let (_, known) = self.0.get(self.place(step).ok()?)?;
        Some(known)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StepName, &StepState)> {
        self.0.iter().map(|(name, known)| (name, known))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut StepState> {
        self.0.iter_mut().map(|(_, known)| known)
    }

    /// What is known of a step, for the first time if need be.
    pub(crate) fn known(&mut self, step: &StepName) -> &mut StepState {
        let place = match self.place(step.as_str()) {
            Ok(place) => place,
            Err(place) => {
                self.insert(place, step.clone(), StepState::default());
                place
            }
        };
        &mut self.0[place].1
    }

    fn insert(&mut self, place: usize, step: StepName, known: StepState) {
        self.0.reserve_exact(1);
        self.0.insert(place, (step, known));
    }
}

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Steps;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of steps")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Steps, A::Error> {
        let mut steps = Steps::default();
        while let Some((step, known)) = entries.next_entry::<StepName, StepState>()? {
            match steps.place(step.as_str()) {
                Ok(place) => steps.0[place].1 = known,
                Err(place) => steps.insert(place, step, known),
            }
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_stored_as_a_map_in_the_order_of_their_names() {
        let json = r#"{"b":{"attempts":2},"a":{},"b":{"attempts":3}}"#;
        let mut steps: Steps = serde_json::from_str(json).unwrap();
        assert_eq!(steps.get("b").map(StepState::attempts), Some(3));
        assert_eq!(steps.get("c"), None);
        steps.known(&StepName::from_static("aa")).skipped = true;
        let stored = serde_json::to_string(&steps).unwrap();
        assert_eq!(
            stored,
            r#"{"a":{},"aa":{"skipped":true},"b":{"attempts":3}}"#
        );
        assert_eq!(serde_json::from_str::<Steps>(&stored).unwrap(), steps);
    }
}
