//! Progress over a socket, cut and gone on with; and by polling.

use std::time::Duration;

use onramp::http::Live;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::flow::{Host, Sessions, api};

const WHO: &str = "acme/ann";

/// An event as it came.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) data: Value,
}

/// A connection that reads events.
pub(super) struct Reader {
    socket: TcpStream,
    text: String,
}

impl Reader {
    pub(super) async fn open(address: &str, last: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let last = last
            .map(|id| format!("Last-Event-ID: {id}\r\n"))
            .unwrap_or_default();
        let request =
            format!("GET /api/onboarding/events HTTP/1.1\r\nHost: x\r\nx-who: {WHO}\r\n{last}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        Self {
            socket,
            text: String::new(),
        }
    }

    /// Reads until the text has this; the end of the connection otherwise.
    pub(super) async fn until(&mut self, wanted: impl Fn(&str) -> bool) -> &str {
        let mut buffer = [0; 4096];
        while !wanted(&self.text) {
            let read = self.socket.read(&mut buffer);
            let read = tokio::time::timeout(Duration::from_secs(10), read).await;
            let read = read.unwrap().unwrap();
            if read == 0 {
                break;
            }
            self.text
                .push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        &self.text
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let field = |block: &str, name: &str| {
            let start = format!("{name}: ");
            let mut lines = block.lines().filter_map(|line| line.strip_prefix(&start));
            lines.next().unwrap_or_default().to_owned()
        };
        let blocks = self
            .text
            .split("\n\n")
            .filter(|block| block.contains("event: "));
        blocks
            .map(|block| Event {
                id: field(block, "id"),
                name: field(block, "event"),
                data: serde_json::from_str(&field(block, "data")).unwrap_or_default(),
            })
            .collect()
    }
}

async fn served(host: &Host, live: Live) -> String {
    let router = api(host.onramp.clone())
        .authorize(Sessions)
        .live(live)
        .into_router();
    serve(axum::Router::new().nest("/api", router)).await
}

/// Serves an app; gives its address.
pub(super) async fn serve(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

#[tokio::test]
async fn after_a_cut_it_goes_on_where_it_was_and_ends_with_the_end() {
    let host = Host::new();
    host.started(WHO).await;
    let address = served(&host, Live::default()).await;
    let mut reader = Reader::open(&address, None).await;
    reader.until(|text| text.contains("id: 1\n")).await;
    assert!(reader.text.contains("text/event-stream"), "{}", reader.text);
    assert!(reader.text.contains("private, no-store"));
    assert_eq!(ids(&reader.events()), ["1"]);
    drop(reader); // the cut

    let company = json!({"name": "Acme", "employees": 7});
    host.client
        .give("/onboarding/steps/company/submit", WHO, company)
        .await;
    let mut reader = Reader::open(&address, Some("1")).await;
    reader.until(|text| text.contains("id: 2\n")).await;
    // What happens while it is watched comes at once.
    host.pay("acme", "ann").await;
    host.client
        .post("/onboarding/steps/branding/skip", WHO)
        .await;
    host.client.post("/onboarding/complete", WHO).await;
    reader.until(|text| text.contains("\r\n0\r\n\r\n")).await;
    let events = reader.events();
    assert_eq!(
        ids(&events),
        ["2", "3", "4", "5", "5-end"],
        "in order, without gaps"
    );
    assert_eq!(
        events[0].data["events"][0],
        json!({"event": "answer_submitted", "step": "company"})
    );
    let end = events.last().unwrap();
    assert_eq!(
        (end.name.as_str(), &end.data["stage"]),
        ("end", &json!("completed"))
    );

    // Whoever was cut before the end hears it; whoever has heard it is sent away for good.
    let mut reader = Reader::open(&address, Some("5")).await;
    reader.until(|text| text.contains("5-end")).await;
    let mut reader = Reader::open(&address, Some("5-end")).await;
    let told = reader.until(|text| text.contains("\r\n\r\n")).await;
    assert!(told.starts_with("HTTP/1.1 204"), "{told}");
}

#[tokio::test]
async fn while_nothing_happens_it_says_that_it_is_there() {
    let host = Host::new();
    host.started(WHO).await;
    let live = Live::default().heartbeat(Duration::from_millis(50));
    let address = served(&host, live).await;
    let mut reader = Reader::open(&address, Some("1")).await;
    let beats = |text: &str| text.matches(": still here\n\n").count();
    reader.until(|text| beats(text) >= 3).await;
    assert!(beats(&reader.text) >= 3 && reader.events().is_empty());
}

#[tokio::test]
async fn a_connection_does_not_outlast_its_authorization_for_long() {
    let host = Host::new();
    host.started(WHO).await;
    let live = Live::default().longest(Duration::from_millis(200));
    let address = served(&host, live).await;
    let mut reader = Reader::open(&address, None).await;
    let told = reader.until(|text| text.contains("\r\n0\r\n\r\n")).await;
    assert!(
        told.contains("\r\n0\r\n\r\n") && !told.contains("event: end"),
        "{told}"
    );
}

#[tokio::test]
async fn an_identity_that_was_never_sent_is_refused() {
    let host = Host::new();
    host.started(WHO).await;
    for id in ["x", "-1", "99", "1-end-end", ""] {
        let headers = [("x-who", WHO), ("last-event-id", id)];
        let said = host
            .client
            .call("GET", "/onboarding/events", &headers, None)
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (400, "bad_header"),
            "{id:?}"
        );
    }
}

#[tokio::test]
async fn polling_tells_the_same() {
    let host = Host::new();
    host.completed("acme", "ann").await;
    let mut after = 0;
    let mut revisions = Vec::new();
    loop {
        let path = format!("/onboarding/progress?after={after}&limit=2");
        let said = host.client.get(&path, WHO).await.json();
        let changes = said["changes"].as_array().unwrap();
        assert!(changes.len() <= 2);
        revisions.extend(
            changes
                .iter()
                .map(|change| change["revision"].as_u64().unwrap()),
        );
        after = said["next"].as_u64().unwrap();
        if said["over"] == json!(true) {
            break;
        }
    }
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
    let bad = host.client.get("/onboarding/progress?after=x", WHO).await;
    assert_eq!(bad.code(), "bad_parameter");
}
