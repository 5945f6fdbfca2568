//! Versions in headers: the tag is the revision.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::http::catalogue::Code;
use crate::http::problem::Problem;
use crate::id::Revision;

/// The tag of a revision.
pub(super) fn of(revision: u64) -> HeaderValue {
    let tag = format!("\"{revision}\"");
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a header with conditions names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Whatever there is.
    Any,
    /// One of these revisions. Tags of somebody else's are not among them.
    These(Vec<u64>),
}

impl Named {
    pub(super) fn has(&self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::These(these) => these.contains(&revision.get()),
        }
    }
}

/// What is to be changed, if the request says so. Weak tags name nothing here (RFC 9110, 13.1.1).
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Named>, Problem> {
    named(headers, &header::IF_MATCH, false)
}

/// What is known already, if the request says so.
pub(super) fn if_none_match(headers: &HeaderMap) -> Result<Option<Named>, Problem> {
    named(headers, &header::IF_NONE_MATCH, true)
}

fn named(headers: &HeaderMap, name: &HeaderName, weak: bool) -> Result<Option<Named>, Problem> {
    let unreadable = || Problem::new(Code::BadHeader).with("header", name);
    let mut these = Vec::new();
    let mut any = false;
    let mut some = false;
    for value in headers.get_all(name) {
        some = true;
        let text = value.to_str().map_err(|_| unreadable())?;
        if text.trim() == "*" {
            any = true;
            continue;
        }
        for tag in text.split(',').map(str::trim) {
            let (tag, is_weak) = match tag.strip_prefix("W/") {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let tag = quoted.filter(|tag| is_opaque(tag)).ok_or_else(unreadable)?;
            if let (Ok(revision), true) = (tag.parse(), weak || !is_weak) {
                these.push(revision);
            }
        }
    }
    Ok(match (some, any) {
        (false, _) => None,
        (true, true) => Some(Named::Any),
        (true, false) => Some(Named::These(these)),
    })
}

/// What stands between the quotes of a tag (RFC 9110, 8.8.3); a comma never does in ours.
fn is_opaque(tag: &str) -> bool {
    tag.bytes().all(|b| b == b'!' || (b'#'..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, name: HeaderName, weak: bool) -> Result<Option<Named>, Code> {
        let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(text))]);
        named(&headers, &name, weak).map_err(|problem| problem.code())
    }

    #[test]
    fn tags_are_read_by_the_rules_of_each_header() {
        let (must, none) = (header::IF_MATCH, header::IF_NONE_MATCH);
        for (text, name, weak, expected) in [
            ("\"7\"", &must, false, Ok(Some(Named::These(vec![7])))),
            (
                "\"7\", W/\"8\"",
                &must,
                false,
                Ok(Some(Named::These(vec![7]))),
            ),
            ("W/\"8\"", &none, true, Ok(Some(Named::These(vec![8])))),
            ("*", &none, true, Ok(Some(Named::Any))),
            ("\"abc\"", &must, false, Ok(Some(Named::These(vec![])))),
            ("7", &must, false, Err(Code::BadHeader)),
            ("\"7", &must, false, Err(Code::BadHeader)),
            ("\"a\"b\"", &must, false, Err(Code::BadHeader)),
            ("\"7\", *", &must, false, Err(Code::BadHeader)),
        ] {
            assert_eq!(read(text, name.clone(), weak), expected, "{text}");
        }
        assert_eq!(if_match(&HeaderMap::new()).ok().flatten(), None);
        assert_eq!(of(7), "\"7\"");
    }
}
