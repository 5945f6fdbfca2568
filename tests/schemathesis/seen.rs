//! What went out: looked at on its way, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::flow::CANARY;

/// Of each route, how often it answered with which status; and what has got out.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    routes: BTreeMap<String, BTreeMap<u16, u32>>,
    leaks: BTreeSet<String>,
}

pub(crate) async fn look(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    let route = format!("{} {}", request.method(), place(request.uri().path()));
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let said = format!("{:?} {}", parts.headers, String::from_utf8_lossy(&bytes));
    {
        let mut counted = seen.0.lock().unwrap();
        if said.contains(CANARY) {
            counted.leaks.insert(format!("{route}: {said}"));
        }
        let of_route = counted.routes.entry(route).or_default();
        *of_route.entry(parts.status.as_u16()).or_default() += 1;
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The path, as the document has it.
pub(crate) fn place(path: &str) -> String {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let segments = path
        .split('/')
        .map(|segment| match uuid::Uuid::try_parse(segment) {
            Ok(_) => "{onboarding}",
            Err(_) => segment,
        });
    segments.collect::<Vec<_>>().join("/")
}

impl Seen {
    /// What has got out that must not.
    pub(crate) fn leaks(&self) -> Vec<String> {
        self.0.lock().unwrap().leaks.iter().cloned().collect()
    }

    /// How often a route has answered with a status in between.
    pub(crate) fn answered(&self, route: &str, within: std::ops::Range<u16>) -> u32 {
        let counted = self.0.lock().unwrap();
        let of_route = counted.routes.get(route).into_iter().flatten();
        let mine = of_route.filter(|(status, _)| within.contains(status));
        mine.map(|(_, count)| count).sum()
    }

    pub(crate) fn print(&self, routes: &[String]) {
        for (route, statuses) in &self.0.lock().unwrap().routes {
            if !routes.contains(route) {
                continue;
            }
            let statuses = statuses.iter().map(|(status, n)| format!("{status} x{n}"));
            println!("{route}: {}", statuses.collect::<Vec<_>>().join(", "));
        }
    }
}
