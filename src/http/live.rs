//! Progress as server-sent events: what was missed, then what happens, then that it is over.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use futures_core::Stream;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::flow::Flow;
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::Working;
use crate::http::problem::Problem;
use crate::http::progress::Change;
use crate::http::reply;
use crate::id::{Key, OnboardingId, Revision};
use crate::store::Watch;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What the identity of the last event ends with: whoever has heard that one has heard everything.
const END: &str = "-end";

/// How live progress is told.
///
/// ```
/// use std::time::Duration;
/// use onramp::http::Live;
/// let live = Live::default()
///     .heartbeat(Duration::from_secs(10))
///     .looks(Duration::from_secs(1))
///     .longest(Duration::from_secs(5 * 60));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Live {
    heartbeat: Duration,
    looks: Duration,
    longest: Duration,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            looks: Duration::from_secs(2),
            longest: Duration::from_secs(10 * 60),
        }
    }
}

impl Live {
    /// How long nothing is sent at most, so that nobody takes the connection for dead: 15 seconds unless
    /// told.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every.max(Duration::from_millis(10));
        self
    }

    /// How often it is looked how far the task under way is: every two seconds unless told.
    #[must_use]
    pub fn looks(mut self, every: Duration) -> Self {
        self.looks = every.max(Duration::from_millis(10));
        self
    }

    /// How long a connection lasts at most: then the browser connects again, goes on where it was, and
    /// is asked again who it is. Ten minutes unless told.
    #[must_use]
    pub fn longest(mut self, at_most: Duration) -> Self {
        self.longest = at_most;
        self
    }
}

pub(super) async fn events<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let (after, ended) = last_event(&call.parts.headers)?;
    let row = call.api.find(&call.key()).await?;
    let (id, revision) = (row.state.id(), row.state.revision());
    if ended && after == revision {
        // It has heard everything. This, and nothing else, keeps a browser from connecting again.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    if after > revision {
        return Err(Problem::new(Code::BadHeader).with("header", LAST_EVENT_ID));
    }
    let now = Instant::now();
    let live = call.api.live;
    let feed = Feed {
        watch: call.api.onramp.watch(&row.state.key().tenant, id, after),
        key: call.key(),
        api: call.api,
        id,
        live,
        heard: after,
        working: None,
        ready: VecDeque::from(["retry: 1000\n\n".to_owned()]),
        beat: now + live.heartbeat,
        look: now,
        until: now + live.longest,
        over: false,
    };
    let body = Body::from_stream(Frames::of(feed));
    Ok(reply::typed(StatusCode::OK, "text/event-stream", body))
}

/// What was heard last, and whether that was the end.
fn last_event(headers: &HeaderMap) -> Result<(Revision, bool), Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok((Revision::new(0), false));
    };
    let text = value.to_str().ok();
    let (number, ended) = match text.map(|text| (text, text.strip_suffix(END))) {
        Some((_, Some(number))) => (Some(number), true),
        Some((number, None)) => (Some(number), false),
        None => (None, false),
    };
    let number = number.filter(|number| {
        (1..=18).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
    });
    let number = number.and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| Problem::new(Code::BadHeader).with("header", LAST_EVENT_ID));
    Ok((Revision::new(number?), ended))
}

struct Feed<F> {
    api: std::sync::Arc<crate::http::api::Shared<F>>,
    key: Key,
    id: OnboardingId,
    watch: Watch,
    live: Live,
    heard: Revision,
    working: Option<Working>,
    ready: VecDeque<String>,
    beat: Instant,
    look: Instant,
    until: Instant,
    over: bool,
}

impl<F: Flow> Feed<F> {
    /// What is sent next; none when that was all.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                self.beat = Instant::now() + self.live.heartbeat;
                return Some(ready);
            }
            if self.over || Instant::now() >= self.until {
                return None;
            }
            tokio::select! {
                biased;
                told = self.watch.next() => match told {
                    Some(Ok(progress)) => {
                        self.heard = progress.revision;
                        let change = Change::of(progress);
                        let id = self.heard.to_string();
                        self.ready.extend(frame(Some(&id), "progress", &change));
                    }
                    // The store is away for now: the browser shows what it has.
                    Some(Err(error)) => tracing::warn!(cause = %error, "progress cannot be read"),
                    None => self.end().await,
                },
                () = sleep_until(self.look) => self.look().await,
                () = sleep_until(self.beat.min(self.until)) => {
                    self.ready.push_back(": still here\n\n".to_owned());
                }
            }
        }
    }

    async fn end(&mut self) {
        self.over = true;
        if let Ok(row) = self.api.find(&self.key).await {
            let status = self.api.status(&row.state);
            let id = format!("{}{END}", self.heard);
            self.ready.extend(frame(Some(&id), "end", &status));
        }
    }

    async fn look(&mut self) {
        self.look = Instant::now() + self.live.looks;
        let said = self.api.onramp.progress(&self.key.tenant, self.id).await;
        let working = said.ok().flatten().map(Working::from);
        if working != self.working {
            if let Some(working) = &working {
                self.ready.extend(frame(None, "working", working));
            }
            self.working = working;
        }
    }
}

/// JSON has no line breaks of its own, so one line of data is enough.
fn frame(id: Option<&str>, event: &str, data: &impl Serialize) -> Option<String> {
    let data = serde_json::to_string(data).ok()?;
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Some(format!("{id}event: {event}\ndata: {data}\n\n"))
}

type Waiting<F> = Pin<Box<dyn Future<Output = (Box<Feed<F>>, Option<String>)> + Send>>;

/// The feed as a stream.
struct Frames<F>(Option<Waiting<F>>);

impl<F: Flow> Frames<F> {
    fn of(feed: Feed<F>) -> Self {
        Self(Some(Self::ask(Box::new(feed))))
    }

    fn ask(mut feed: Box<Feed<F>>) -> Waiting<F> {
        Box::pin(async move {
            let next = feed.next().await;
            (feed, next)
        })
    }
}

impl<F: Flow> Stream for Frames<F> {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(waiting) = &mut self.0 else {
            return Poll::Ready(None);
        };
        match waiting.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready((_, None)) => {
                self.0 = None;
                Poll::Ready(None)
            }
            Poll::Ready((feed, Some(frame))) => {
                self.0 = Some(Self::ask(feed));
                Poll::Ready(Some(Ok(Bytes::from(frame))))
            }
        }
    }
}
