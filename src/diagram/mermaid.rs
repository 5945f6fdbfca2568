//! As Mermaid's flow chart.

use super::{Diagram, Edge, Line, Node, Shape};

pub(super) fn write(diagram: &Diagram) -> String {
    let direction = if diagram.wide { "LR" } else { "TB" };
    let mut text = format!("flowchart {direction}\n");
    for node in &diagram.nodes {
        text += &format!("    {}\n", drawn(node));
    }
    for edge in &diagram.edges {
        let (from, to) = (diagram.id(edge.from), diagram.id(edge.to));
        text += &format!("    {from} {} {to}\n", arrow(edge));
    }
    text
}

fn drawn(node: &Node) -> String {
    let (open, close) = match node.shape {
        Shape::Round => ("([", "])"),
        Shape::Form => ("[", "]"),
        Shape::Slanted => ("[/", "/]"),
        Shape::Pointed => ("{{", "}}"),
        Shape::Box => ("[[", "]]"),
        Shape::Circle => ("((", "))"),
    };
    let lines: Vec<_> = node.lines.iter().map(|line| escaped(line)).collect();
    format!("{}{open}\"{}\"{close}", node.id, lines.join("<br/>"))
}

fn arrow(edge: &Edge) -> String {
    let arrow = match edge.line {
        Line::Solid => "-->",
        Line::Dotted => "-.->",
        Line::Thick => "==>",
    };
    if edge.labels.is_empty() {
        return arrow.to_owned();
    }
    let labels: Vec<_> = edge.labels.iter().map(|label| escaped(label)).collect();
    format!("{arrow}|\"{}\"|", labels.join(", "))
}

/// Letters, digits and a few signs are kept; everything else is a code, because what Mermaid takes for
/// markup (quotes, tags, Markdown, directives) changes with its versions.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            _ if c.is_alphanumeric() || " _-.,".contains(c) => escaped.push(c),
            _ if c.is_control() => escaped.push(' '),
            _ => escaped += &format!("#{};", u32::from(c)),
        }
    }
    escaped
}
