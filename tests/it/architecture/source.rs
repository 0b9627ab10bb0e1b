//! A source file: where it is and what it names.

use super::syntax::{Syntax, read};

/// Folders of `src/` that are not features.
pub(super) const SHARED: [&str; 5] = ["cli", "config", "graphql", "http", "platform"];

/// A file of `src/`.
pub(super) struct Source {
    /// The path below `src/`, such as `accounts/query/user.rs`.
    pub(super) path: String,
    pub(super) lines: usize,
    pub(super) syntax: Syntax,
}

impl Source {
    /// Parses `text`; panics if it is not Rust.
    pub(super) fn new(path: &str, text: &str) -> Source {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{path}: {error}"));
        let syntax = read(&file, &module(path));
        Source { path: path.to_owned(), lines: text.lines().count(), syntax }
    }

    /// The module path from the crate's root: `["accounts", "query", "user"]`.
    pub(super) fn module(&self) -> Vec<&str> {
        module(&self.path)
    }

    /// The first folder of the path, if the file is not directly in `src/`.
    pub(super) fn folder(&self) -> Option<&str> {
        self.path.split_once('/').map(|(folder, _)| folder)
    }

    /// The feature and the file's name in the vocabulary: `("accounts", "query")` for `accounts/query/user.rs`.
    pub(super) fn feature(&self) -> Option<(&str, &str)> {
        let folder = self.folder()?;
        let name = self.path.split('/').nth(1)?.trim_end_matches(".rs");
        (!SHARED.contains(&folder)).then_some((folder, name))
    }

    /// Whether the file holds the SQL of a feature or of a part of the platform.
    pub(super) fn is_query(&self) -> bool {
        match self.feature() {
            Some((_, name)) => name == "query",
            None => self.folder() == Some("platform") && self.module().contains(&"query"),
        }
    }
}

/// `mod.rs`, `lib.rs` and `main.rs` are their folder.
fn module(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts
}
