//! What a record's commits are known by, so that they count once.

use uuid::{Uuid, uuid};

use crate::id::{CommandId, Key, SourceName};

const NAMESPACE: Uuid = uuid!("8d6f2f0e-5b0c-5d57-9a3e-7c1f4b1d2a60");

/// Of one record of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    /// The onboarding was created by this source, whatever the record said.
    pub(super) creation: CommandId,
    /// It was imported from this very record.
    pub(super) import: CommandId,
}

impl Identity {
    pub(super) fn new(source: &SourceName, key: &Key, raw: &[u8]) -> Self {
        let mut name = Vec::with_capacity(raw.len() + 256);
        let (tenant, subject) = (key.tenant.as_str(), key.subject.as_str());
        // Length first, so that no two lists of parts are alike.
        for part in [source.as_str(), tenant, key.flow.as_str(), subject] {
            name.extend_from_slice(&(part.len() as u64).to_be_bytes());
            name.extend_from_slice(part.as_bytes());
        }
        let of = |name: &[u8]| CommandId::from_uuid(Uuid::new_v5(&NAMESPACE, name));
        let creation = of(&name);
        name.extend_from_slice(b"record:");
        name.extend_from_slice(raw);
        let import = of(&name);
        Self { creation, import }
    }
}
