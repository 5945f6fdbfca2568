//! The token that shows a secret once: in a person's hands, and as it is stored.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::vault::cipher::parts;
use crate::vault::keys::DataKey;
use crate::vault::random::{self, NoRandomness};

const PREFIX: &str = "rvl_";
const SELECTOR_BYTES: usize = 16;
const VERIFIER_BYTES: usize = 32;

/// A token that shows a secret once. Sent in the body of a POST, never in a URL.
///
/// A selector (128 bits, says which offer it is for) and a verifier (256 bits, says that it is the
/// one), both from the system's random generator. As secret as a [`Secret`](super::Secret).
///
/// ```
/// use onramp::vault::{NoToken, RevealToken};
/// assert_eq!(RevealToken::parse("rvl_short").err(), Some(NoToken));
/// # fn hand_out(token: &RevealToken) -> Option<RevealToken> {
/// let sent: &str = token.expose(); // to the browser, and back
/// RevealToken::parse(sent).ok()
/// # }
/// ```
pub struct RevealToken {
    text: Zeroizing<String>,
    selector: [u8; SELECTOR_BYTES],
    verifier: Zeroizing<[u8; VERIFIER_BYTES]>,
}

/// A text is no token. Says nothing of it.
///
/// ```
/// use onramp::vault::NoToken;
/// assert!(NoToken.to_string().contains("copy the whole of it"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no reveal token: it is `rvl_` and 64 letters, digits, - and _; copy the whole of it")]
pub struct NoToken;

impl RevealToken {
    pub(super) fn fresh() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; SELECTOR_BYTES + VERIFIER_BYTES]);
        random::fill(&mut *bytes)?;
        let mut encoded = Zeroizing::new([0; 64]);
        // Not reachable: 48 bytes are 64 characters.
        let encoded =
            Base64UrlUnpadded::encode(&*bytes, &mut *encoded).map_err(|_| NoRandomness)?;
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + encoded.len()));
        text.push_str(PREFIX);
        text.push_str(encoded);
        Self::parse(&text).map_err(|_| NoRandomness)
    }

    /// The token that a text is. Whether it shows anything is another matter.
    ///
    /// # Errors
    /// [`NoToken`].
    pub fn parse(text: &str) -> Result<Self, NoToken> {
        let mut bytes = Zeroizing::new([0; SELECTOR_BYTES + VERIFIER_BYTES]);
        let encoded = text.strip_prefix(PREFIX).ok_or(NoToken)?;
        if encoded.len() != 64 {
            return Err(NoToken);
        }
        Base64UrlUnpadded::decode(encoded, &mut *bytes).map_err(|_| NoToken)?;
        let mut selector = [0; SELECTOR_BYTES];
        let mut verifier = Zeroizing::new([0; VERIFIER_BYTES]);
        selector.copy_from_slice(&bytes[..SELECTOR_BYTES]);
        verifier.copy_from_slice(&bytes[SELECTOR_BYTES..]);
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            selector,
            verifier,
        })
    }

    /// The token. Whoever asks for it answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// A token as it is stored: what finds it, and what proves it, which nobody can make without the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredToken {
    selector: String,
    proof: String,
}

impl StoredToken {
    /// `bound` is what the token is for; with anything else it does not hold.
    pub(super) fn of(token: &RevealToken, key: &DataKey, bound: &[u8]) -> Self {
        Self {
            selector: Base64UrlUnpadded::encode_string(&token.selector),
            proof: Base64UrlUnpadded::encode_string(&proof(token, key, bound)),
        }
    }

    /// Whether the token is of this offer, or of another one.
    pub(super) fn is_meant(&self, token: &RevealToken) -> bool {
        let mine = Base64UrlUnpadded::encode_string(&token.selector);
        mine.as_bytes().ct_eq(self.selector.as_bytes()).into()
    }

    /// Whether it is the token. Takes as long wherever they differ.
    pub(super) fn is_of(&self, token: &RevealToken, key: &DataKey, bound: &[u8]) -> bool {
        let mine = Base64UrlUnpadded::encode_string(&proof(token, key, bound));
        let same = mine.as_bytes().ct_eq(self.proof.as_bytes());
        (same & subtle::Choice::from(u8::from(self.is_meant(token)))).into()
    }
}

fn proof(token: &RevealToken, key: &DataKey, bound: &[u8]) -> [u8; 32] {
    // The data key encrypts; what authenticates is derived from it, so that neither helps the other.
    let derived = Zeroizing::new(mac(key.expose(), &[b"onramp.reveal.key.1"]));
    mac(
        &derived,
        &[
            b"onramp.reveal.1",
            bound,
            &token.selector,
            token.verifier.as_slice(),
        ],
    )
}

fn mac(key: &[u8; 32], over: &[&[u8]]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    // HMAC pads a key to its block with zeros anyway (RFC 2104); a whole block cannot be refused.
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(&Zeroizing::new(parts(over)));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::from_bytes(vec![byte; 32]).unwrap()
    }

    #[test]
    fn a_token_reads_back_and_holds_for_its_offer_alone() {
        let token = RevealToken::fresh().unwrap();
        let read = RevealToken::parse(token.expose()).unwrap();
        let stored = StoredToken::of(&token, &key(7), b"offer");
        assert!(stored.is_of(&read, &key(7), b"offer"));
        assert!(!stored.is_of(&read, &key(8), b"offer"));
        assert!(!stored.is_of(&read, &key(7), b"offes"));
        let written = serde_json::to_string(&stored).unwrap();
        assert!(!written.contains(&token.expose()[30..]), "the verifier");
    }

    #[test]
    fn any_changed_character_is_another_token() {
        let token = RevealToken::fresh().unwrap();
        let stored = StoredToken::of(&token, &key(7), b"offer");
        for at in PREFIX.len()..token.expose().len() {
            let mut changed = token.expose().to_owned();
            let other = if &changed[at..=at] == "A" { "B" } else { "A" };
            changed.replace_range(at..=at, other);
            let changed = RevealToken::parse(&changed).unwrap();
            assert!(!stored.is_of(&changed, &key(7), b"offer"), "at {at}");
            // 16 bytes are 21 characters and a bit of the next.
            let verifier = at >= PREFIX.len() + 22;
            assert!(!verifier || stored.is_meant(&changed), "at {at}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = RevealToken::fresh().unwrap();
        let text = token.expose();
        for bad in [
            "",
            "rvl_",
            &text[1..],
            &text[..67],
            &format!("{text}A"),
            &text.replace("rvl_", "rvl-"),
        ] {
            assert_eq!(RevealToken::parse(bad).err(), Some(NoToken));
        }
        assert_eq!(
            RevealToken::parse(&format!("rvl_{}", "é".repeat(32))).err(),
            Some(NoToken)
        );
    }
}
