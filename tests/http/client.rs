//! Requests to a router without a server.

use std::fmt;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt;

#[derive(Clone)]
pub(crate) struct Client(pub(crate) Router);

/// What came back.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"]
            .as_str()
            .unwrap_or("no problem")
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Everything that came, as text.
    pub(crate) fn all(&self) -> String {
        format!(
            "{:?} {}",
            self.headers,
            String::from_utf8_lossy(&self.bytes)
        )
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.all())
    }
}

impl Client {
    pub(crate) fn of(router: Router) -> Self {
        Self(router)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Said {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Said {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    /// With headers, and a body if there is any.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Said {
        let mut request = Request::builder().method(method).uri(format!("/api{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(str::to_owned).unwrap_or_default();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, who: &str) -> Said {
        self.call("GET", path, &[("x-who", who)], None).await
    }

    pub(crate) async fn post(&self, path: &str, who: &str) -> Said {
        self.call("POST", path, &[("x-who", who)], None).await
    }

    pub(crate) async fn give(&self, path: &str, who: &str, body: Value) -> Said {
        let body = body.to_string();
        self.call("POST", path, &[("x-who", who)], Some(&body))
            .await
    }

    /// As an operator.
    pub(crate) async fn staff(&self, method: &str, path: &str, who: &str, body: Value) -> Said {
        let text = body.to_string();
        let body = (!body.is_null()).then_some(text.as_str());
        self.call(method, path, &[("x-staff", who)], body).await
    }
}
