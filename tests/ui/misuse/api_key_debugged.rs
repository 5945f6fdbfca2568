//! A generated key is as secret as any other.
use onramp::vault::ApiKey;

fn misuse(it: ApiKey) {
    println!("{:?}", it);
}

fn main() {}
