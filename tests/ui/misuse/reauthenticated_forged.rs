//! A proof is said by the host in so many words: it does not come out of a request.
use onramp::vault::Reauthenticated;

fn misuse(body: &str) {
    let _: Reauthenticated = serde_json::from_str(body).unwrap();
}

fn main() {}
