//! Diagrams say what the rules, the types and the README say, and can be read whatever names hold.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stop as tests do"
)]

#[path = "rules/history.rs"]
#[expect(dead_code, reason = "made for the rules")]
mod history;
#[path = "rules/plans.rs"]
mod plans;
#[path = "diagram/read.rs"]
mod read;
#[path = "table/typed.rs"]
mod typed;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use history::{Run, moves};
use onramp::diagram::Diagram;
use onramp::flow::{Kind, Need, Plan, PlanStep, RetryPolicy, Waits};
use onramp::lifecycle::{Operation, StageKind};
use onramp::{Actor, StepName};
use plans::{plan, shapes};
use proptest::test_runner::{Config, TestRunner};
use read::{Drawing, dot, mermaid};
use typed::{OF_NO_HANDLE, typed};

type Edges = BTreeSet<(String, String, String)>;

fn edge(from: StageKind, operation: &str, to: StageKind) -> (String, String, String) {
    (from.to_string(), operation.to_owned(), to.to_string())
}

/// Both forms of a diagram, read back; they agree.
fn drawn(diagram: &Diagram) -> Drawing {
    let (mermaid, dot) = (mermaid(&diagram.to_mermaid()), dot(&diagram.to_dot()));
    assert_eq!(mermaid, dot);
    graphviz_takes(&diagram.to_dot());
    mermaid
}

/// Graphviz itself is asked where it is installed.
fn graphviz_takes(text: &str) {
    let dot = Command::new("dot")
        .args(["-Tdot", "-o", "/dev/null"])
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut dot) = dot else { return };
    let mut stdin = dot.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(dot.wait().unwrap().success(), "{text}");
}

fn is_a_hosts(operation: Operation) -> bool {
    let actors = [Actor::Subject, Actor::Host, Actor::Operator("ann".into())];
    actors.iter().any(|actor| operation.open_to(actor))
}

/// The README's table: which operations of hosts lead from where to where.
fn readme() -> Edges {
    let text = include_str!("../README.md");
    let (_, table) = text.split_once("| from | operation | to |\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let code = |cell: &str| -> Vec<String> {
        let parts = cell.split('`').enumerate().filter(|(n, _)| n % 2 == 1);
        parts.map(|(_, part)| part.to_owned()).collect()
    };
    let stage = |name: &str| {
        let mut all = StageKind::ALL.into_iter();
        all.find(|stage| format!("{stage:?}") == name).unwrap()
    };
    let mut edges = Edges::new();
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.trim_matches('|').split('|').collect();
        let [from, operations, to] = cells.as_slice() else {
            panic!("not a line of the table: {line}")
        };
        for from in code(from) {
            for operation in code(operations) {
                let to = code(to).first().unwrap_or(&from).clone();
                edges.insert(edge(stage(&from), &operation, stage(&to)));
            }
        }
    }
    edges
}

#[test]
fn diagram_types_table_and_readme_agree() {
    let drawing = drawn(&Diagram::lifecycle());
    let table: Edges = Operation::ALL
        .iter()
        .flat_map(|operation| {
            let edges = operation.edges().iter();
            edges.map(|(from, to)| edge(*from, operation.as_str(), *to))
        })
        .collect();
    assert_eq!(drawing.edges(), table);
    for operation in Operation::ALL {
        let from: BTreeSet<_> = operation.edges().iter().map(|(from, _)| *from).collect();
        let stages: BTreeSet<_> = operation.stages().iter().copied().collect();
        assert_eq!(from, stages, "{}", operation.as_str());
    }

    let hosts = Operation::ALL.iter().filter(|o| is_a_hosts(**o));
    let hosts: BTreeSet<_> = hosts.map(|operation| operation.as_str()).collect();
    let drawn_hosts: Edges = table
        .into_iter()
        .filter(|(_, operation, _)| hosts.contains(operation.as_str()))
        .collect();
    let typed: Edges = typed()
        .into_iter()
        .filter_map(|(operation, from, to)| Some(edge(from, operation.as_str(), to?)))
        .collect();
    let (import, edges) = OF_NO_HANDLE;
    let of_no_handle = edges.map(|(from, to)| edge(from, import.as_str(), to));
    let all: Edges = typed.iter().cloned().chain(of_no_handle).collect();
    assert_eq!(drawn_hosts, all);
    assert_eq!(readme(), typed, "what handles do");

    // What hosts do is solid, what workers do is dotted.
    for (operation, line) in drawing.lines() {
        let expected = if hosts.contains(operation.as_str()) {
            "solid"
        } else {
            "dotted"
        };
        assert_eq!(line, expected, "{operation}");
    }
}

