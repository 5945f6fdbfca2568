//! Webhooks: nothing is believed but what was signed, to the byte.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use onramp::http::webhook::Verifier;
use onramp::{Clock as _, SystemClock};
use sha2::Sha256;

use super::dice::{Dice, Hunt};
use super::mutate;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"invoice": "inv-1"}"#;
const NAMES: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

fn signed() -> [String; 3] {
    let secret = STANDARD.decode(&SECRET[6..]).unwrap();
    let at = SystemClock.now().timestamp().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("m-1.{at}.").as_bytes());
    mac.update(BODY);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    ["m-1".to_owned(), at, format!("v1,{signature}")]
}

#[test]
fn only_what_was_signed_is_genuine() {
    let hunt = Hunt::named("only_what_was_signed_is_genuine");
    let verifier = Verifier::new(SECRET).unwrap();
    let good = signed();
    hunt.run(async |dice: &mut Dice| {
        let (mut values, mut body) = (good.clone(), BODY.to_vec());
        match dice.below(4) {
            3 => body = mutate::bytes(dice, BODY),
            which => values[which] = mutate::text(dice, &good[which]),
        }
        let mut headers = HeaderMap::new();
        for (name, value) in NAMES.into_iter().zip(&values) {
            let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
                return;
            };
            headers.append(HeaderName::from_static(name), value);
        }
        let said = (values[0].as_str(), values[1].as_str(), body.as_slice());
        let as_signed = said == (good[0].as_str(), good[1].as_str(), BODY);
        match verifier.verify(&headers, &body) {
            Ok(genuine) => assert!(as_signed, "{genuine:?} was never signed: {headers:?}"),
            Err(forged) => assert!(!forged.to_string().is_empty()),
        }
        let _ = Verifier::new(&mutate::text(dice, SECRET));
    });
}
