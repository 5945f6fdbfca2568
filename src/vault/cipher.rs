//! The one cipher, XChaCha20-Poly1305, and how associated data is written down.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::vault::keys::KEY_BYTES;
use crate::vault::random::{self, NoRandomness};

pub(super) const NONCE_BYTES: usize = 24;

/// What the tag adds to the length of a text.
pub(super) const TAG_BYTES: usize = 16;

pub(super) type Nonce = [u8; NONCE_BYTES];

/// The nonce is drawn at random: 192 bits are too many for two to meet.
pub(super) fn encrypt(
    key: &[u8; KEY_BYTES],
    bound: &[u8],
    plain: &[u8],
) -> Result<(Nonce, Vec<u8>), NoRandomness> {
    let mut nonce = [0; NONCE_BYTES];
    random::fill(&mut nonce)?;
    let payload = Payload {
        msg: plain,
        aad: bound,
    };
    let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
    // It fails beyond 256 GiB only, and lengths are limited long before.
    sealed.map(|text| (nonce, text)).map_err(|_| NoRandomness)
}

/// None when anything was changed: key, nonce, text or what it is bound to.
pub(super) fn decrypt(
    key: &[u8; KEY_BYTES],
    bound: &[u8],
    nonce: &Nonce,
    text: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: text,
        aad: bound,
    };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()
}

/// Parts in order, each with its length first, so that no two lists of parts are written alike.
pub(super) fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut written = Vec::new();
    for part in parts {
        written.extend_from_slice(&(part.len() as u64).to_be_bytes());
        written.extend_from_slice(part);
    }
    written
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn it_is_the_cipher_of_the_draft() {
        let plain: &[u8] = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let key: [u8; KEY_BYTES] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: Nonce = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let bound = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let payload = Payload {
            msg: plain,
            aad: &bound,
        };
        let text = cipher(&key).encrypt(&XNonce::from(nonce), payload).unwrap();
        assert_eq!(text[..8], [0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        let tag = [
            0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a,
            0xcf, 0x49,
        ];
        assert_eq!(text[plain.len()..], tag);
        assert_eq!(decrypt(&key, &bound, &nonce, &text).unwrap(), plain);
    }

    #[test]
    fn no_two_lists_of_parts_are_written_alike() {
        assert_ne!(parts(&[b"ab", b"c"]), parts(&[b"a", b"bc"]));
        assert_ne!(parts(&[b"ab", b""]), parts(&[b"ab"]));
    }
}
