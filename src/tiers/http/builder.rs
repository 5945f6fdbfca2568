//! How a mirror over HTTP is set up.

use std::fmt;

use hyper::header::HeaderValue;

use crate::tiers::config::InvalidTiers;
use crate::tiers::http::HttpMirror;
use crate::tiers::http::url::Base;
use crate::tiers::http::wire::Wire;

/// Sets up an [`HttpMirror`]. Made by [`HttpMirror::builder`].
///
/// Nothing has a default that might work by accident: what is missing is found here, when the service
/// starts.
///
/// ```
/// use onramp::tiers::{HttpMirror, InvalidTiers};
/// let plain = HttpMirror::builder().url("http://id.example.com").token("secret").build();
/// let url = "http://id.example.com".to_owned();
/// assert_eq!(plain.unwrap_err(), InvalidTiers::Plaintext { url });
/// ```
#[must_use = "a mirror is made by `build`"]
pub struct HttpMirrorBuilder {
    url: String,
    token: String,
    plaintext: bool,
}

impl HttpMirrorBuilder {
    pub(super) fn new() -> Self {
        Self {
            url: String::new(),
            token: String::new(),
            plaintext: false,
        }
    }

    /// Where the provider's API begins, for instance `https://id.example.com/api/v2`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The bearer token (RFC 6750). Never shown, and sent to the URL alone.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Permits `http` to other machines too: whoever is on the way reads the token. For networks
    /// that encrypt by themselves.
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// The mirror. Connects when it is first used.
    ///
    /// # Errors
    /// [`InvalidTiers`] when the URL or the token is missing or cannot be used.
    pub fn build(self) -> Result<HttpMirror, InvalidTiers> {
        if self.url.is_empty() {
            return Err(InvalidTiers::MissingUrl);
        }
        let base = Base::new(&self.url, self.plaintext)?;
        if self.token.trim().is_empty() {
            return Err(InvalidTiers::MissingToken);
        }
        let header = format!("Bearer {}", self.token);
        let header = HeaderValue::try_from(header).map_err(|_| InvalidTiers::InvalidToken);
        let mut authorization = header?;
        authorization.set_sensitive(true);
        let wire = Wire::new(base, authorization).ok_or(InvalidTiers::NoTls)?;
        Ok(HttpMirror { wire })
    }
}

impl fmt::Debug for HttpMirrorBuilder {
    /// Leaves the token out, and the URL, which may hold one by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMirrorBuilder")
            .field("plaintext", &self.plaintext)
            .finish_non_exhaustive()
    }
}
