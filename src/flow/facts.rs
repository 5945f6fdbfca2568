//! The facts of one onboarding in their stored form, and how a typed fact is read from them.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::flow::limits::{self, Unstorable};
use crate::flow::{Reservation, Step};
use crate::id::StepName;

/// One fact in its serialised form.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::flow::EncodedFact;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Slug(String);
/// impl Step for Slug { const NAME: &'static str = "slug"; }
///
/// let fact = EncodedFact::encode(&Slug("acme".into()))?;
/// assert_eq!(fact.json(), "\"acme\"");
/// assert_eq!(fact.decode::<Slug>()?.0, "acme");
/// # Ok::<(), onramp::flow::FactError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EncodedFact {
    step: StepName,
    version: u32,
    /// Shared, because a task, its commit and whoever comes after it all read it.
    json: Arc<RawValue>,
    /// What only one onboarding may have; of one that was read from a store, nothing.
    reserves: Box<[Reservation]>,
}

impl EncodedFact {
    /// Serialises a fact.
    ///
    /// # Errors
    /// [`FactError`] when the type refuses to serialise, or as [`check`](Self::check).
    pub fn encode<T: Step>(fact: &T) -> Result<Self, FactError> {
        let step = StepName::from_static(T::STORED_AS);
        match serde_json::value::to_raw_value(fact) {
            Ok(json) => {
                let version = T::VERSION;
                let encoded = Self {
                    step,
                    version,
                    json: json.into(),
                    reserves: fact.reserves().into(),
                };
                encoded.check()?;
                if let Some(problem) = encoded.reserves.iter().find_map(Reservation::problem) {
                    return Err(FactError::new(encoded.step, problem));
                }
                Ok(encoded)
            }
            Err(error) => Err(FactError::new(step, error.to_string())),
        }
    }

    /// Its JSON.
    #[cfg(feature = "store")]
    pub(crate) fn to_json(&self) -> Box<RawValue> {
        (*self.json).to_owned()
    }

    /// Whether it may be stored: at most [`MAX_FACT_BYTES`](super::MAX_FACT_BYTES) of JSON, nested at
    /// most [`MAX_FACT_DEPTH`](super::MAX_FACT_DEPTH) levels deep, of whole characters without NUL.
    /// Held before a fact gets to a store, and by every store, so that all of them keep the same.
    ///
    /// # Errors
    /// [`FactError`], of which [`unstorable`](FactError::unstorable) says why.
    pub fn check(&self) -> Result<(), FactError> {
        limits::check(self.json.get()).map_err(|why| FactError {
            step: self.step.clone(),
            problem: why.to_string(),
            unstorable: Some(why),
        })
    }

    /// A fact as read from a store. What an older version has stored is read, whatever its size.
    ///
    /// # Errors
    /// [`FactError`] when `json` is not JSON.
    pub fn from_stored(step: StepName, version: u32, json: String) -> Result<Self, FactError> {
        match RawValue::from_string(json) {
            Ok(json) => Ok(Self {
                step,
                version,
                json: json.into(),
                reserves: Box::default(),
            }),
            Err(e) => Err(FactError::new(step, format!("is not JSON: {e}"))),
        }
    }

    #[cfg(feature = "store")]
    pub(crate) fn reserves(&self) -> &[Reservation] {
        &self.reserves
    }

    /// The step that yielded the fact.
    #[must_use]
    pub fn step(&self) -> &StepName {
        &self.step
    }

    /// The version of the serialised form ([`Step::VERSION`]).
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The fact as JSON text.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// Reads the typed fact.
    ///
    /// # Errors
    /// [`FactError`] when the step, the version or the shape is another one. The message never
    /// contains the fact's value.
    pub fn decode<T: Step>(&self) -> Result<T, FactError> {
        let fail = |problem: String| FactError::new(self.step.clone(), problem);
        if self.step != *T::STORED_AS {
            return Err(fail(format!(
                "is not a fact of the step {:?}",
                T::STORED_AS
            )));
        }
        let read = match self.version.cmp(&T::VERSION) {
            Ordering::Equal => serde_json::from_str(self.json.get()),
            Ordering::Less => serde_json::from_value(self.upcast::<T>()?),
            Ordering::Greater => {
                return Err(fail(format!(
                    "has data version {}, this program reads up to version {}",
                    self.version,
                    T::VERSION
                )));
            }
        };
        read.map_err(|e| {
            // serde's text can quote the value; the place alone says enough and leaks nothing.
            fail(format!(
                "does not decode at line {} column {}",
                e.line(),
                e.column()
            ))
        })
    }

