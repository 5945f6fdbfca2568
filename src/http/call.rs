//! One request that somebody was let in with.

use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use futures_core::Stream;

use crate::flow::{Flow, MAX_FACT_DEPTH, Unstorable, check_json};
use crate::http::api::Shared;
use crate::http::authorize::{Access, Asks, Operator};
use crate::http::catalogue::Code;
use crate::http::problem::Problem;
use crate::id::{FlowName, Key};

/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most that is listed at once.
pub(super) const MAX_PAGE: u64 = 100;

/// A request of `W`: a subject, or an operator.
pub(super) struct Call<F, W> {
    pub(super) api: Arc<Shared<F>>,
    pub(super) who: W,
    pub(super) parts: Parts,
    /// Locked by nobody: a body alone may not be looked at from two threads.
    body: Mutex<Body>,
}

/// Whoever can be let in.
pub(super) trait Caller: Sized + Send {
    fn door<F>(api: &Shared<F>) -> Option<&dyn Asks<Self>>;
}

impl Caller for Access {
    fn door<F>(api: &Shared<F>) -> Option<&dyn Asks<Self>> {
        Some(&*api.authorizer)
    }
}

impl Caller for Operator {
    fn door<F>(api: &Shared<F>) -> Option<&dyn Asks<Self>> {
        api.operators.as_deref()
    }
}

/// Nothing of a request is looked at before it is known whose it is.
impl<F: Flow, W: Caller> FromRequest<Arc<Shared<F>>> for Call<F, W> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Shared<F>>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let api = Arc::clone(api);
        let door = W::door(&api).ok_or(Code::NotFound)?;
        let who = door.ask(&parts).await?;
        Ok(Self {
            api,
            who,
            parts,
            body: Mutex::new(body),
        })
    }
}

impl<F: Flow> Call<F, Access> {
    /// What the subject's onboarding is found by.
    pub(super) fn key(&self) -> Key {
        Key {
            tenant: self.who.tenant.clone(),
            flow: FlowName::from_static(F::NAME),
            subject: self.who.subject.clone(),
        }
    }
}

impl<F: Flow, W> Call<F, W> {
    /// What stands in the address where the route has a place.
    pub(super) async fn place(&mut self) -> Result<String, Problem> {
        let place = Path::<String>::from_request_parts(&mut self.parts, &()).await;
        let Path(place) = place.map_err(|_| Code::NotFound)?;
        Ok(place)
    }

    /// A parameter of the address, if it is there.
    pub(super) fn parameter<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        let query = self.parts.uri.query().unwrap_or_default();
        let pairs = query.split('&');
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut values = pairs.filter(|(key, _)| *key == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        // Of two it is not known which one is meant.
        let once = values.next().is_none();
        let value = unescaped(value).filter(|_| once);
        let value = value.and_then(|text| text.parse().ok());
        value.map(Some).ok_or_else(|| bad(name))
    }

    /// A number in the address, if it is there.
    pub(super) fn number(
        &self,
        name: &'static str,
        within: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let number: Option<u64> = self.parameter(name)?;
        match number.is_none_or(|number| within.contains(&number)) {
            true => Ok(number),
            false => Err(bad(name)),
        }
    }

    /// How many are listed: a page unless told, and never more.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.number("limit", 1..=MAX_PAGE)?.unwrap_or(MAX_PAGE);
        Ok(usize::try_from(limit).unwrap_or(1))
    }

    /// The body: JSON that could be stored, as far as it can be told without knowing what it is.
    pub(super) async fn json(&mut self) -> Result<String, Problem> {
        let kind = self.parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Code::NotJson.into());
        }
        let text = String::from_utf8(self.bytes().await?);
        let text = text.map_err(|error| {
            let before = error.utf8_error().valid_up_to();
            malformed(1, before)
        })?;
        match check_json(&text) {
            Ok(()) => Ok(text),
            Err(Unstorable::TooDeep { .. }) => {
                Err(Problem::new(Code::TooDeep).with("limit", MAX_FACT_DEPTH))
            }
            Err(Unstorable::TooLarge { .. }) => Err(too_large()),
            Err(Unstorable::Nul | Unstorable::HalfCharacter) => Err(Code::Unstorable.into()),
        }
    }

    async fn bytes(&mut self) -> Result<Vec<u8>, Problem> {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let body = std::mem::replace(body, Body::empty());
        let mut body = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            let piece = piece.map_err(|error| Problem::new(Code::BodyUnreadable).because(error))?;
            if bytes.len() + piece.len() > MAX_BODY {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

fn bad(parameter: &'static str) -> Problem {
    Problem::new(Code::BadParameter).with("parameter", parameter)
}

fn too_large() -> Problem {
    Problem::new(Code::TooLarge).with("limit", MAX_BODY)
}

pub(super) fn malformed(line: usize, column: usize) -> Problem {
    Problem::new(Code::MalformedJson)
        .with("line", line)
        .with("column", column)
}

/// Text without the escapes of an address.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after.get(2..)?;
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_are_read_or_refused() {
        assert_eq!(unescaped("a%20b+c%C3%A9").as_deref(), Some("a b cé"));
        for bad in ["%", "%2", "%zz", "%ff", "%+1%"] {
            assert_eq!(unescaped(bad), None, "{bad}");
        }
    }
}
