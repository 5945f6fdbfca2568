//! Identities and names: who is onboarded, where, as of when.
//!
//! Text identities are compared byte by byte on every store: `"a.b"`, `"a_b"`, `"A.B"` and
//! `"a.b "` are four different subjects (the last one is refused outright).

mod invalid;
#[cfg(feature = "store")]
mod moment;
mod secret_name;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use invalid::check_id;
pub use invalid::{InvalidId, MAX_ID_BYTES};
#[cfg(feature = "store")]
pub(crate) use invalid::{check_label, check_name};
pub use secret_name::SecretName;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Accepts 1 to 128 bytes of UTF-8 without control characters, line
            /// separators or outer white space.
            ///
            /// # Errors
            /// [`InvalidId`] says which rule the text broke.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                check_id($what, &text)?;
                Ok(Self(text))
            }

            /// The identity as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;
            fn try_from(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id! {
    /// The isolation boundary. Nothing is ever read or written across tenants.
    ///
    /// ```
    /// use onramp::TenantId;
    /// assert_eq!(TenantId::new("acme")?.as_str(), "acme");
    /// assert!(TenantId::new("ac\u{0}me").is_err());
    /// # Ok::<(), onramp::InvalidId>(())
    /// ```
    TenantId, "tenant id"
}

text_id! {
    /// Who is being onboarded: a user, an organisation, a device, by the host's own key.
    ///
    /// ```
    /// use onramp::SubjectId;
    /// assert_ne!(SubjectId::new("a.b")?, SubjectId::new("a_b")?);
    /// # Ok::<(), onramp::InvalidId>(())
    /// ```
    SubjectId, "subject id"
}

text_id! {
    /// Why an operator makes an exception: a ticket, a contract. It stays in the journal, so no
    /// personal data goes in.
    ///
    /// ```
    /// use onramp::Reason;
    /// assert_eq!(Reason::new("contract-1234")?.as_str(), "contract-1234");
    /// # Ok::<(), onramp::InvalidId>(())
    /// ```
    Reason, "reason"
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// A name known when the program was written.
            #[must_use]
            pub const fn from_static(name: &'static str) -> Self {
                Self(Cow::Borrowed(name))
            }

            /// A name read from somewhere, for instance from a store.
            pub fn from_text(name: impl Into<String>) -> Self {
                Self(Cow::Owned(name.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&'static str> for $name {
            fn from(name: &'static str) -> Self {
                Self::from_static(name)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }
    };
}

name! {
    /// The name of a flow, as stored. It outlives any type of the host's program.
    ///
    /// ```
    /// use onramp::FlowName;
    /// assert_eq!(FlowName::from_static("workspace"), "workspace");
    /// ```
    FlowName
}

name! {
    /// The name of a step, as stored. Steps are known by name, never by position.
    ///
    /// ```
    /// use onramp::StepName;
    /// assert_eq!(StepName::from_static("business_info").as_str(), "business_info");
    /// ```
    StepName
}

name! {
    /// The name of a source that fills forms in.
    ///
    /// ```
    /// use onramp::SourceName;
    /// assert_eq!(SourceName::from_static("crm"), "crm");
    /// ```
    SourceName
}

/// Whether a flow or step name can be stored: 1 to 64 of `a-z`, `0-9` and `_`, letter first.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && name.len() <= 64
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh identity (UUID version 7 of RFC 9562: unique, and ordered by time).
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// An identity that is known already.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The identity as a UUID.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// One subject in one flow.
    ///
    /// ```
    /// use onramp::OnboardingId;
    /// assert_ne!(OnboardingId::fresh(), OnboardingId::fresh());
    /// ```
    OnboardingId
}

uuid_id! {
    /// One command. Sending the same command again is answered with its first result.
    ///
    /// ```
    /// use onramp::CommandId;
    /// let id = CommandId::fresh();
    /// assert_eq!(CommandId::from_uuid(id.as_uuid()), id);
    /// ```
    CommandId
}

/// What an onboarding is found by: at most one per tenant, flow and subject.
///
/// ```
/// use onramp::{FlowName, Key, SubjectId, TenantId};
/// let key = Key {
///     tenant: TenantId::new("acme")?,
///     flow: FlowName::from_static("workspace"),
///     subject: SubjectId::new("org-001")?,
/// };
/// assert_eq!(key.to_string(), "acme/workspace/org-001");
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The isolation boundary.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowName,
    /// Who is onboarded.
    pub subject: SubjectId,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.flow, self.subject)
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The counter with this value.
            #[must_use]
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The value.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The value that follows.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// How many commits an onboarding has seen. Every commit names the revision it was decided
    /// on, and only one commit can follow a revision.
    ///
    /// ```
    /// use onramp::Revision;
    /// assert_eq!(Revision::new(3).next(), Revision::new(4));
    /// ```
    Revision
}

counter! {
    /// How many times an onboarding has been claimed by a worker. A worker's write names the fence
    /// of its claim, so that a worker who was thought dead cannot write any more.
    ///
    /// ```
    /// use onramp::Fence;
    /// assert!(Fence::new(2) > Fence::new(1));
    /// ```
    Fence
}

/// Who issues a command. Recorded with every commit.
///
/// ```
/// use onramp::Actor;
/// assert_eq!(Actor::Operator("ann".into()).to_string(), "operator:ann");
/// assert_eq!("operator:ann".parse(), Ok(Actor::Operator("ann".into())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Actor {
    /// The one who is being onboarded.
    Subject,
    /// The service that embeds this library.
    Host,
    /// A person who looks after the service, by a name the host knows.
    Operator(String),
    /// A worker of the engine.
    Worker,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject => f.write_str("subject"),
            Self::Host => f.write_str("host"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Worker => f.write_str("worker"),
        }
    }
}

/// An actor's text that this version does not know.
///
/// ```
/// let error = "robot".parse::<onramp::Actor>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown actor \"robot\""));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown actor {0:?}: expected \"subject\", \"host\", \"worker\" or \"operator:<name>\"")]
pub struct UnknownActor(String);

impl std::str::FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        match text {
            "subject" => Ok(Self::Subject),
            "host" => Ok(Self::Host),
            "worker" => Ok(Self::Worker),
            other => match other.strip_prefix("operator:") {
                Some(name) => Ok(Self::Operator(name.to_owned())),
                None => Err(UnknownActor(other.chars().take(40).collect())),
            },
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_words() {
        for good in ["a", "business_info", "step2"] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in ["", "2step", "Business", "a-b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }

    #[test]
    fn identities_are_exact() {
        for bad in ["", " a", "a ", "a\n", "a\u{0}", &"a".repeat(129)] {
            assert!(SubjectId::new(bad).is_err(), "{bad:?}");
        }
        assert!(SubjectId::new("a".repeat(128)).is_ok());
        assert!(serde_json::from_str::<SubjectId>("\" a\"").is_err());
    }
}