    /// What it is in the version that the program reads.
    fn upcast<T: Step>(&self) -> Result<serde_json::Value, FactError> {
        let fail = |problem: String| FactError::new(self.step.clone(), problem);
        let mut value = serde_json::from_str(self.json.get()).map_err(|e| {
            fail(format!(
                "is not JSON at line {} column {}",
                e.line(),
                e.column()
            ))
        })?;
        for version in self.version..T::VERSION {
            value = T::upcast(version, value)
                .map_err(|no| fail(format!("has data version {version}: {no}")))?;
        }
        Ok(value)
    }
}

/// The facts that exist, by step. What a task's needs are read from.
///
/// ```
/// use onramp::flow::Facts;
/// assert!(Facts::default().is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// In the order of their steps. A list, because an onboarding has few, and many onboardings are
    /// under way at once.
    by_step: Vec<EncodedFact>,
}

impl Facts {
    fn place(&self, step: &str) -> Result<usize, usize> {
        self.by_step
            .binary_search_by(|fact| fact.step.as_str().cmp(step))
    }

    /// Adds a fact, or replaces the one of the same step.
    pub fn insert(&mut self, fact: EncodedFact) {
        match self.place(fact.step.as_str()) {
            Ok(place) => {
                if let Some(old) = self.by_step.get_mut(place) {
                    *old = fact;
                }
            }
            Err(place) => {
                self.by_step.reserve_exact(1);
                self.by_step.insert(place, fact);
            }
        }
    }

    /// Takes a step's fact away.
    pub fn remove(&mut self, step: &str) -> Option<EncodedFact> {
        let place = self.place(step).ok()?;
        Some(self.by_step.remove(place))
    }

    /// A step's fact in its stored form.
    #[must_use]
    pub fn encoded(&self, step: &str) -> Option<&EncodedFact> {
        self.by_step.get(self.place(step).ok()?)
    }

    /// A typed fact, or `None` when its step has none.
    ///
    /// # Errors
    /// [`FactError`] when a fact exists and does not decode.
    pub fn get<T: Step>(&self) -> Result<Option<T>, FactError> {
        self.encoded(T::STORED_AS)
            .map(EncodedFact::decode)
            .transpose()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_step.is_empty()
    }
}

impl FromIterator<EncodedFact> for Facts {
    fn from_iter<I: IntoIterator<Item = EncodedFact>>(facts: I) -> Self {
        let mut all = Self::default();
        for fact in facts {
            all.insert(fact);
        }
        all
    }
}

/// A fact that cannot be stored or read. Holds no part of the fact's value.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::flow::EncodedFact;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Serialize, Deserialize)]
/// # struct Slug(String);
/// # impl Step for Slug { const NAME: &'static str = "slug"; }
/// let stored = EncodedFact::from_stored("slug".into(), 1, "{\"a\": 1}".into())?;
/// let error = stored.decode::<Slug>().unwrap_err();
/// assert_eq!(error.to_string(), "fact of step \"slug\" does not decode at line 1 column 0");
/// # Ok::<(), onramp::flow::FactError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fact of step {:?} {problem}", step.as_str())]
pub struct FactError {
    step: StepName,
    problem: String,
    unstorable: Option<Unstorable>,
}

impl FactError {
    pub(crate) fn new(step: StepName, problem: String) -> Self {
        Self {
            step,
            problem,
            unstorable: None,
        }
    }

    /// The rule of storing that it breaks, if that is what is wrong.
    #[must_use]
    pub fn unstorable(&self) -> Option<&Unstorable> {
        self.unstorable.as_ref()
    }

    /// The step whose fact it is.
    #[must_use]
    pub fn step(&self) -> &StepName {
        &self.step
    }
}
