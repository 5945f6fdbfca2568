//! Pictures of a flow, and of the lifecycle that all flows have.

use clap::ValueEnum;
use serde::Serialize;

use crate::FlowName;
use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::rules::Flows;
use crate::diagram::Diagram;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The flow, if the program knows several
    #[arg(long)]
    flow: Option<String>,
    /// Draw the stages and what leads from one to another, which are the same for every flow
    #[arg(long, conflicts_with = "flow")]
    lifecycle: bool,
    /// Mermaid for Markdown, DOT for Graphviz
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

#[derive(ValueEnum, Serialize, Debug, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Format {
    Mermaid,
    Dot,
}

#[derive(Serialize)]
struct Drawn {
    flow: Option<FlowName>,
    format: Format,
    text: String,
}

pub(in crate::cli) fn answer(flows: &Flows, args: &Args) -> Result<Answer, Problem> {
    let (flow, diagram) = match args.lifecycle {
        true => (None, Diagram::lifecycle()),
        false => {
            let plan = flows.one(args.flow.as_deref())?.plan();
            (Some(plan.flow().clone()), Diagram::of(plan))
        }
    };
    let format = args.format;
    let text = match format {
        Format::Mermaid => diagram.to_mermaid(),
        Format::Dot => diagram.to_dot(),
    };
    let shown = text.clone();
    Answer::new(Drawn { flow, format, text }, shown)
}
