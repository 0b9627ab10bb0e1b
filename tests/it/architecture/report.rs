//! The violations of one file.

use std::fmt::Display;

use super::syntax::Path;

/// Collects violations as `src/<file>:<line>: <what is wrong>`.
pub(super) struct Report<'a> {
    file: &'a str,
    found: &'a mut Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str, found: &'a mut Vec<String>) -> Report<'a> {
        Report { file, found }
    }

    pub(super) fn add(&mut self, line: usize, what: impl Display) {
        self.found.push(format!("src/{}:{line}: {what}", self.file));
    }

    /// Applies `rule` to each path. A path that begins with an imported name is not reported if the import itself
    /// violates the rule: that is one violation, on the line of the import.
    pub(super) fn judge<'p>(
        &mut self,
        paths: impl IntoIterator<Item = &'p Path>,
        rule: impl Fn(&[&str]) -> Option<String>,
    ) {
        for path in paths {
            let segments = path.segments();
            let reported_at_import = path.imported > 0 && rule(&segments[..path.imported]).is_some();
            if let Some(what) = rule(&segments).filter(|_| !reported_at_import) {
                self.add(path.line, format!("{}: {what}", segments.join("::")));
            }
        }
    }
}
