//! The lifecycle, from the table of operations.

use super::{Diagram, Edge, Line, Node, Shape};
use crate::id::Actor;
use crate::lifecycle::{Operation, StageKind};

impl Diagram {
    /// The four stages and every operation: solid what hosts, subjects and operators do, dotted what
    /// workers alone do.
    ///
    /// ```
    /// let text = onramp::diagram::Diagram::lifecycle().to_mermaid();
    /// assert!(text.contains("failed -->|\"retry, retry_undo\"| in_progress"));
    /// ```
    #[must_use]
    pub fn lifecycle() -> Self {
        let nodes = StageKind::ALL.map(|stage| Node {
            id: stage.as_str().to_owned(),
            shape: Shape::Round,
            lines: vec![stage.as_str().to_owned()],
        });
        let mut edges: Vec<Edge> = Vec::new();
        for operation in Operation::ALL {
            let line = match is_a_workers(*operation) {
                true => Line::Dotted,
                false => Line::Solid,
            };
            for (from, to) in operation.edges() {
                let (from, to) = (place(*from), place(*to));
                let label = operation.as_str().to_owned();
                let same = |edge: &&mut Edge| (edge.from, edge.to, edge.line) == (from, to, line);
                match edges.iter_mut().find(same) {
                    Some(edge) => edge.labels.push(label),
                    None => edges.push(Edge {
                        from,
                        to,
                        line,
                        labels: vec![label],
                    }),
                }
            }
        }
        Self {
            name: "lifecycle".to_owned(),
            wide: true,
            nodes: nodes.to_vec(),
            edges,
        }
    }
}

fn is_a_workers(operation: Operation) -> bool {
    let others = [Actor::Subject, Actor::Host, Actor::Operator(String::new())];
    !others.iter().any(|actor| operation.open_to(actor))
}

fn place(stage: StageKind) -> usize {
    let mut stages = StageKind::ALL.iter();
    stages.position(|one| *one == stage).unwrap_or_default()
}
