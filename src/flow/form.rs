//! Answers without their types, so that one that comes as text can be found by its step's name.

use std::marker::PhantomData;

use crate::flow::pointer::{Fault, read};
use crate::flow::{Answer, Draft, DraftField, EncodedFact, FactError, Invalid};
use crate::id::SourceName;

/// An [`Answer`] by name only: its text to a fact, and its drafts.
pub(crate) trait Form: Send + Sync {
    fn step(&self) -> &'static str;

    /// The fact, checked by the answer's own rules.
    fn read(&self, json: &str) -> Result<EncodedFact, Unread>;

    /// What is filled in after the subject has edited a form.
    fn edit(&self, saved: Option<&EncodedFact>, form: &str) -> Result<Filled, Unread>;

    /// What is filled in once sources have said what they know; none when that is nothing new.
    fn fill(
        &self,
        saved: Option<&EncodedFact>,
        known: &[(SourceName, EncodedFact)],
    ) -> Result<Option<Filled>, FactError>;

    /// The fields of a draft that was saved.
    fn fields(&self, saved: &EncodedFact) -> Result<Fields, FactError>;

    /// The fields to revise an answer with.
    fn given(&self, fact: &EncodedFact) -> Result<Fields, FactError>;
}

/// A draft that is about to be saved, with the sources of what nobody has changed.
pub(crate) struct Filled {
    pub(crate) draft: EncodedFact,
    pub(crate) sources: Vec<SourceName>,
}

pub(crate) type Fields = Vec<(String, DraftField)>;

/// Why a text is no answer.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is not JSON, from this place on.
    NotJson { line: usize, column: usize },
    /// Fields have to change.
    Invalid(Invalid),
    /// It cannot be stored.
    Unstorable(FactError),
}

/// Ties an answer to its flow.
pub(crate) struct FormOf<F, A>(PhantomData<fn() -> (F, A)>);

impl<F, A> FormOf<F, A> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F: 'static, A: Answer<F>> Form for FormOf<F, A> {
    fn step(&self) -> &'static str {
        A::STORED_AS
    }

    fn read(&self, json: &str) -> Result<EncodedFact, Unread> {
        let answer: A = read_json(json)?;
        answer.validate().map_err(Unread::Invalid)?;
        EncodedFact::encode(&answer).map_err(Unread::Unstorable)
    }

    fn edit(&self, saved: Option<&EncodedFact>, form: &str) -> Result<Filled, Unread> {
        let serde_json::Value::Object(fields) = read_json(form)? else {
            let what = "is no object: send the fields that are filled in";
            return Err(Unread::Invalid(Invalid::field("", what)));
        };
        let mut draft = decoded::<A>(saved).map_err(Unread::Unstorable)?;
        let mut edited = Draft::<A>::new();
        for (name, value) in fields {
            edited = edited.with(&name, value).map_err(Unread::Unstorable)?;
        }
        draft = draft.edited_by(edited);
        filled(&draft).map_err(Unread::Unstorable)
    }

    fn fill(
        &self,
        saved: Option<&EncodedFact>,
        known: &[(SourceName, EncodedFact)],
    ) -> Result<Option<Filled>, FactError> {
        let before = decoded::<A>(saved)?;
        let mut draft = before.clone();
        for (source, known) in known {
            draft = draft.over(source, Draft::decode(known)?);
        }
        match draft == before {
            true => Ok(None),
            false => filled(&draft).map(Some),
        }
    }

    fn fields(&self, saved: &EncodedFact) -> Result<Fields, FactError> {
        Ok(listed(&Draft::<A>::decode(saved)?))
    }

    fn given(&self, fact: &EncodedFact) -> Result<Fields, FactError> {
        Ok(listed(&Draft::from_answer(&fact.decode::<A>()?)?))
    }
}

fn decoded<A: crate::flow::Step>(saved: Option<&EncodedFact>) -> Result<Draft<A>, FactError> {
    Ok(saved.map(Draft::decode).transpose()?.unwrap_or_default())
}

fn filled<A: crate::flow::Step>(draft: &Draft<A>) -> Result<Filled, FactError> {
    Ok(Filled {
        draft: draft.encode()?,
        sources: draft.sources(),
    })
}

fn listed<A: crate::flow::Step>(draft: &Draft<A>) -> Fields {
    let fields = draft.fields();
    fields
        .map(|(name, field)| (name.to_owned(), field.clone()))
        .collect()
}

/// What a text says, or what would have to change.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Unread> {
    read(json).map_err(|fault| match fault {
        Fault::Fields(invalid) => Unread::Invalid(invalid),
        Fault::Json(error) => Unread::NotJson {
            line: error.line(),
            column: error.column(),
        },
    })
}
