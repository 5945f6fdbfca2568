//! A secret: it is not printed by accident.
use onramp::vault::Secret;

fn misuse(it: Secret) {
    println!("{:?}", it);
}

fn main() {}
