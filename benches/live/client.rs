//! Browsers: those that watch, and those that look.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use onramp::{OnboardingId, Revision};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::tally::Tally;

/// How many onboardings have begun: the reads go round among the newest of them.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// A connection that is kept.
struct Connection(SendRequest<Body>);

impl Connection {
    async fn open(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn ask(&mut self, method: Method, path: &str, who: &str) -> hyper::Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/onboarding{path}"))
            .header("host", "localhost")
            .header("x-who", who);
        let request = request.body(Body::empty()).unwrap();
        self.0.ready().await.unwrap();
        self.0.send_request(request).await.unwrap()
    }

    async fn json(&mut self, method: Method, path: &str, who: &str, status: u16) -> Value {
        let response = self.ask(method, path, who).await;
        assert_eq!(response.status().as_u16(), status, "{path} of {who}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// Begins onboardings and watches each to its end, one after the other.
pub(crate) async fn watch(to: SocketAddr, tally: &Tally, over: &AtomicBool) {
    let mut connection = Connection::open(to).await;
    while !over.load(Relaxed) {
        let who = format!("subject-{}", BEGUN.fetch_add(1, Relaxed));
        let begun = connection.json(Method::POST, "/start", &who, 202).await;
        let id = begun["onboarding"].as_str().unwrap().parse().unwrap();
        let id = OnboardingId::from_uuid(id);
        let events = connection.ask(Method::GET, "/events", &who).await;
        assert_eq!(events.status(), 200);
        to_the_end(events.into_body(), id, tally).await;
        tally.completed();
    }
}

/// Reads one onboarding's events: all of them, in order.
async fn to_the_end(mut body: Incoming, id: OnboardingId, tally: &Tally) {
    let (mut text, mut heard, mut ended) = (String::new(), 0, false);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.unwrap().into_data() else {
            continue;
        };
        text.push_str(std::str::from_utf8(&data).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let mut lines = event.lines();
            let told = lines.find_map(|line| line.strip_prefix("id: "));
            match told.map(|told| told.strip_suffix("-end").ok_or(told)) {
                Some(Err(revision)) => {
                    let revision: u64 = revision.parse().unwrap();
                    assert_eq!(revision, heard + 1, "without gaps, in order");
                    heard = revision;
                    tally.heard(id, Revision::new(revision));
                }
                Some(Ok(_)) => ended = event.contains(r#""stage":"completed""#),
                None => {}
            }
            text = rest.to_owned();
        }
    }
    assert!(ended, "the stream of {id} broke off after {heard}");
}

/// Looks at one after the other, at its times.
pub(crate) async fn read(
    to: SocketAddr,
    number: usize,
    clients: usize,
    times: Range<Instant>,
    every: Duration,
    tally: &Tally,
) {
    let mut connection = Connection::open(to).await;
    let (mut at, mut round) = (times.start, number);
    while at < times.end {
        sleep_until(at).await;
        // One of those that are watched, or were until a moment ago; the newest may not be there yet.
        let begun = BEGUN.load(Relaxed).saturating_sub(clients);
        let who = format!("subject-{}", begun + round * 37 % clients.div_ceil(2));
        let status = connection.json(Method::GET, "", &who, 200).await;
        assert_eq!(status["subject"].as_str(), Some(who.as_str()));
        tally.read(at.elapsed());
        (at, round) = (at + every, round + 1);
    }
}
