//! A proof is about one moment: nobody keeps a copy for the next request.
use onramp::admission::Proof;

fn misuse(proof: &Proof) -> Proof {
    proof.clone()
}

fn main() {}
