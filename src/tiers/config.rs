//! Settings that cannot be used.

/// Why tiers or a mirror cannot be set up. Found when they are built, not when they are needed.
///
/// ```
/// use onramp::tiers::InvalidTiers;
/// let error = InvalidTiers::Zero { setting: "capacity" };
/// assert_eq!(error.to_string(), "capacity is zero: give it a value above");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message says what each is")]
pub enum InvalidTiers {
    #[error("{setting} is zero: give it a value above")]
    Zero { setting: &'static str },
    #[error("copies are fresh for longer than they are kept: raise keep_for or lower fresh_for")]
    FreshForLongerThanKept,
    #[error("the mirror has no URL: call url(..) with that of the identity provider's API")]
    MissingUrl,
    #[error("the mirror's URL {url:?} cannot be used: {why}")]
    InvalidUrl { url: String, why: &'static str },
    #[error(
        "the mirror's URL {url:?} is not https, so the token would travel in the clear: use https, or call allow_plaintext()"
    )]
    Plaintext { url: String },
    #[error("the mirror has no token: call token(..), and look whether its source is set")]
    MissingToken,
    #[error("the mirror's token holds a character that no header can carry: look for a line break")]
    InvalidToken,
    #[error("TLS cannot be set up: the crypto provider knows no version of it that we use")]
    NoTls,
}
