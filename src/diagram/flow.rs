//! A flow, from its plan.

use std::time::Duration;

use super::{Diagram, Edge, Line, Node, Shape};
use crate::flow::{Kind, Need, Plan, PlanStep};

impl Diagram {
    /// The steps of a flow in order (solid), what each reads of which (dotted), and the order in which
    /// effects are taken back (thick).
    ///
    /// ```
    /// use std::time::Duration;
    /// use onramp::diagram::Diagram;
    /// use onramp::flow::{Kind, Need, Plan, PlanStep, Waits};
    /// let fortnight = Duration::from_secs(14 * 24 * 60 * 60);
    /// let company = Need { step: "company".into(), optional: false };
    /// let plan = Plan::new("workspace", 1, vec![
    ///     PlanStep::new("company", Kind::Answer).waiting(Waits::default().expire_after(fortnight)),
    ///     PlanStep::new("create_dataset", Kind::Task).needing(vec![company]),
    /// ])?;
    /// let text = Diagram::of(&plan).to_mermaid();
    /// assert!(text.contains("[\"company<br/>answer<br/>given up after 14 d\"]"), "{text}");
    /// assert!(text.contains("step_company -.->|\"needs\"| step_create_dataset"), "{text}");
    /// # Ok::<(), onramp::flow::InvalidFlow>(())
    /// ```
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let steps = plan.steps();
        let mut nodes = vec![end("begin", begins(plan))];
        nodes.extend(steps.iter().map(node));
        let done = nodes.len();
        nodes.push(end("completed", vec!["completed".to_owned()]));
        let mut edges: Vec<_> = (0..done)
            .map(|from| edge(from, from + 1, Line::Solid))
            .collect();
        for (place, step) in steps.iter().enumerate() {
            edges.extend(reads(plan, step, place + 1));
        }
        let tasks = steps.iter().enumerate();
        let tasks = tasks.filter(|(_, step)| step.kind() == Kind::Task);
        let mut back: Vec<_> = tasks.map(|(place, _)| place + 1).collect();
        if !back.is_empty() {
            nodes.push(end("failed", vec!["failed".to_owned()]));
            back.insert(0, done + 1);
        }
        edges.extend(back.windows(2).rev().map(|two| Edge {
            labels: vec!["undo".to_owned()],
            ..edge(two[1], two[0], Line::Thick)
        }));
        Self {
            name: plan.flow().to_string(),
            wide: false,
            nodes,
            edges,
        }
    }
}

fn edge(from: usize, to: usize, line: Line) -> Edge {
    Edge {
        from,
        to,
        line,
        labels: Vec::new(),
    }
}

fn end(id: &str, lines: Vec<String>) -> Node {
    Node {
        id: id.to_owned(),
        shape: Shape::Round,
        lines,
    }
}

fn begins(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!("{} {}", plan.flow(), plan.version())];
    let deadline = plan.deadline();
    lines.extend(deadline.map(|within| format!("given up after {}", time(within))));
    lines
}

fn node(step: &PlanStep) -> Node {
    let shape = match step.kind() {
        Kind::Answer => Shape::Form,
        Kind::Evidence => Shape::Slanted,
        Kind::Approval => Shape::Pointed,
        Kind::Task => Shape::Box,
        Kind::Pause => Shape::Circle,
    };
    let mut kind = step.kind().as_str().to_owned();
    if step.is_optional() {
        kind += ", optional";
    }
    if step.is_conditional() {
        kind += ", conditional";
    }
    let mut lines = vec![step.title().to_string(), kind];
    if step.kind() == Kind::Pause {
        lines.push(format!("for {}", time(step.pauses_for())));
    }
    if step.kind() == Kind::Task {
        lines.push(match step.retry().max_attempts() {
            1 => "1 attempt".to_owned(),
            many => format!("up to {many} attempts"),
        });
    }
    let waits = step.waits();
    if !waits.reminders().is_empty() {
        let reminders: Vec<_> = waits.reminders().iter().map(|wait| time(*wait)).collect();
        lines.push(format!("reminded after {}", reminders.join(", ")));
    }
    if let Some(expiry) = waits.expiry() {
        let what = if step.is_optional() {
            "skipped"
        } else {
            "given up"
        };
        lines.push(format!("{what} after {}", time(expiry)));
    }
    Node {
        // A step may be called `end` or `node`, which Mermaid and DOT keep for themselves.
        id: format!("step_{}", step.name()),
        shape,
        lines,
    }
}

/// From what a step reads, one edge each.
fn reads(plan: &Plan, step: &PlanStep, to: usize) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    let needs = step.needs().map(|need| (need, label(need)));
    let condition = step.condition().map(|need| (need, "decides"));
    for (need, label) in needs.chain(condition) {
        let mut steps = plan.steps().iter();
        let Some(from) = steps.position(|step| *step.name() == need.step) else {
            continue;
        };
        let from = from + 1;
        match edges.iter_mut().find(|edge| edge.from == from) {
            Some(edge) => edge.labels.push(label.to_owned()),
            None => edges.push(Edge {
                labels: vec![label.to_owned()],
                ..edge(from, to, Line::Dotted)
            }),
        }
    }
    edges
}

fn label(need: &Need) -> &'static str {
    match need.optional {
        true => "needs if there",
        false => "needs",
    }
}

/// In the largest unit of which it is a whole number.
fn time(time: Duration) -> String {
    let millis = time.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let unit = units
        .into_iter()
        .find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
    let (size, unit) = unit.unwrap_or((1, "ms"));
    format!("{} {unit}", millis / size)
}
