//! Who gets a step that a newer version of a flow has added.

use serde::{Deserialize, Serialize};

/// Who gets a step that a newer version of a flow has added.
///
/// ```
/// use onramp::flow::Cohort;
/// assert_eq!(Cohort::default(), Cohort::NotCompleted);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cohort {
    /// Whoever was created with that version or a later one.
    NewStarts,
    /// Whoever is not completed yet.
    #[default]
    NotCompleted,
    /// Also who is completed: once it is reopened.
    Everyone,
}
