//! Reads diagrams back, as strictly as those who draw them: what is not of the form stops the test.

use std::collections::BTreeSet;

/// What a diagram shows, whatever it is written in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// Identity and label, its lines apart.
    pub(crate) nodes: Vec<(String, String)>,
    /// From, line, labels, to.
    pub(crate) edges: Vec<(String, String, String, String)>,
}

impl Drawing {
    /// One for each label.
    pub(crate) fn edges(&self) -> BTreeSet<(String, String, String)> {
        let all = self.edges.iter().flat_map(|(from, _, labels, to)| {
            let labels = labels.split(", ").map(str::to_owned);
            labels.map(|label| (from.clone(), label, to.clone()))
        });
        all.collect()
    }

    /// Each label with the line that it is on.
    pub(crate) fn lines(&self) -> Vec<(String, &str)> {
        let all = self.edges.iter().flat_map(|(_, line, labels, _)| {
            let labels = labels.split(", ");
            labels.map(|label| (label.to_owned(), line.as_str()))
        });
        all.collect()
    }

    /// Every edge is between nodes that are there.
    fn whole(self) -> Self {
        for (from, _, _, to) in &self.edges {
            for end in [from, to] {
                assert!(self.nodes.iter().any(|(id, _)| id == end), "no node {end}");
            }
        }
        self
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads Mermaid's flow chart.
pub(crate) fn mermaid(text: &str) -> Drawing {
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    assert!(matches!(head, "flowchart LR" | "flowchart TB"), "{head}");
    let mut drawing = Drawing {
        nodes: Vec::new(),
        edges: Vec::new(),
    };
    for line in lines {
        let line = line.strip_prefix("    ").unwrap();
        let (id, rest) = line.split_at(line.find(|c| !is_id(&String::from(c))).unwrap());
        match rest.strip_prefix(' ') {
            None => drawing.nodes.push((id.to_owned(), mermaid_node(rest))),
            Some(rest) => {
                let (arrow, to) = rest.rsplit_once(' ').unwrap();
                assert!(is_id(to), "{line}");
                let (arrow, labels) = match arrow.split_once('|') {
                    Some((arrow, labels)) => (arrow, labels.strip_suffix('|').unwrap()),
                    None => (arrow, "\"\""),
                };
                let style = match arrow {
                    "-->" => "solid",
                    "-.->" => "dotted",
                    "==>" => "bold",
                    _ => panic!("no arrow: {line}"),
                };
                let labels = mermaid_text(labels);
                let (from, to) = (id.to_owned(), to.to_owned());
                drawing.edges.push((from, style.to_owned(), labels, to));
            }
        }
    }
    drawing.whole()
}

fn mermaid_node(text: &str) -> String {
    let shapes = [
        ("([", "])"),
        ("[[", "]]"),
        ("[/", "/]"),
        ("{{", "}}"),
        ("((", "))"),
        ("[", "]"),
    ];
    let inner = shapes.into_iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        inner.starts_with('"').then_some(inner)
    });
    mermaid_text(inner.unwrap_or_else(|| panic!("no shape: {text}")))
}

/// A quoted text, its codes read. Nothing in it may mean anything to Mermaid but codes and line breaks.
fn mermaid_text(text: &str) -> String {
    let text = text.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    let lines: Vec<_> = text.split("<br/>").map(mermaid_line).collect();
    lines.join("\n")
}

fn mermaid_line(line: &str) -> String {
    let mut parts = line.split('#');
    let mut read = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap();
        read.push(char::from_u32(code.parse().unwrap()).unwrap());
        read += rest;
    }
    let plain = line.replace(['#', ';'], "");
    assert!(
        plain
            .chars()
            .all(|c| c.is_alphanumeric() || " _-.,".contains(c)),
        "{line}"
    );
    read
}

/// Reads DOT, of the little that is used of it.
pub(crate) fn dot(text: &str) -> Drawing {
    let rest = text.strip_prefix("digraph ").unwrap();
    let (_, rest) = dot_text(rest);
    let rest = rest.strip_prefix(" {\n    rankdir=").unwrap();
    let rest = rest.strip_prefix("LR").or(rest.strip_prefix("TB")).unwrap();
    let mut rest = rest.strip_prefix(";\n").unwrap();
    let mut drawing = Drawing {
        nodes: Vec::new(),
        edges: Vec::new(),
    };
    while rest != "}\n" {
        let (line, after) = dot_statement(rest);
        drawing.nodes.extend(line.node);
        drawing.edges.extend(line.edge);
        rest = after;
    }
    drawing.whole()
}

struct Statement {
    node: Option<(String, String)>,
    edge: Option<(String, String, String, String)>,
}

fn dot_statement(text: &str) -> (Statement, &str) {
    let (ids, rest) = text.strip_prefix("    ").unwrap().split_once(" [").unwrap();
    if let Some((from, to)) = ids.split_once(" -> ") {
        assert!(is_id(from) && is_id(to), "{ids}");
        let rest = rest.strip_prefix("style=").unwrap();
        let (style, rest) = rest.split_at(rest.find([',', ']']).unwrap());
        let (labels, rest) = match rest.strip_prefix(", label=") {
            Some(rest) => dot_text(rest),
            None => (String::new(), rest),
        };
        let edge = (from.to_owned(), style.to_owned(), labels, to.to_owned());
        let edge = Some(edge);
        (
            Statement { node: None, edge },
            rest.strip_prefix("];\n").unwrap(),
        )
    } else {
        assert!(is_id(ids), "{ids}");
        let (label, rest) = dot_text(rest.strip_prefix("label=").unwrap());
        let (shape, rest) = rest.split_once("];\n").unwrap();
        assert!(shape.starts_with(", shape="), "{shape}");
        let node = Some((ids.to_owned(), label));
        (Statement { node, edge: None }, rest)
    }
}

/// The quoted text at the beginning, read, and what follows it.
fn dot_text(text: &str) -> (String, &str) {
    let text = text.strip_prefix('"').unwrap();
    let mut read = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (read.replace("&amp;", "&"), &text[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'n' => read.push('\n'),
                c @ ('"' | '\\') => read.push(c),
                other => panic!("\\{other} means something else"),
            },
            c => {
                assert!(!c.is_control());
                read.push(c);
            }
        }
    }
    panic!("the text does not end: {text}")
}
