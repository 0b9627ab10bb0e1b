//! The rules of `src/lib.rs`, as far as the text of the sources can tell.

mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path as FilePath;

use scan::{Path, code, paths};

/// What a feature consists of; each may be a folder when it grows.
const VOCABULARY: [&str; 10] =
    ["mod", "model", "query", "command", "policy", "event", "error", "loader", "graphql", "job"];
const MOST_LINES: usize = 450;
/// Folders of `src/` that are no features.
const HOUSE: [&str; 5] = ["cli", "config", "graphql", "http", "platform"];

/// From the ground up: a file names only what is on its own storey or below.
const STOREYS: [&str; 7] = [
    "config",
    "platform",
    "the GraphQL kernel",
    "the features",
    "graphql::schema and graphql::execute",
    "http and app",
    "cli and main",
];

/// A source file: its path below `src/` and its text.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), code: code(text), lines: text.lines().count() }
    }

    /// `accounts/graphql/user.rs` is `["accounts", "graphql", "user"]`, and `mod.rs` is its folder.
    fn module(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = self.path.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
            parts.pop();
        }
        parts
    }

    /// The feature that the file belongs to and the file's word in the vocabulary.
    fn feature(&self) -> Option<(&str, &str)> {
        let (folder, rest) = self.path.split_once('/')?;
        let word = rest.split('/').next()?.trim_end_matches(".rs");
        (!HOUSE.contains(&folder)).then_some((folder, word))
    }

    /// The paths that the file names, with `super` and `crate` resolved: `accounts::model::User`.
    fn inside(&self) -> Vec<Path> {
        let mut inside = Vec::new();
        for mut path in paths(&self.code) {
            let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
            if path.segments[0] == "crate" {
                path.segments.remove(0);
            } else if supers > 0 {
                let module = self.module();
                // A module inside of the file is one level deeper, so this is too high at most.
                let above = module.iter().take(module.len().saturating_sub(supers)).map(|part| part.to_string());
                path.segments = above.chain(path.segments.split_off(supers)).collect();
            } else {
                continue;
            }
            inside.push(path);
        }
        inside
    }
}

/// The storey of a module, named from the crate's root. `Graph` is re-exported by the kernel's `mod.rs`.
fn storey(module: &[&str]) -> usize {
    match module {
        ["config", ..] => 0,
        ["platform", ..] => 1,
        ["graphql", "schema" | "execute" | "Graph", ..] => 4,
        ["graphql", ..] => 2,
        ["http" | "app", ..] => 5,
        ["cli", ..] | [] => 6,
        _ => 3,
    }
}

fn violations(sources: &[Source]) -> Vec<String> {
    let features: BTreeSet<&str> = sources.iter().filter_map(|source| Some(source.feature()?.0)).collect();
    let mut found = Vec::new();
    for source in sources {
        let mut say = |line: usize, what: String| found.push(format!("src/{}:{line}: {what}", source.path));
        // What diesel prints of the database is as long as the database is large.
        if source.lines > MOST_LINES && source.path != "platform/db/schema.rs" {
            say(
                MOST_LINES + 1,
                format!("{} lines; a file has at most {MOST_LINES}: make a folder of it", source.lines),
            );
        }
        if source.code.trim().is_empty() {
            say(1, "there is no empty file".into());
        }
        // `lib.rs` declares everything and uses nothing.
        if source.path != "lib.rs" {
            directions(source, &features, &mut say);
        }
        everywhere(source, &mut say);
        if let Some((_, word)) = source.feature() {
            inside_a_feature(source, word, &mut say);
        }
    }
    found
}

/// Who may name whom.
fn directions(source: &Source, features: &BTreeSet<&str>, say: &mut impl FnMut(usize, String)) {
    let own = storey(&source.module());
    for path in source.inside() {
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let shown = segments.join("::");
        // `use super::*` of a module inside of `config.rs` or `app.rs`.
        let Some(first) = segments.first().filter(|first| **first != "*") else { continue };
        let other = storey(&segments);
        if other > own {
            say(path.line, format!("crate::{shown}: {} must not know {}", STOREYS[own], STOREYS[other]));
        }
        let foreign = features.contains(first) && source.feature().is_none_or(|(feature, _)| feature != *first);
        let deep = segments.len() > 2 && segments[1].starts_with(char::is_lowercase);
        if foreign && (deep || segments.get(1) == Some(&"*")) {
            say(path.line, format!("crate::{shown}: use what {first}/mod.rs re-exports, by name"));
        }
    }
}

