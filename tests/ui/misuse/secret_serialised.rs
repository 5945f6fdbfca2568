//! A secret is sealed, not serialised.
use onramp::vault::Secret;

fn misuse(it: Secret) {
    let _ = serde_json::to_string(&it);
}

fn main() {}
