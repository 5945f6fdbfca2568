//! The HTTP face, called as a router and, where it matters, over a socket.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod http {
    pub(crate) mod client;
    mod document;
    pub(crate) mod flow;
    mod insight;
    mod journey;
    mod live;
    mod log;
    mod operators;
    mod probes;
    mod repetition;
    mod safety;
    mod secrets;
    mod starts;
    mod webhooks;
    mod working;
}