/// What holds for every file, except for the unit tests at its end.
fn everywhere(source: &Source, say: &mut impl FnMut(usize, String)) {
    let program = source.code.split("#[cfg(test)]").next().unwrap_or_default();
    for path in paths(program) {
        // Taking a search path apart reads nothing.
        let pure = path.starts_with(&["std", "env", "split_paths"]);
        if path.starts_with(&["std", "env"]) && !pure && source.path != "config.rs" {
            say(path.line, "std::env: only config.rs reads the environment".into());
        }
        if path.starts_with(&["tokio", "spawn"]) || path.starts_with(&["tokio", "task", "spawn"]) {
            say(path.line, "tokio::spawn: spawn on the App's task tracker, so that shutdown waits for it".into());
        }
        if path.starts_with(&["diesel_async", "RunQueryDsl"]) && source.path != "platform/db/run.rs" {
            say(path.line, "diesel_async::RunQueryDsl: use platform::db::RunQueryDsl, which compiles faster".into());
        }
    }
}

/// Which file of a feature may know what.
fn inside_a_feature(source: &Source, word: &str, say: &mut impl FnMut(usize, String)) {
    if !VOCABULARY.contains(&word) {
        say(1, format!("{word}: a feature has no such file, only {}", VOCABULARY.join(", ")));
    }
    let (sql, graphql) = (["query", "model"].contains(&word), ["command", "policy", "query", "event"].contains(&word));
    for path in paths(&source.code) {
        let shown = path.segments.join("::");
        let root = path.segments[0].as_str();
        let error = path.starts_with(&["diesel", "result"]);
        let runs = path.starts_with(&["crate", "platform", "db", "RunQueryDsl"]) && word != "query";
        if runs || (root == "diesel_async" || (root == "diesel" && !error)) && !sql {
            say(path.line, format!("{shown}: SQL belongs in query.rs"));
        }
        if root == "diesel_async" && word == "model" {
            say(path.line, format!("{shown}: model.rs has no IO"));
        }
        if root == "async_graphql" && graphql {
            say(path.line, format!("{shown}: {word}.rs knows no GraphQL"));
        }
        let outside =
            ["lettre", "redis", "s3s", "reqwest", "hyper", "axum"].contains(&root) || root.starts_with("aws_");
        if outside && !path.starts_with(&["lettre", "Address"]) {
            say(path.line, format!("{shown}: features reach the world through platform"));
        }
    }
    if ["policy", "model", "event", "error"].contains(&word) {
        for (line, _) in source.code.lines().enumerate().filter(|(_, text)| text.contains(".await")) {
            say(line + 1, format!(".await: {word}.rs has no IO"));
        }
    }
}

