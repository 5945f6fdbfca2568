//! A mirror behind an HTTP API.

mod builder;
mod url;
mod wire;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use hyper::StatusCode;
use serde_json::value::{RawValue, to_raw_value};

use crate::id::Key;
use crate::tiers::http::wire::{Answer, Precondition, Wire};
use crate::tiers::mirror::{Mirror, MirrorError, Stored, Tag};

pub use builder::HttpMirrorBuilder;

/// A mirror in the attributes of a user at an identity provider, over HTTP/1.1 and TLS.
///
/// What it expects of the provider, or of a small adapter in front of it:
///
/// | request | answer |
/// |---|---|
/// | `GET {url}/users/{subject}/attributes` | `200`, a JSON object of all the user's attributes, and an `ETag`; `404` when there are none yet |
/// | `PUT {url}/users/{subject}/attributes` with the whole object and `If-Match: {ETag}`, or `If-None-Match: *` when there were none | `2xx`; `412` (or `409`) when the attributes have changed since |
///
/// Each request carries `Authorization: Bearer {token}`. The status of an onboarding is the attribute
/// `onramp/{flow}/{tenant}`, a string; every other attribute is put back as it was read, and a concurrent
/// change of one is not lost, because the `ETag` is of the whole. A provider that sends no strong `ETag` is
/// refused: without it the attributes of others could be overwritten.
///
/// A status is a string of 1 to 4 kB: an attribute must hold that much. Each call takes as long as the
/// tiers give it ([`mirror_within`](crate::tiers::TieredBuilder::mirror_within)).
///
/// `429` and `5xx` are tried again, whatever else is not in the table is refused. Redirects are not
/// followed, so that the token goes nowhere else. Answers longer than 1 MiB are refused.
///
/// ```
/// use onramp::tiers::{HttpMirror, InvalidTiers};
/// let mirror = HttpMirror::builder()
///     .url("https://id.example.com/api/v2")
///     .token("secret")
///     .build()?;
/// assert!(!format!("{mirror:?}").contains("secret"));
/// let missing = HttpMirror::builder().url("https://id.example.com").build();
/// assert_eq!(missing.unwrap_err(), InvalidTiers::MissingToken);
/// # Ok::<(), InvalidTiers>(())
/// ```
pub struct HttpMirror {
    wire: Wire,
}

/// The attributes of a user: ours is one of them. Those of others are kept as they are written, because
/// to read a number can change it.
type Attributes = BTreeMap<String, Box<RawValue>>;

/// The tag of a user without attributes. No `ETag` is empty.
const NONE: &str = "";

/// A flow's name holds no slash, so the name says which part is whose.
fn attribute(key: &Key) -> String {
    format!("onramp/{}/{}", key.flow, key.tenant)
}

impl HttpMirror {
    /// Begins to set up a mirror.
    pub fn builder() -> HttpMirrorBuilder {
        HttpMirrorBuilder::new()
    }

    async fn attributes(&self, key: &Key) -> Result<(Attributes, Tag), MirrorError> {
        let answer = self.wire.get(&key.subject).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok((Attributes::new(), Tag::new(NONE))),
            StatusCode::OK => {
                let tag = strong(&answer)?;
                let attributes = serde_json::from_slice(&answer.body).map_err(|error| {
                    MirrorError::refused("its answer is no JSON object").because(error)
                })?;
                Ok((attributes, tag))
            }
            other => Err(unexpected(other)),
        }
    }
}

#[async_trait]
impl Mirror for HttpMirror {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        let (mut attributes, tag) = self.attributes(key).await?;
        let ours = attributes.remove(&attribute(key));
        // What is no string is somebody else's doing: it is no copy, and is replaced.
        let text = ours.and_then(|ours| serde_json::from_str(ours.get()).ok());
        Ok(Stored { text, tag })
    }

    /// Reads once more for the attributes of others; that they are the ones of the tag is checked here,
    /// and again by the provider.
    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        let (mut attributes, tag) = self.attributes(key).await?;
        if tag != *at {
            return Err(MirrorError::moved());
        }
        let body = to_raw_value(text).and_then(|ours| {
            attributes.insert(attribute(key), ours);
            serde_json::to_vec(&attributes)
        });
        let body = body.map_err(|error| {
            MirrorError::refused("the attributes do not serialise").because(error)
        })?;
        let precondition = match at.as_str() {
            NONE => Precondition::None,
            tag => Precondition::Match(tag),
        };
        let answer = self.wire.put(&key.subject, body, precondition).await?;
        match answer.status {
            done if done.is_success() => Ok(()),
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Err(MirrorError::moved()),
            other => Err(unexpected(other)),
        }
    }
}

fn strong(answer: &Answer) -> Result<Tag, MirrorError> {
    match answer.etag.as_deref() {
        None => Err(MirrorError::refused("it sends no ETag")),
        Some(tag) if tag.starts_with('"') => Ok(Tag::new(tag)),
        Some(_) => Err(MirrorError::refused(
            "its ETag is weak, which If-Match never matches (RFC 9110)",
        )),
    }
}

fn unexpected(status: StatusCode) -> MirrorError {
    let number = status.as_u16();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            MirrorError::refused(format!("{number}: it does not accept the token"))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            MirrorError::unavailable(format!("{number}: it is too busy"))
        }
        status if status.is_server_error() => {
            MirrorError::unavailable(format!("{number}: it has failed"))
        }
        status if status.is_redirection() => MirrorError::refused(format!(
            "{number}: redirects are not followed: give the URL that it redirects to"
        )),
        _ => MirrorError::refused(format!("{number}: it does not take that")),
    }
}

impl fmt::Debug for HttpMirror {
    /// Leaves the token out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMirror")
            .field("url", &self.wire.base())
            .finish_non_exhaustive()
    }
}
