//! Tells how far the seeding is: a bar on a terminal, otherwise one line for each step.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::platform::internal_error::InternalError;

/// The progress of a seeding.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress { bar: ProgressBar::new(0), started: Instant::now() }
    }

    /// Starts a step with this many parts.
    pub(super) fn step(&self, what: &'static str, parts: usize) -> Result<(), InternalError> {
        if self.bar.is_hidden() {
            eprintln!("Demo school: {what} ({parts}), after {:.1} s", self.started.elapsed().as_secs_f64());
        }
        self.bar.set_style(ProgressStyle::with_template("{msg:<10} {bar:40} {pos}/{len}  {elapsed}")?);
        self.bar.set_length(u64::try_from(parts)?);
        self.bar.set_position(0);
        self.bar.set_message(what);
        Ok(())
    }

    /// Counts parts of the current step that are done.
    pub(super) fn done(&self, parts: usize) {
        self.bar.inc(u64::try_from(parts).unwrap_or_default());
    }

    pub(super) fn finish(&self) {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.bar.is_hidden() {
            eprintln!("Demo school: complete after {seconds:.1} s");
        }
        self.bar.finish_and_clear();
    }
}
