//! Rung 7, over HTTP. `cargo run --example 07_http`
//!
//! The router exists only with an `Authorizer`: the host says whose onboarding a request is about, and
//! nothing in the address does. This program serves itself on a free port, calls itself as a browser
//! would, and ends.

use std::net::SocketAddr;

use onramp::http::{Access, Api, Authorizer, Denied, Parts};
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Failure = Box<dyn std::error::Error>;

struct Welcome;
impl Flow for Welcome {
    const NAME: &'static str = "welcome";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Welcome> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        Invalid::check("/name", !self.name.is_empty(), "must not be empty")
    }
}

/// The host's sessions; here there is one.
struct Sessions;
impl Authorizer for Sessions {
    async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
        let token = request.headers.get("authorization");
        if token.ok_or(Denied::Unauthenticated)? != "Bearer session-of-ann" {
            return Err(Denied::Unauthenticated);
        }
        let tenant = TenantId::new("acme").map_err(Denied::unknown)?;
        let subject = SubjectId::new("ann").map_err(Denied::unknown)?;
        Ok(Access::of(tenant, subject))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let flow = Welcome::steps().ask::<Company>().build()?;
    let onramp = Onramp::new(MemoryStore::new(), flow);
    let api = Api::new(onramp).authorize(Sessions).into_router();
    let app = axum::Router::new().nest("/api", api);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let browser = Browser(listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let ann = "Authorization: Bearer session-of-ann\r\n";
    browser.call("GET", "onboarding", "", "").await?;
    browser.call("POST", "onboarding/start", ann, "").await?;
    let submit = "onboarding/steps/company/submit";
    browser.call("POST", submit, ann, r#"{"name": ""}"#).await?;
    browser
        .call("POST", submit, ann, r#"{"name": "Acme"}"#)
        .await?;
    browser.call("POST", "onboarding/complete", ann, "").await?;
    browser.call("GET", "onboarding", ann, "").await?;

    server.abort();
    Ok(())
}

/// A client in as few lines as possible; use a real one.
struct Browser(SocketAddr);

impl Browser {
    async fn call(&self, method: &str, path: &str, who: &str, body: &str) -> Result<(), Failure> {
        let kind = match body {
            "" => "",
            _ => "Content-Type: application/json\r\n",
        };
        let request = format!(
            "{method} /api/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{who}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len(),
        );
        let mut stream = TcpStream::connect(self.0).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        let (head, body) = response.split_once("\r\n\r\n").ok_or("no answer")?;
        let status = head.split(' ').nth(1).ok_or("no status")?;
        let said: Value = serde_json::from_str(body)?;
        println!("{method} {path}: {status}");
        for key in ["code", "errors", "stage", "next_action"] {
            if let Some(value) = said.get(key) {
                println!("    {key}: {value}");
            }
        }
        Ok(())
    }
}
