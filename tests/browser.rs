//! `examples/saas` as people use it: in a browser, with several tabs, at the wrong moment, through a power
//! cut. Needs Chromium and its driver (`sudo apt-get install chromium chromium-driver`); without them it
//! fails, because what is left out proves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

#[path = "browser/calm.rs"]
mod calm;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/http.rs"]
mod http;
#[path = "browser/looks.rs"]
mod looks;
#[path = "browser/mishaps.rs"]
mod mishaps;
#[path = "browser/no_way_around.rs"]
mod no_way_around;
#[path = "browser/server.rs"]
mod server;
#[path = "browser/way.rs"]
mod way;
#[path = "browser/whole_way.rs"]
mod whole_way;

/// So quick that nobody waits, and so slow that one can watch.
const BRISK: [&str; 2] = ["--pace", "150"];
const SLOW: [&str; 2] = ["--pace", "400"];
