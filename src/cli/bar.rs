//! Shows that something goes on, where somebody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::run::Context;

impl Context<'_> {
    /// Counts up; how many there are is not known before, because nobody counts rows.
    pub(super) fn spinner(&self, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::no_length();
        if !self.bars {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {pos} {msg} ({per_sec})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}