#[test]
fn the_diagram_shows_what_happens_and_nothing_else() {
    let seen = Mutex::new(Edges::new());
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(3_000)
    });
    let play = |(shape, moves): (plans::Shapes, Vec<_>)| {
        let mut run = Run::new(plan(&shape));
        for step in moves {
            run.play(&step);
        }
        for tried in run.tried.iter().filter(|tried| tried.outcome.is_ok()) {
            let operation = tried.command.action.operation();
            let (from, to) = (tried.before.stage(), tried.after().stage());
            let mut seen = seen.lock().unwrap();
            seen.insert(edge(from, operation.as_str(), to));
        }
        Ok(())
    };
    runner.run(&(shapes(), moves()), play).unwrap();
    let mut drawn = drawn(&Diagram::lifecycle()).edges();
    // A plan that stays as it is never needs these: see the tests of newer plans.
    drawn.retain(|(_, operation, _)| operation != "begin_wait" && operation != "reopen");
    assert_eq!(seen.into_inner().unwrap(), drawn);
}

fn need(step: &'static str, optional: bool) -> Need {
    let step = step.into();
    Need { step, optional }
}

#[test]
fn a_flow_is_drawn_with_its_kinds_needs_waits_and_undo() {
    let day = Duration::from_secs(24 * 60 * 60);
    let waits = Waits::default().remind_after(day).expire_after(day * 14);
    let branding = PlanStep::new("branding", Kind::Answer).optional();
    let plan = Plan::new(
        "workspace",
        3,
        vec![
            PlanStep::new("company", Kind::Answer).waiting(waits.clone()),
            branding.waiting(waits),
            PlanStep::new("dataset", Kind::Task)
                .needing(vec![need("company", false)])
                .retrying(RetryPolicy::new(7)),
            PlanStep::pause("rest", Duration::from_secs(90)),
            PlanStep::new("review", Kind::Approval).conditional_on(vec![need("company", false)]),
            PlanStep::new("payment", Kind::Evidence),
            PlanStep::new("site", Kind::Task)
                .needing(vec![need("dataset", false), need("branding", true)]),
        ],
    )
    .unwrap();
    let drawing = drawn(&Diagram::of(&plan.within(day * 30)));
    let nodes = [
        ("begin", "workspace 3\ngiven up after 30 d"),
        (
            "step_company",
            "company\nanswer\nreminded after 1 d\ngiven up after 14 d",
        ),
        (
            "step_branding",
            "branding\nanswer, optional\nreminded after 1 d\nskipped after 14 d",
        ),
        ("step_dataset", "dataset\ntask\nup to 7 attempts"),
        ("step_rest", "rest\npause\nfor 90 s"),
        ("step_review", "review\napproval, conditional"),
        ("step_payment", "payment\nevidence"),
    ];
    for (place, (id, label)) in nodes.into_iter().enumerate() {
        assert_eq!(drawing.nodes[place], (id.to_owned(), label.to_owned()));
    }
    let shown: Vec<_> = drawing
        .edges
        .iter()
        .map(|(from, line, labels, to)| format!("{from} {line} {labels} {to}").replace("step_", ""))
        .collect();
    let expected = [
        "begin solid  company",
        "company solid  branding",
        "branding solid  dataset",
        "dataset solid  rest",
        "rest solid  review",
        "review solid  payment",
        "payment solid  site",
        "site solid  completed",
        "company dotted needs dataset",
        "company dotted decides review",
        "dataset dotted needs site",
        "branding dotted needs if there site",
        "site bold undo dataset",
        "dataset bold undo failed",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn names_are_text_whatever_they_hold() {
    let awkward = [
        "a\"]; click step_a \"javascript:alert(1)\"",
        "<script>alert(1)</script><br/>",
        "back\\slash\\\"",
        "%%{init: {}}%% `md` **b** |x| {y} (z) [w]",
        "#35; &quot; $1 ; -->",
        "Firma Müller \u{1f680} \u{202e}rtl",
    ];
    for title in awkward {
        let steps = ["end", "node", "graph", "subgraph", "o"]
            .map(|name| PlanStep::new(name, Kind::Task).titled(StepName::from_text(title)));
        let plan = Plan::new("style", 1, steps.to_vec()).unwrap();
        let drawing = drawn(&Diagram::of(&plan));
        let (_, label) = &drawing.nodes[1];
        assert_eq!(label.lines().next(), Some(title));
        assert_eq!(drawing.nodes.len(), 5 + 3);
    }
    let two = StepName::from_text("two\nlines");
    let plan = Plan::new(
        "style",
        1,
        vec![PlanStep::new("a", Kind::Answer).titled(two)],
    );
    let drawing = drawn(&Diagram::of(&plan.unwrap()));
    assert!(drawing.nodes[1].1.starts_with("two lines\n"));
}

#[test]
fn any_flow_can_be_drawn() {
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(if Command::new("dot").arg("-V").output().is_ok() {
            20
        } else {
            500
        })
    });
    let draw = |shape| {
        let plan = plan(&shape);
        let drawing = drawn(&Diagram::of(&plan));
        let steps = drawing
            .nodes
            .iter()
            .filter(|(id, _)| id.starts_with("step_"));
        let names: Vec<_> = steps
            .map(|(id, _)| id.trim_start_matches("step_"))
            .collect();
        let expected: Vec<_> = plan.steps().iter().map(|s| s.name().as_str()).collect();
        assert_eq!(names, expected, "every step, in order");
        Ok(())
    };
    runner.run(&shapes(), draw).unwrap();
}
