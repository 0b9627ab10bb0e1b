//! Which module may name which.

use std::path::Path;

use super::report::Report;
use super::source::{SHARED, Source};

/// From the lowest up: a file names only what is in its own layer or below.
const LAYERS: [&str; 7] = [
    "config",
    "platform",
    "the GraphQL kernel",
    "the features",
    "graphql::schema and graphql::executor",
    "http and app",
    "cli and main",
];

/// Outside of its `graphql/`, a feature names only features that come before it.
const FEATURES: [&str; 13] = [
    "accounts",
    "channels",
    "media",
    "entitlements",
    "catalog",
    "enrollments",
    "discussions",
    "reviews",
    "memberships",
    "orders",
    "live",
    "notifications",
    "analytics",
];

/// The layer of a module path from the crate's root.
fn layer(module: &[&str]) -> usize {
    match module {
        ["config", ..] => 0,
        ["platform", ..] => 1,
        // `Executor` is re-exported by `graphql/mod.rs`.
        ["graphql", "schema" | "executor" | "Executor", ..] => 4,
        ["graphql", ..] => 2,
        ["http" | "app", ..] => 5,
        ["cli" | "*", ..] | [] => 6,
        _ => 3,
    }
}

/// Whether a path is from the root of the folder's own crate, as in `pub(in crate::payments)` in the platform's.
fn is_within_own_crate(source: &Source, module: &[&str]) -> bool {
    let Some(folder) = source.folder() else { return false };
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).join(folder);
    let is_there = |name: &str| root.join(name).is_dir() || root.join(format!("{name}.rs")).is_file();
    // Those are above or beside it: `crate::graphql` is the kernel in each crate, also beside a feature's `graphql/`.
    let is_another = |name: &str| place(name).is_some() || SHARED.contains(&name);
    root.join("lib.rs").is_file() && module.first().is_some_and(|name| is_there(name) && !is_another(name))
}

/// The place in the order of features.
fn place(name: &str) -> Option<usize> {
    FEATURES.iter().position(|feature| *feature == name)
}

/// Whether a folder of `src/` is in neither list.
pub(super) fn is_unknown(folder: &str) -> bool {
    place(folder).is_none() && !SHARED.contains(&folder)
}

pub(super) fn check(source: &Source, report: &mut Report<'_>) {
    // `lib.rs` declares every module.
    if source.path == "lib.rs" {
        return;
    }
    let own_layer = layer(&source.module());
    report.judge(&source.syntax.paths, |path| {
        let module = path.strip_prefix(&["crate"]).filter(|module| !module.is_empty())?;
        if is_within_own_crate(source, module) {
            return None;
        }
        let other = layer(module);
        (other > own_layer).then(|| format!("{} must not know {}", LAYERS[own_layer], LAYERS[other]))
    });
    report.judge(&source.syntax.paths, |path| past_the_re_exports(source, path));
    report.judge(&source.syntax.paths, |path| later_feature(source, path));
    report.judge(&source.syntax.paths, |path| by_crate(source, path));
}

/// A feature's files are its own; all others use what its `lib.rs` and `mod.rs` re-export.
fn past_the_re_exports(source: &Source, path: &[&str]) -> Option<String> {
    let ["crate", feature, name, rest @ ..] = path else { return None };
    let is_foreign = place(feature).is_some() && source.folder() != Some(*feature);
    let is_in_a_module = *name == "*" || (!rest.is_empty() && name.starts_with(char::is_lowercase));
    (is_foreign && is_in_a_module).then(|| format!("use what {feature} re-exports, by name"))
}

/// Paths are the same in all crates: `crate::accounts`, not `lyceum_accounts`.
fn by_crate(source: &Source, path: &[&str]) -> Option<String> {
    let declares = source.path.ends_with("lib.rs") || source.path.ends_with("mod.rs");
    let name = path.first()?.strip_prefix("lyceum_")?;
    let is_here = place(name).is_some() || SHARED.contains(&name);
    (is_here && !declares).then(|| format!("name it crate::{name}"))
}

fn later_feature(source: &Source, path: &[&str]) -> Option<String> {
    let (own, file) = source.feature()?;
    let ["crate", other, ..] = path else { return None };
    let is_later = place(other)? > place(own)?;
    (is_later && file != "graphql").then(|| {
        format!("{own} comes before {other}: only {own}/graphql may name it; register a function or record an event")
    })
}
