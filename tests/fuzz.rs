//! Nothing that comes from outside makes it panic: what is stored, sent, typed in, imported or locked is
//! read as what it is, or refused with an error that says so.
//!
//! Every target mutates what is valid, from a seed. In the suite it takes a few seconds and the same cases
//! each time; longer, with other cases each time, and one case again:
//!
//! ```text
//!   ONRAMP_FUZZ_SECONDS=600 cargo test --test fuzz
//!   ONRAMP_FUZZ_CASE=1234 cargo test --test fuzz NAME_OF_THE_TEST
//! ```

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

#[path = "http/client.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod client;
#[path = "http/flow.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod host;

mod fuzz {
    pub(crate) mod dice;
    pub(crate) mod mutate;

    mod copies;
    mod flows;
    mod http;
    mod secrets;
    mod sources;
    mod stored;
    mod webhooks;
    mod words;
    mod workers;
}