fn collect(folder: &FilePath, root: &FilePath, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            sources.push(Source::new(name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_sources_keep_the_rules_of_the_house() {
    let root = FilePath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut sources = Vec::new();
    collect(root, root, &mut sources);
    sources.sort_by(|one, two| one.path.cmp(&two.path));
    assert!(sources.len() > 80, "the sources are found: {}", sources.len());
    let found = violations(&sources);
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

#[test]
fn each_rule_finds_what_it_forbids() {
    let cases: [(&str, &str, &str); 31] = [
        ("config.rs", "use crate::platform::App;", "config must not know platform"),
        ("platform/db/mod.rs", "use crate::graphql::Id;", "platform must not know the GraphQL kernel"),
        ("platform/mail.rs", "fn f() { crate::accounts::f() }", "platform must not know the features"),
        ("graphql/page.rs", "use crate::accounts::User;", "the GraphQL kernel must not know the features"),
        ("graphql/page.rs", "use super::schema::Schema;", "must not know graphql::schema"),
        ("catalog/command.rs", "use crate::graphql::{Error, Graph};", "must not know graphql::schema"),
        ("catalog/command.rs", "use crate::http::Edge;", "the features must not know http"),
        ("catalog/graphql/course.rs", "use super::super::super::app;", "the features must not know http and app"),
        ("graphql/schema.rs", "use crate::http::Edge;", "must not know http"),
        ("http/mod.rs", "use crate::cli::run;", "http and app must not know cli"),
        ("catalog/model.rs", "use crate::accounts::model::UserId;", "what accounts/mod.rs re-exports"),
        ("catalog/model.rs", "use crate::accounts::{User, model::{UserId}};", "what accounts/mod.rs re-exports"),
        ("catalog/model.rs", "use crate::accounts::*;", "what accounts/mod.rs re-exports"),
        ("http/mod.rs", "use crate::accounts::query::by_ids;", "what accounts/mod.rs re-exports"),
        ("catalog/helpers.rs", "fn f() {}", "a feature has no such file"),
        ("catalog/graphql/course.rs", "use diesel::prelude::*;", "SQL belongs in query.rs"),
        ("catalog/job.rs", "use diesel_async::RunQueryDsl;", "SQL belongs in query.rs"),
        ("catalog/command.rs", "fn f() { diesel::sql_query(\"\"); }", "SQL belongs in query.rs"),
        ("catalog/command.rs", "use crate::platform::db::{RunQueryDsl, Tx};", "SQL belongs in query.rs"),
        ("catalog/query.rs", "use diesel_async::{AsyncPgConnection, RunQueryDsl};", "use platform::db::RunQueryDsl"),
        ("catalog/model.rs", "use diesel_async::RunQueryDsl;", "model.rs has no IO"),
        ("catalog/command.rs", "use async_graphql::ID;", "command.rs knows no GraphQL"),
        ("catalog/query/page.rs", "fn f(_: async_graphql::ID) {}", "query.rs knows no GraphQL"),
        ("catalog/command.rs", "use aws_sdk_s3::Client;", "through platform"),
        ("catalog/command.rs", "use lettre::{Address, Message};", "through platform"),
        ("catalog/policy.rs", "async fn f() { g().await }", "policy.rs has no IO"),
        ("platform/db/mod.rs", "use std::{env, fs};", "only config.rs reads the environment"),
        ("config/reader.rs", "fn f() { std::env::var(\"X\"); }", "only config.rs reads the environment"),
        ("cli/serve.rs", "fn f() { tokio::spawn(async {}); }", "tokio::spawn"),
        ("catalog/event.rs", "// nothing\n", "no empty file"),
        ("catalog/query.rs", &"fn f() {}\n".repeat(451), "451 lines"),
    ];
    for (path, text, expected) in cases {
        let sources = [Source::new("accounts/mod.rs", "mod model;"), Source::new(path, text)];
        let found = violations(&sources);
        assert!(found.iter().any(|line| line.contains(expected)), "{path}: {text}: {found:?}");
        assert!(found.iter().all(|line| line.starts_with(&format!("src/{path}:"))), "{found:?}");
    }
    let allowed: [(&str, &str); 10] = [
        (
            "platform/x.rs",
            "fn f() { std::env::split_paths(x) } #[cfg(test)] mod tests { fn f() { std::env::temp_dir() } }",
        ),
        ("platform/mod.rs", "use crate::config::Config;"),
        ("graphql/execute.rs", "use super::schema::Schema;"),
        (
            "catalog/query.rs",
            "use diesel::prelude::*; use crate::accounts::UserId; use crate::platform::db::RunQueryDsl;",
        ),
        ("catalog/command.rs", "use crate::accounts::{UserId, User}; fn f() -> diesel::result::Error {}"),
        ("catalog/command.rs", "fn f() { \"a\".parse::<lettre::Address>() }"),
        (
            "catalog/graphql/course.rs",
            "use crate::catalog::model::Course; use super::section::S; use async_graphql::ID;",
        ),
        ("app.rs", "use crate::accounts; fn f() { crate::accounts::handlers() }"),
        ("cli/seed/mod.rs", "use crate::catalog::{self, CourseId};"),
        ("config.rs", "fn f() { std::env::vars(); } // tokio::spawn("),
    ];
    for (path, text) in allowed {
        let sources = [Source::new("accounts/mod.rs", "mod model;"), Source::new(path, text)];
        assert_eq!(violations(&sources), [""; 0], "{path}: {text}");
    }
}
