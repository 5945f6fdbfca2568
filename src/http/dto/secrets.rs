//! Secrets, as they go over the wire. What holds one has no `Debug`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A secret that the subject may see. Never the secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::http) struct KeptSecret {
    /// Its name in addresses.
    pub(in crate::http) name: String,
    /// What became of showing it.
    pub(in crate::http) state: Showing,
    /// When the time of the newest token is over.
    pub(in crate::http) until: Option<DateTime<Utc>>,
    /// When it was shown.
    pub(in crate::http) shown_at: Option<DateTime<Utc>>,
}

/// What became of showing a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Showing {
    /// The onboarding is not completed.
    TooEarly,
    /// A token can be had. From here on another one needs a proof.
    Ready,
    /// A token is out.
    Offered,
    /// It was shown.
    Shown,
    /// Too many wrong tokens were tried.
    Burnt,
    /// The token's time is over.
    Expired,
}

/// What shows a secret once: send it back in a body, never in an address.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Offered<'a> {
    /// The token.
    pub(in crate::http) token: &'a str,
}

/// The token that was offered.
#[cfg_attr(
    not(feature = "vault"),
    expect(dead_code, reason = "described, and sent with a vault only")
)]
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RevealToken")]
pub(in crate::http) struct Token {
    /// The token.
    #[schemars(regex(pattern = r"^rvl_[0-9A-Za-z_-]{64}$"))]
    pub(in crate::http) token: String,
}

/// A secret. It is not shown again.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Revealed<'a> {
    /// How it is written here.
    pub(in crate::http) encoding: Encoding,
    /// The secret.
    pub(in crate::http) secret: &'a str,
}

/// How a secret is written.
#[cfg_attr(
    not(feature = "vault"),
    expect(dead_code, reason = "described, and sent with a vault only")
)]
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Encoding {
    /// As it is.
    Text,
    /// In base64 (RFC 4648, 4), because it is no text.
    Base64,
}
