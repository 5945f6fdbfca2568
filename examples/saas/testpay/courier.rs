//! The provider's courier: brings each message until the service has taken it, also after a restart.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::TcpStream;

use crate::accounts::now;
use crate::platform::{Platform, columns};

type Failed = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Delivery {
    id: i64,
    message: String,
    pub(crate) body: String,
    pub(crate) forged: bool,
    pub(crate) answer: Option<String>,
}

columns!(Delivery {
    id,
    message,
    body,
    forged,
    answer
});

impl Delivery {
    /// Enough of its identity to tell it from others.
    pub(crate) fn short(&self) -> &str {
        self.message.get(..12).unwrap_or(&self.message)
    }
}

/// The newest messages, for operators.
pub(crate) async fn deliveries(platform: &Platform) -> sqlx::Result<Vec<Delivery>> {
    let query =
        "SELECT id, message, body, forged, answer FROM deliveries ORDER BY id DESC LIMIT 20";
    sqlx::query_as(query).fetch_all(&platform.pool).await
}

/// Brings messages for as long as it is run.
pub(crate) async fn deliver(platform: Platform, to: SocketAddr, secret: String) {
    loop {
        if let Err(error) = round(&platform, to, &secret).await {
            eprintln!("testpay: {error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn round(platform: &Platform, to: SocketAddr, secret: &str) -> Result<(), Failed> {
    let query = "SELECT id, message, body, forged, answer FROM deliveries
                 WHERE answer IS NULL AND due <= $1 ORDER BY due, id LIMIT 20";
    let due: Vec<Delivery> = sqlx::query_as(query)
        .bind(now())
        .fetch_all(&platform.pool)
        .await?;
    for delivery in due {
        match send(&delivery, to, secret).await {
            // Ours to repeat, as the service asks; anything else is its last word.
            Ok(status) if !status.is_server_error() => {
                let query = sqlx::query("UPDATE deliveries SET answer = $1 WHERE id = $2");
                let query = query.bind(status.to_string()).bind(delivery.id);
                query.execute(&platform.pool).await?;
            }
            Ok(_) | Err(_) => {
                let query = sqlx::query("UPDATE deliveries SET due = $1 WHERE id = $2");
                let query = query.bind(now() + 1).bind(delivery.id);
                query.execute(&platform.pool).await?;
            }
        }
    }
    Ok(())
}

async fn send(delivery: &Delivery, to: SocketAddr, secret: &str) -> Result<StatusCode, Failed> {
    let seconds = now().to_string();
    let signature = match delivery.forged {
        true => STANDARD.encode([0; 32]),
        false => sign(secret, &delivery.message, &seconds, &delivery.body)?,
    };
    let request = Request::post("/webhooks/testpay")
        .header("host", to.to_string())
        .header("content-type", "application/json")
        .header("webhook-id", &delivery.message)
        .header("webhook-timestamp", &seconds)
        .header("webhook-signature", format!("v1,{signature}"))
        .body(Full::new(Bytes::from(delivery.body.clone())))?;
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response =
        tokio::time::timeout(Duration::from_secs(10), sender.send_request(request)).await;
    connection.abort();
    Ok(response??.status())
}

/// The scheme of Standard Webhooks: over identity, time and body.
fn sign(secret: &str, id: &str, seconds: &str, body: &str) -> Result<String, Failed> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    for part in [id, ".", seconds, ".", body] {
        mac.update(part.as_bytes());
    }
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}
