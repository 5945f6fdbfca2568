//! A value that was provided, or stands in for one.

use serde::{Deserialize, Serialize};

use crate::flow::{FactError, Facts, Step};

/// A value that somebody provided, or the default that stands in for it; which of the two stays
/// visible, also when it is serialised.
///
/// A projection over facts for whoever personalises something (a letter, a page, a prompt) is a struct of
/// these: what was made up is never taken for what the customer has said.
///
/// ```
/// use onramp::flow::{EncodedFact, FactError, Facts, Input};
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String, website: Option<String> }
/// impl Step for Company { const NAME: &'static str = "company"; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Branding { color: String }
/// impl Step for Branding { const NAME: &'static str = "branding"; } // optional: may be skipped
///
/// #[derive(Serialize)]
/// struct Welcome { name: Input<String>, website: Input<String>, color: Input<String> }
///
/// fn welcome(facts: &Facts) -> Result<Welcome, FactError> {
///     Ok(Welcome {
///         name: Input::of(facts, |it: Company| Some(it.name), || "there".to_owned())?,
///         website: Input::of(facts, |it: Company| it.website, || "example.com".to_owned())?,
///         color: Input::of(facts, |it: Branding| Some(it.color), || "#444".to_owned())?,
///     })
/// }
///
/// // A host has them from `onramp.facts(&tenant, id)`.
/// let company = Company { name: "Acme".into(), website: None };
/// let facts = Facts::from_iter([EncodedFact::encode(&company)?]);
/// let welcome = welcome(&facts)?;
/// assert_eq!(welcome.name, Input::Provided("Acme".to_owned()));
/// assert!(welcome.website.is_default() && welcome.color.is_default());
/// let json = serde_json::to_value(&welcome)?;
/// assert_eq!(json["name"], serde_json::json!({"from": "provided", "value": "Acme"}));
/// assert_eq!(json["color"], serde_json::json!({"from": "default", "value": "#444"}));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "from", content = "value", rename_all = "snake_case")]
#[must_use]
pub enum Input<T> {
    /// Somebody provided it.
    Provided(T),
    /// Nobody did; this stands in for it.
    Default(T),
}

impl<T> Input<T> {
    /// What is read from the fact of a step; the default when there is no such fact, or it does not say.
    ///
    /// # Errors
    /// [`FactError`] when the fact exists and does not decode: what somebody provided is not replaced by
    /// a default because it cannot be read.
    pub fn of<S: Step>(
        facts: &Facts,
        read: impl FnOnce(S) -> Option<T>,
        default: impl FnOnce() -> T,
    ) -> Result<Self, FactError> {
        Ok(Self::or_else(facts.get::<S>()?.and_then(read), default))
    }

    /// What was provided, if anything was; or the default. For the optional needs of a task.
    ///
    /// ```
    /// use onramp::flow::Input;
    /// assert_eq!(Input::or_else(None, || 7), Input::Default(7));
    /// ```
    pub fn or_else(provided: Option<T>, default: impl FnOnce() -> T) -> Self {
        match provided {
            Some(value) => Self::Provided(value),
            None => Self::Default(default()),
        }
    }

    /// The value, whichever it is.
    pub fn get(&self) -> &T {
        match self {
            Self::Provided(value) | Self::Default(value) => value,
        }
    }

    /// The value itself, whichever it is.
    pub fn into_inner(self) -> T {
        match self {
            Self::Provided(value) | Self::Default(value) => value,
        }
    }

    /// What was provided; none when it is a default.
    pub fn provided(&self) -> Option<&T> {
        match self {
            Self::Provided(value) => Some(value),
            Self::Default(_) => None,
        }
    }

    /// Whether nobody provided it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }

    /// Something made of it, with the same mark.
    ///
    /// ```
    /// use onramp::flow::Input;
    /// assert_eq!(Input::Default(7).map(|n| n + 1), Input::Default(8));
    /// ```
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Input<U> {
        match self {
            Self::Provided(value) => Input::Provided(make(value)),
            Self::Default(value) => Input::Default(make(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::EncodedFact;

    #[derive(Debug, Serialize, Deserialize)]
    struct Company {
        name: Option<String>,
    }
    impl Step for Company {
        const NAME: &'static str = "company";
    }

    fn name(json: Option<&str>) -> Result<Input<String>, FactError> {
        let fact = json.map(|json| EncodedFact::from_stored("company".into(), 1, json.into()));
        let facts = Facts::from_iter(fact.transpose()?);
        Input::of(&facts, |it: Company| it.name, || "there".to_owned())
    }

    #[test]
    fn a_default_is_marked_as_one_also_when_it_says_the_same() {
        let provided = name(Some("{\"name\":\"there\"}")).unwrap();
        let silent = name(Some("{\"name\":null}")).unwrap();
        let absent = name(None).unwrap();
        assert_eq!(provided.get(), silent.get());
        assert_ne!(provided, silent);
        assert_eq!(silent, absent);
        let texts = [&provided, &absent].map(|input| serde_json::to_string(input).unwrap());
        assert_eq!(texts[0], "{\"from\":\"provided\",\"value\":\"there\"}");
        assert_eq!(texts[1], "{\"from\":\"default\",\"value\":\"there\"}");
        let read: Input<String> = serde_json::from_str(&texts[1]).unwrap();
        assert_eq!(read, absent);
    }

    #[test]
    fn what_was_provided_and_cannot_be_read_is_no_default() {
        assert!(name(Some("{\"name\":7}")).is_err());
    }
}
