//! A form that is not finished yet: some of its fields, each with where it came from.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::flow::slot;
use crate::flow::{EncodedFact, FactError, Step};
use crate::id::{SourceName, StepName};

/// An answer that is not finished: the fields that are filled in so far, each with where it came from.
///
/// A draft settles nothing. It is saved by [`Onboarding::draft`](crate::Onboarding::draft), filled in
/// from what is known elsewhere by `Onramp::prefill`, and gone once the answer is submitted. Fields are
/// those of the answer's outermost object, by their serialised names. `Debug` leaves the values out.
///
/// ```
/// use onramp::flow::Draft;
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Company { name: String, country: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
///
/// let draft = Draft::<Company>::new().with("name", "Acme")?;
/// let unfinished = draft.finish().unwrap_err();
/// assert_eq!(unfinished.to_string(), "fact of step \"company\" does not decode: missing field `country`");
///
/// let company = draft.with("country", "IN")?.finish()?;
/// assert_eq!(company.country, "IN");
/// # Ok::<(), onramp::flow::FactError>(())
/// ```
pub struct Draft<A> {
    fields: BTreeMap<String, DraftField>,
    answer: PhantomData<fn() -> A>,
}

/// A field of a draft.
///
/// ```
/// # use onramp::flow::DraftField;
/// fn hint(field: &DraftField) -> Option<String> {
///     field.source().map(|source| format!("from {source}: is this right?"))
/// }
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftField {
    value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<SourceName>,
}

impl DraftField {
    /// What it says.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Where it came from; none when the subject has filled it in.
    #[must_use]
    pub fn source(&self) -> Option<&SourceName> {
        self.from.as_ref()
    }
}

impl std::fmt::Debug for DraftField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftField")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl<A: Step> Draft<A> {
    /// A draft in which nothing is filled in.
    #[must_use]
    pub fn new() -> Self {
        Self::of(BTreeMap::new())
    }

    fn of(fields: BTreeMap<String, DraftField>) -> Self {
        Self {
            fields,
            answer: PhantomData,
        }
    }

    /// The draft to revise an answer with: all of its fields.
    ///
    /// # Errors
    /// [`FactError`] when the answer does not serialise as an object with fields.
    pub fn from_answer(answer: &A) -> Result<Self, FactError> {
        match serde_json::to_value(answer) {
            Ok(Value::Object(fields)) => Ok(Self::of(fields.into_iter().map(edited).collect())),
            Ok(_) => Err(fail::<A>("has no fields to draft".to_owned())),
            Err(error) => Err(fail::<A>(error.to_string())),
        }
    }

    /// A draft as a form sends it: an object with some of the answer's fields.
    ///
    /// # Errors
    /// [`FactError`] when the text is not JSON, or no object.
    pub fn from_json(json: &str) -> Result<Self, FactError> {
        match serde_json::from_str(json) {
            Ok(Value::Object(fields)) => Ok(Self::of(fields.into_iter().map(edited).collect())),
            Ok(_) => Err(fail::<A>("is no object with fields".to_owned())),
            Err(e) => Err(fail::<A>(format!(
                "is not JSON at line {} column {}",
                e.line(),
                e.column()
            ))),
        }
    }

    /// Fills a field in, as the subject does.
    ///
    /// # Errors
    /// [`FactError`] when the value does not serialise.
    pub fn with(mut self, field: &str, value: impl Serialize) -> Result<Self, FactError> {
        let value = serde_json::to_value(value).map_err(|error| fail::<A>(error.to_string()))?;
        let (name, filled) = edited((field.to_owned(), value));
        self.fields.insert(name, filled);
        Ok(self)
    }

    /// What the subject has changed in a form, on top of this: a field that is sent as it was keeps
    /// where it came from, another one is the subject's. Fields that are not sent stay.
    #[must_use]
    pub fn edited_by(mut self, form: Self) -> Self {
        for (name, field) in form.fields {
            let same = self
                .fields
                .get(&name)
                .is_some_and(|f| f.value == field.value);
            if !same {
                self.fields.insert(name, field);
            }
        }
        self
    }

    /// What a source knows, beneath what is there: it fills in what is empty and renews what it has
    /// filled in before, and never touches what the subject or another source has given.
    #[must_use]
    pub fn over(mut self, source: &SourceName, known: Self) -> Self {
        for (name, field) in known.fields {
            let mine = self
                .fields
                .get(&name)
                .is_none_or(|f| f.from.as_ref() == Some(source));
            if mine {
                let from = Some(source.clone());
                let value = field.value;
                self.fields.insert(name, DraftField { value, from });
            }
        }
        self
    }

    /// A field, if it is filled in.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&DraftField> {
        self.fields.get(name)
    }

    /// The fields that are filled in, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &DraftField)> {
        self.fields
            .iter()
            .map(|(name, field)| (name.as_str(), field))
    }

    /// Whether nothing is filled in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The sources of what nobody has changed since, each once.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceName> {
        let sources = self.fields.values().filter_map(|field| field.from.clone());
        let sources: std::collections::BTreeSet<_> = sources.collect();
        sources.into_iter().collect()
    }

    /// The answer, if the fields make one. It is not checked by its own rules yet: submitting does
    /// that.
    ///
    /// # Errors
    /// [`FactError`] names a field that is missing or of another kind, never what one says.
    pub fn finish(&self) -> Result<A, FactError> {
        let fields = self.fields.iter();
        let object = fields.map(|(name, field)| (name.clone(), field.value.clone()));
        serde_json::from_value(Value::Object(object.collect())).map_err(|error| {
            let text = error.to_string();
            // serde names a missing field; everything else it says may quote what a field says.
            match text.starts_with("missing field") {
                true => fail::<A>(format!("does not decode: {text}")),
                false => fail::<A>("does not decode: a field is of another kind".to_owned()),
            }
        })
    }

    pub(crate) fn encode(&self) -> Result<EncodedFact, FactError> {
        let json =
            serde_json::to_string(&self.fields).map_err(|error| fail::<A>(error.to_string()))?;
        let slot = slot::draft(&StepName::from_static(A::STORED_AS));
        let encoded = EncodedFact::from_stored(slot, A::VERSION, json)?;
        encoded.check()?;
        Ok(encoded)
    }

    #[cfg(feature = "store")]
    pub(crate) fn decode(stored: &EncodedFact) -> Result<Self, FactError> {
        let fields = serde_json::from_str(stored.json());
        let fields =
            fields.map_err(|_| fail::<A>("has a draft that does not decode".to_owned()))?;
        Ok(Self::of(fields))
    }
}

fn edited((name, value): (String, Value)) -> (String, DraftField) {
    (name, DraftField { value, from: None })
}

fn fail<A: Step>(problem: String) -> FactError {
    FactError::new(StepName::from_static(A::STORED_AS), problem)
}

impl<A: Step> Default for Draft<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Clone for Draft<A> {
    fn clone(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            answer: PhantomData,
        }
    }
}

impl<A> PartialEq for Draft<A> {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl<A> std::fmt::Debug for Draft<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("fields", &self.fields)
            .finish()
    }
}
