//! A secret: there is one of it, and it is overwritten when that is dropped.
use onramp::vault::Secret;

fn misuse(it: Secret) {
    let _: Secret = it.clone();
}

fn main() {}
