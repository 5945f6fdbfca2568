//! A mirror in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::id::Key;
use crate::tiers::mirror::{Mirror, MirrorError, Stored, Tag};

/// A mirror in memory, for tests and to read: a mirror is this much.
///
/// ```
/// use onramp::tiers::{MemoryMirror, Mirror, MirrorErrorKind};
/// # use onramp::{Key, SubjectId, TenantId};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = Key { tenant: TenantId::new("acme")?, flow: "workspace".into(), subject: SubjectId::new("org-001")? };
/// let mirror = MemoryMirror::default();
/// let empty = mirror.load(&key).await?;
/// mirror.store(&key, "first", &empty.tag).await?;
/// let late = mirror.store(&key, "second", &empty.tag).await.unwrap_err();
/// assert_eq!(late.kind(), MirrorErrorKind::Moved);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct MemoryMirror {
    kept: Mutex<HashMap<Key, (u64, Option<String>)>>,
}

impl MemoryMirror {
    /// Writes whatever the tag, as whoever controls the identity provider can; `None` wipes.
    pub fn forge(&self, key: &Key, text: Option<String>) {
        let mut kept = self.kept();
        let entry = kept.entry(key.clone()).or_default();
        *entry = (entry.0 + 1, text);
    }

    /// A map cannot be left half changed by a panic.
    fn kept(&self) -> MutexGuard<'_, HashMap<Key, (u64, Option<String>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mirror for MemoryMirror {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        let (version, text) = self.kept().get(key).cloned().unwrap_or_default();
        let tag = Tag::new(version.to_string());
        Ok(Stored { text, tag })
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        let mut kept = self.kept();
        let entry = kept.entry(key.clone()).or_default();
        if entry.0.to_string() != at.as_str() {
            return Err(MirrorError::moved());
        }
        *entry = (entry.0 + 1, Some(text.to_owned()));
        Ok(())
    }
}
