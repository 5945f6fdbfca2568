//! What was sent proves nothing.
use onramp::admission::Proof;

fn misuse(text: &str) -> Proof {
    serde_json::from_str(text).unwrap()
}

fn main() {}
