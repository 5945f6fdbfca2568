//! Requests and answers.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::id::SubjectId;
use crate::tiers::http::url::Base;
use crate::tiers::mirror::MirrorError;

/// Longer answers are refused.
const LONGEST: usize = 1024 * 1024;

/// The connections to a provider. They are kept open and shared.
pub(super) struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: Base,
    authorization: HeaderValue,
}

/// On what a write depends.
pub(super) enum Precondition<'a> {
    /// That the attributes are still those of this `ETag`.
    Match(&'a str),
    /// That there are none.
    None,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) etag: Option<String>,
    pub(super) body: Bytes,
}

impl Wire {
    /// `authorization` is marked as sensitive by the caller.
    pub(super) fn new(base: Base, authorization: HeaderValue) -> Option<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(provider)
            .ok()?
            // What may be plain was decided when the URL was checked.
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Some(Self {
            client,
            base,
            authorization,
        })
    }

    pub(super) fn base(&self) -> &str {
        self.base.as_str()
    }

    pub(super) async fn get(&self, subject: &SubjectId) -> Result<Answer, MirrorError> {
        self.send(Method::GET, subject, Vec::new(), None).await
    }

    pub(super) async fn put(
        &self,
        subject: &SubjectId,
        body: Vec<u8>,
        precondition: Precondition<'_>,
    ) -> Result<Answer, MirrorError> {
        self.send(Method::PUT, subject, body, Some(precondition))
            .await
    }

    async fn send(
        &self,
        method: Method,
        subject: &SubjectId,
        body: Vec<u8>,
        precondition: Option<Precondition<'_>>,
    ) -> Result<Answer, MirrorError> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.base.attributes(subject))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json");
        request = match precondition {
            Some(Precondition::Match(etag)) => request.header(IF_MATCH, etag),
            Some(Precondition::None) => request.header(IF_NONE_MATCH, "*"),
            None => request,
        };
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| {
                MirrorError::refused("the request cannot be written").because(error)
            })?;
        let answer =
            self.client.request(request).await.map_err(|error| {
                MirrorError::unavailable("it could not be reached").because(error)
            })?;
        let (head, body) = answer.into_parts();
        let etag = head.headers.get(ETAG);
        let etag = etag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = Limited::new(body, LONGEST)
            .collect()
            .await
            .map_err(|error| {
                let too_long = error.is::<http_body_util::LengthLimitError>();
                match too_long {
                    true => {
                        MirrorError::refused(format!("its answer is longer than {LONGEST} bytes"))
                    }
                    false => MirrorError::unavailable("its answer broke off").because(error),
                }
            })?;
        Ok(Answer {
            status: head.status,
            etag,
            body: body.to_bytes(),
        })
    }
}
