//! What real stores are compared with.

pub(crate) mod guard;
pub(crate) mod store;
