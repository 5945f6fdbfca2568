//! The provider's URL, checked, and what is appended to it.

use hyper::Uri;

use crate::id::SubjectId;
use crate::tiers::config::InvalidTiers;

/// A URL without query, fragment, credentials or trailing slash.
#[derive(Debug)]
pub(super) struct Base(String);

impl Base {
    pub(super) fn new(url: &str, plaintext: bool) -> Result<Self, InvalidTiers> {
        let invalid = |why| InvalidTiers::InvalidUrl {
            url: shown(url),
            why,
        };
        let uri: Uri = url.parse().map_err(|_| invalid("it is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| invalid("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid(
                "it holds credentials: the token goes into token(..)",
            ));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(invalid("it has a query or a fragment: leave them out"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plaintext || is_loopback(authority.host()) => {}
            Some("http") => {
                return Err(InvalidTiers::Plaintext {
                    url: url.to_owned(),
                });
            }
            _ => return Err(invalid("it is neither https nor http")),
        }
        Ok(Self(url.trim_end_matches('/').to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a subject's attributes are.
    pub(super) fn attributes(&self, subject: &SubjectId) -> String {
        format!("{}/users/{}/attributes", self.0, segment(subject.as_str()))
    }
}

/// What may stand in an error: credentials in a URL are a secret, and a query may hold some.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => url.to_owned(),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A path segment (RFC 3986, section 3.3), dots and slashes escaped: a subject's name leads nowhere else.
fn segment(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let dots = text.bytes().all(|byte| byte == b'.');
    let mut segment = String::new();
    for byte in text.bytes() {
        match byte {
            b'.' if dots => segment.push_str("%2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                segment.push(char::from(byte));
            }
            _ => {
                segment.push('%');
                for digit in [byte >> 4, byte & 15] {
                    segment.push(char::from(DIGITS[usize::from(digit)]));
                }
            }
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_segment_of_the_path() {
        for (name, expected) in [
            ("auth0|42", "auth0%7C42"),
            ("a/../b", "a%2F..%2Fb"),
            ("..", "%2E%2E"),
            ("ü?x#y", "%C3%BC%3Fx%23y"),
        ] {
            assert_eq!(segment(name), expected);
        }
    }
}
