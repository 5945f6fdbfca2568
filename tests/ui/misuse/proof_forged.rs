//! A status can be written by anybody; a proof comes from the store alone.
use onramp::admission::Proof;
use onramp::status::Status;

fn misuse(status: Status) -> Proof {
    Proof {
        onboarding: status.onboarding,
        revision: status.revision,
    }
}

fn main() {}
