//! An identity provider on this machine, as the mirror's documentation describes it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "canary-7f3a9c";

/// How it misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mood {
    #[default]
    Good,
    Status(u16),
    NoEtag,
    WeakEtag,
    NoJson,
    Huge,
    Hangs,
    /// Somebody else changes an attribute after each read.
    Busy,
}

#[derive(Default)]
pub(crate) struct Provider {
    /// The attributes of each user, as text, and their version.
    pub(crate) users: Mutex<BTreeMap<String, (u64, String)>>,
    pub(crate) mood: Mutex<Mood>,
    pub(crate) paths: Mutex<Vec<String>>,
}

type Reply = Response<Full<Bytes>>;

impl Provider {
    pub(crate) async fn begin() -> (Arc<Self>, SocketAddr) {
        let provider = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&provider);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let provider = Arc::clone(&serving);
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let provider = Arc::clone(&provider);
                        async move { Ok::<_, Infallible>(provider.answer(request).await) }
                    });
                    let io = TokioIo::new(stream);
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(io, service).await;
                });
            }
        });
        (provider, address)
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn put(&self, user: &str, attributes: &str) {
        self.users
            .lock()
            .unwrap()
            .insert(user.to_owned(), (1, attributes.to_owned()));
    }

    pub(crate) fn text(&self, user: &str) -> String {
        self.users.lock().unwrap()[user].1.clone()
    }

    pub(crate) fn attributes(&self, user: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(user)).unwrap()
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        self.paths
            .lock()
            .unwrap()
            .push(request.uri().path().to_owned());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Status(status) => {
                let reply = Response::builder()
                    .status(status)
                    .header(LOCATION, "/elsewhere");
                return reply.body(Full::default()).unwrap();
            }
            Mood::Hangs => std::future::pending::<()>().await,
            _ => {}
        }
        let expected = format!("Bearer {TOKEN}");
        if request
            .headers()
            .get(AUTHORIZATION)
            .is_none_or(|it| *it != *expected)
        {
            return status(StatusCode::UNAUTHORIZED);
        }
        let path = request.uri().path().to_owned();
        let user = path
            .strip_prefix("/api/users/")
            .and_then(|rest| rest.strip_suffix("/attributes"));
        let Some(user) = user.map(str::to_owned) else {
            return status(StatusCode::NOT_FOUND);
        };
        match *request.method() {
            Method::GET => self.get(&user, mood),
            Method::PUT => self.change(&user, request).await,
            _ => status(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn get(&self, user: &str, mood: Mood) -> Reply {
        let mut users = self.users.lock().unwrap();
        let Some((version, attributes)) = users.get_mut(user) else {
            return status(StatusCode::NOT_FOUND);
        };
        let etag = match mood {
            Mood::NoEtag => None,
            Mood::WeakEtag => Some(format!("W/\"v{version}\"")),
            _ => Some(format!("\"v{version}\"")),
        };
        let body = match mood {
            Mood::NoJson => "<html>".to_owned(),
            Mood::Huge => format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024)),
            _ => attributes.clone(),
        };
        if mood == Mood::Busy {
            *version += 1;
            let mut all: serde_json::Value = serde_json::from_str(attributes).unwrap();
            all["visits"] = (*version).into();
            *attributes = all.to_string();
        }
        let reply = Response::builder();
        let reply = match etag {
            Some(etag) => reply.header(ETAG, etag),
            None => reply,
        };
        reply.body(Full::from(body)).unwrap()
    }

    async fn change(&self, user: &str, request: Request<Incoming>) -> Reply {
        let headers = request.headers().clone();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let attributes = String::from_utf8(body.to_vec()).unwrap();
        let mut users = self.users.lock().unwrap();
        let holds = match (
            users.get(user),
            headers.get(IF_MATCH),
            headers.get(IF_NONE_MATCH),
        ) {
            (None, None, Some(any)) => any == "*",
            (Some((version, _)), Some(tag), None) => *tag == *format!("\"v{version}\""),
            _ => false,
        };
        if !holds {
            return status(StatusCode::PRECONDITION_FAILED);
        }
        let version = users.get(user).map_or(0, |(version, _)| *version) + 1;
        users.insert(user.to_owned(), (version, attributes));
        status(StatusCode::NO_CONTENT)
    }
}

fn status(status: StatusCode) -> Reply {
    Response::builder()
        .status(status)
        .body(Full::default())
        .unwrap()
}
