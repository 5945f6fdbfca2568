//! Pictures of what may happen, drawn from the definitions that decide it: never out of date.
//!
//! ```
//! use onramp::diagram::Diagram;
//! use onramp::flow::{Kind, Plan, PlanStep};
//! let plan = Plan::new("workspace", 1, vec![
//!     PlanStep::new("company", Kind::Answer),
//!     PlanStep::new("create_dataset", Kind::Task),
//! ])?;
//! let text = Diagram::of(&plan).to_mermaid(); // for a README: ```mermaid
//! assert!(text.starts_with("flowchart TB\n"));
//! assert!(Diagram::lifecycle().to_dot().starts_with("digraph")); // for `dot -Tsvg`
//! # Ok::<(), onramp::flow::InvalidFlow>(())
//! ```
//!
//! ```text
//!   Operation::ALL ──> Diagram::lifecycle() ──┐
//!                                             ├──> nodes and edges ──> Mermaid, DOT
//!   Plan ────────────> Diagram::of(&plan) ────┘
//! ```

mod dot;
mod flow;
mod lifecycle;
mod mermaid;

/// Nodes and edges, to be written as Mermaid or DOT.
///
/// ```
/// use onramp::diagram::Diagram;
/// let lifecycle = Diagram::lifecycle();
/// let begins = lifecycle.edges().any(|edge| edge == ("pending", "start", "in_progress"));
/// assert!(begins);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    name: String,
    /// Whether it reads from left to right; otherwise from top to bottom.
    wide: bool,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// Something that one can be at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// Of `a-z`, `0-9` and `_`, so that it needs no escaping.
    id: String,
    shape: Shape,
    lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A stage, or one end of a flow.
    Round,
    /// The subject gives it.
    Form,
    /// A third party gives it.
    Slanted,
    /// An operator gives it.
    Pointed,
    /// A worker makes it.
    Box,
    /// Time passes.
    Circle,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    /// Places among the nodes.
    from: usize,
    to: usize,
    line: Line,
    labels: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The way on, or what somebody does.
    Solid,
    /// What a worker does, or what is read.
    Dotted,
    /// The way back.
    Thick,
}

impl Diagram {
    /// What leads from where to where: one item for each label of each edge.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.edges.iter().flat_map(|edge| {
            let labels = edge.labels.iter();
            labels.map(|label| (self.id(edge.from), label.as_str(), self.id(edge.to)))
        })
    }

    /// As Mermaid, for Markdown. Whatever names hold is shown as text.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// As DOT, for Graphviz. Whatever names hold is shown as text.
    #[must_use]
    pub fn to_dot(&self) -> String {
        dot::write(self)
    }

    fn id(&self, place: usize) -> &str {
        self.nodes.get(place).map_or("", |node| &node.id)
    }
}
