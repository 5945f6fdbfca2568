//! A token goes where it is sent by name, never along with something else.
use onramp::vault::RevealToken;

fn misuse(it: RevealToken) {
    let _ = serde_json::to_string(&it);
}

fn main() {}
