//! The same wish twice counts once: a key of the client's becomes the command's identity.

use axum::http::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::http::authorize::Operator;
use crate::http::catalogue::Code;
use crate::http::problem::Problem;
use crate::id::{CommandId, Key, OnboardingId};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Identities made here are of no other kind.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7261_6d70_5b69_8d65_6d70_6f74_656e);

/// The identity of a command, if the request gives a key: of this tenant, subject and operation alone,
/// so that nobody meets somebody else's.
pub(super) fn command(
    headers: &HeaderMap,
    whose: &Key,
    operation: &str,
) -> Result<Option<CommandId>, Problem> {
    let (tenant, flow, subject) = (&whose.tenant, &whose.flow, &whose.subject);
    let whose = [tenant.as_str(), flow.as_str(), subject.as_str(), operation];
    keyed(headers, &whose)
}

/// The same for an operator: of this person, onboarding and operation alone.
pub(super) fn order(
    headers: &HeaderMap,
    by: &Operator,
    id: OnboardingId,
    operation: &str,
) -> Result<Option<CommandId>, Problem> {
    let (tenant, id) = (by.tenant.as_str(), id.to_string());
    keyed(headers, &["operator", tenant, &by.name, &id, operation])
}

fn keyed(headers: &HeaderMap, whose: &[&str]) -> Result<Option<CommandId>, Problem> {
    let unreadable = || Problem::new(Code::BadHeader).with("header", HEADER);
    let mut given = headers.get_all(HEADER).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let key = key.to_str().map_err(|_| unreadable())?;
    let printable = key.bytes().all(|b| (b' '..=b'~').contains(&b));
    if given.next().is_some() || !(1..=255).contains(&key.len()) || !printable {
        return Err(unreadable());
    }
    let mut parts = whose.to_vec();
    parts.push(key);
    Ok(Some(named(&parts)))
}

/// Length first, so that no two lists give the same text.
pub(super) fn named(parts: &[&str]) -> CommandId {
    let mut text = String::new();
    for part in parts {
        text.push_str(&format!("{}:{part}", part.len()));
    }
    CommandId::from_uuid(Uuid::new_v5(&NAMESPACE, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_owners_never_meet() {
        let all = [
            named(&["a", "b", "c"]),
            named(&["ab", "", "c"]),
            named(&["a", "bc", ""]),
            named(&["a", "b", "submit", "c"]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[place + 1..].contains(one), "{place}");
        }
        assert_eq!(named(&["a", "b", "c"]), all[0]);
    }
}
