//! A step and the one typed fact it yields.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flow::Reservation;

/// A named unit of a flow; the implementing type is the fact that the step yields.
///
/// "Where is this customer" is computed from which facts exist, so a step is known by its name
/// and its place in the list may change while customers are half-way.
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Dataset { path: String }
/// impl Step for Dataset { const NAME: &'static str = "create_dataset"; }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "this type is not a fact of any step",
    note = "give it a stored name: `impl Step for {Self} {{ const NAME: &'static str = \"...\"; }}`",
    note = "the fact of an optional or conditional step is read as `Option<...>`"
)]
pub trait Step: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name: 1 to 64 of `a-z`, `0-9` and `_`, a letter first. Unique within a flow.
    const NAME: &'static str;

    /// What it is stored as: its first name. Give it when a step gets another name, so that facts
    /// that exist are still its own, for this version of the program and for the one before.
    const STORED_AS: &'static str = Self::NAME;

    /// The version of the fact's serialised form. Counts up when old facts no longer decode.
    const VERSION: u32 = 1;

    /// What of this only one onboarding may have: see [`Reservation`].
    fn reserves(&self) -> Vec<Reservation> {
        Vec::new()
    }

    /// What a fact of an older version is in the next one. Called for one version after another.
    ///
    /// # Errors
    /// [`NoUpcast`] when there is no way; the onboarding is then left alone.
    ///
    /// ```
    /// use onramp::flow::NoUpcast;
    /// use onramp::prelude::*;
    /// use serde::{Deserialize, Serialize};
    /// use serde_json::{Value, json};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Company { name: String, country: String }
    /// impl Step for Company {
    ///     const NAME: &'static str = "company";
    ///     const VERSION: u32 = 2;
    ///
    ///     fn upcast(from: u32, mut old: Value) -> Result<Value, NoUpcast> {
    ///         match (from, old.as_object_mut()) {
    ///             (1, Some(fields)) => { fields.insert("country".into(), json!("unknown")); }
    ///             _ => return Err(NoUpcast),
    ///         }
    ///         Ok(old)
    ///     }
    /// }
    /// ```
    fn upcast(from: u32, old: serde_json::Value) -> Result<serde_json::Value, NoUpcast> {
        let _ = (from, old);
        Err(NoUpcast)
    }
}

/// A fact of an older version has no counterpart in the next one.
///
/// ```
/// use onramp::flow::NoUpcast;
/// assert_eq!(NoUpcast.to_string(), "there is no upcast from that version");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no upcast from that version")]
pub struct NoUpcast;

/// A fact that the subject gives: a form.
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String, employees: u32 }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {
///     fn validate(&self) -> Result<(), Invalid> {
///         Invalid::check("/employees", self.employees > 0, "must be at least 1")
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an answer of the flow `{F}`",
    label = "the subject cannot give this in the flow `{F}`",
    note = "answers are what the subject gives: `impl Answer<{F}> for {Self} {{}}`",
    note = "evidence (what the host attests, such as a payment) goes through `expect` and `attest`"
)]
pub trait Answer<F>: Step {
    /// Checks what the type alone cannot: rules between fields, host-specific limits.
    ///
    /// # Errors
    /// [`Invalid`] lists every field that must change, in words for the subject.
    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A fact that the host attests on behalf of a third party: a verified webhook, an approval.
///
/// No subject can submit it; see [`Onboarding::attest`](crate::Onboarding::attest).
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct PaymentConfirmed { invoice: String }
/// impl Step for PaymentConfirmed { const NAME: &'static str = "payment"; }
/// impl Evidence<Workspace> for PaymentConfirmed {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not evidence in the flow `{F}`",
    label = "the host cannot attest this in the flow `{F}`",
    note = "evidence is what the host attests: `impl Evidence<{F}> for {Self} {{}}`",
    note = "answers (what the subject gives) go through `ask` and `submit`"
)]
pub trait Evidence<F>: Step {}

/// A fact that an operator gives: the outcome of a review.
///
/// Neither the subject nor the host can give it; see
/// [`Onboarding::approve`](crate::Onboarding::approve).
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Reviewed { ticket: u64 }
/// impl Step for Reviewed { const NAME: &'static str = "review"; }
/// impl Approval<Workspace> for Reviewed {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an approval in the flow `{F}`",
    label = "no operator can give this in the flow `{F}`",
    note = "approvals are what operators give: `impl Approval<{F}> for {Self} {{}}`"
)]
pub trait Approval<F>: Step {}

/// Why an answer cannot be taken, field by field, in words for the subject.
///
/// ```
/// use onramp::flow::Invalid;
/// let invalid = Invalid::field("/currency", "is unset: choose a currency")
///     .and("/timezone", "is unset: choose a time zone");
/// assert_eq!(
///     invalid.to_string(),
///     "/currency is unset: choose a currency; /timezone is unset: choose a time zone",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    fields: Vec<(String, String)>,
}

impl Invalid {
    /// One wrong field, by its JSON pointer (RFC 6901), and what to change.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            fields: vec![(pointer.into(), message.into())],
        }
    }

    /// Adds a further wrong field.
    #[must_use]
    pub fn and(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push((pointer.into(), message.into()));
        self
    }

    /// `Ok` when `holds`, otherwise the one wrong field.
    ///
    /// # Errors
    /// [`Invalid::field`] when `holds` is false.
    pub fn check(pointer: &str, holds: bool, message: &str) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self::field(pointer, message))
        }
    }

    /// The wrong fields: JSON pointer and what to change.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(pointer, message)| (pointer.as_str(), message.as_str()))
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (pointer, message)) in self.fields.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{pointer} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}
