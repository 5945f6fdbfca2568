//! What a mirror or a cache says is for showing.
use onramp::admission::Proof;
use onramp::tiers::Reading;

fn dashboard(_: Proof) {}

fn misuse(reading: Reading) {
    dashboard(reading)
}

fn main() {}
