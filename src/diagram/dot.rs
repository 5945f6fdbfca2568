//! As Graphviz's DOT.

use super::{Diagram, Edge, Line, Node, Shape};

pub(super) fn write(diagram: &Diagram) -> String {
    let direction = if diagram.wide { "LR" } else { "TB" };
    let mut text = format!("digraph {} {{\n", quoted(&[&diagram.name], ""));
    text += &format!("    rankdir={direction};\n");
    for node in &diagram.nodes {
        text += &format!("    {};\n", drawn(node));
    }
    for edge in &diagram.edges {
        let (from, to) = (diagram.id(edge.from), diagram.id(edge.to));
        text += &format!("    {from} -> {to} [{}];\n", attributes(edge));
    }
    text + "}\n"
}

fn drawn(node: &Node) -> String {
    let shape = match node.shape {
        Shape::Round => "box, style=rounded",
        Shape::Form => "note",
        Shape::Slanted => "parallelogram",
        Shape::Pointed => "hexagon",
        Shape::Box => "component",
        Shape::Circle => "circle",
    };
    let label = quoted(&node.lines, "\\n");
    format!("{} [label={label}, shape={shape}]", node.id)
}

fn attributes(edge: &Edge) -> String {
    let style = match edge.line {
        Line::Solid => "solid",
        Line::Dotted => "dotted",
        Line::Thick => "bold",
    };
    match edge.labels.is_empty() {
        true => format!("style={style}"),
        false => format!("style={style}, label={}", quoted(&edge.labels, ", ")),
    }
}

fn quoted<T: AsRef<str>>(lines: &[T], between: &str) -> String {
    let lines: Vec<_> = lines.iter().map(|line| escaped(line.as_ref())).collect();
    format!("\"{}\"", lines.join(between))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            // Graphviz reads HTML's codes in labels.
            '&' => escaped += "&amp;",
            _ if c.is_control() => escaped.push(' '),
            _ => escaped.push(c),
        }
    }
    escaped
}
