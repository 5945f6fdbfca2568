//! What only one onboarding may have: a slug, a domain, a tax number.

use crate::id::is_valid_name;

/// A value that only one onboarding may have, for as long as it has the fact that names it.
///
/// A fact names them in [`Step::reserves`](crate::flow::Step::reserves). They are taken in the commit that
/// stores the fact: when another onboarding has one already, nothing is stored, and a task's attempt
/// has failed, to be made again with another value. They are free again once the fact was undone,
/// revised or erased, or its onboarding forgotten. Stores keep a hash of the value only.
///
/// ```
/// use onramp::flow::Reservation;
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Address { slug: String }
/// impl Step for Address {
///     const NAME: &'static str = "address";
///     fn reserves(&self) -> Vec<Reservation> {
///         vec![Reservation::everywhere("slug", &self.slug)]
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Reservation {
    space: &'static str,
    value: String,
    of_tenant: bool,
}

impl Reservation {
    /// Of one onboarding among those of all tenants and flows. `space` keeps values of one kind apart from
    /// those of another: 1 to 64 of `a-z`, `0-9` and `_`, a letter first.
    pub fn everywhere(space: &'static str, value: impl Into<String>) -> Self {
        Self {
            space,
            value: value.into(),
            of_tenant: false,
        }
    }

    /// Of one onboarding among those of its tenant, in all flows.
    pub fn in_tenant(space: &'static str, value: impl Into<String>) -> Self {
        Self {
            of_tenant: true,
            ..Self::everywhere(space, value)
        }
    }

    /// What kind of value it is.
    #[must_use]
    pub fn space(&self) -> &'static str {
        self.space
    }

    /// The value. Compared byte by byte: normalise it first.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether others may have it in other tenants.
    #[must_use]
    pub fn is_of_tenant(&self) -> bool {
        self.of_tenant
    }

    /// What is wrong with it, if it cannot be stored.
    pub(crate) fn problem(&self) -> Option<String> {
        (!is_valid_name(self.space)).then(|| {
            let space = self.space;
            format!("reserves in {space:?}: use 1 to 64 of a-z, 0-9 and _, beginning with a letter")
        })
    }
}

impl std::fmt::Debug for Reservation {
    /// Leaves the value out: it may be personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation")
            .field("space", &self.space)
            .field("of_tenant", &self.of_tenant)
            .finish_non_exhaustive()
    }
}
