//! Texts for people to copy: letters and digits, and a checksum that finds slips.

use zeroize::Zeroizing;

use crate::vault::random::{self, NoRandomness};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits of a checksum: six hold 32 bits.
pub(super) const CHECKSUM_LEN: usize = 6;

/// Appends random digits, each equally likely.
pub(super) fn push_random(text: &mut String, len: usize) -> Result<(), NoRandomness> {
    let mut pool = Zeroizing::new([0; 64]);
    let end = text.len() + len;
    while text.len() < end {
        random::fill(&mut *pool)?;
        // 248 is 4 * 62: of the bytes beyond it the first digits would get more.
        let even = pool.iter().filter(|byte| **byte < 248);
        for byte in even.take(end - text.len()) {
            text.push(char::from(DIGITS[usize::from(byte % 62)]));
        }
    }
    Ok(())
}

/// CRC-32 (ISO-HDLC, as in zip and in GitHub's tokens) of a text, as six digits.
pub(super) fn checksum(text: &str) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// A key is 50 bytes: a table would cost more than it saves, and a crate too.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(&checksum(""), b"000000");
    }

    #[test]
    fn every_digit_is_about_equally_likely() {
        let mut text = String::new();
        push_random(&mut text, 62_000).unwrap();
        assert_eq!(text.len(), 62_000);
        for digit in DIGITS {
            let times = text.bytes().filter(|byte| byte == digit).count();
            assert!((800..1_200).contains(&times), "{digit}: {times}");
        }
    }
}
