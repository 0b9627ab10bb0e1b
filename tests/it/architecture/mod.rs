//! The rules of `src/lib.rs`, as far as the syntax of the sources shows them.

mod cached;
mod every_file;
mod features;
mod order;
mod report;
mod scopes;
mod source;
mod sql;
mod syntax;
mod tables;
mod targets;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path as FilePath;

use report::Report;
use source::Source;

fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut unknown = BTreeSet::new();
    for source in sources {
        let mut report = Report::new(&source.path, &mut found);
        if let Some(folder) = source.folder().filter(|folder| order::is_unknown(folder))
            && unknown.insert(folder)
        {
            report.add(1, format!("{folder}: unknown feature; give it a place in the order of features"));
        }
        every_file::check(source, &mut report);
        order::check(source, &mut report);
        features::check(source, &mut report);
        tables::check(source, &mut report);
        cached::check(source, &mut report);
    }
    found
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
fn the_sources_keep_the_rules() {
    let root = FilePath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut sources = Vec::new();
    collect(root, root, &mut sources);
    sources.sort_by(|one, two| one.path.cmp(&two.path));
    assert!(sources.len() > 80, "the sources are found: {}", sources.len());
    let found = violations(&sources);
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

/// A file, its text and a part of the violation.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    // Layers.
    ("config/lib.rs", "use crate::platform::App;", "config must not know platform"),
    ("platform/db/mod.rs", "use crate::graphql::Id;", "platform must not know the GraphQL kernel"),
    ("platform/mail.rs", "fn f() { crate::accounts::f() }", "platform must not know the features"),
    ("graphql/page.rs", "use crate::accounts::User;", "the GraphQL kernel must not know the features"),
    ("graphql/page.rs", "use super::schema::Schema;", "must not know graphql::schema"),
    ("graphql/page.rs", "use crate::*;", "must not know cli"),
    ("graphql/page.rs", "use crate::graphql; fn f() { graphql::Executor::f() }", "must not know graphql::schema"),
    ("catalog/command.rs", "use crate::graphql::{Error, Executor};", "must not know graphql::schema"),
    ("catalog/command.rs", "use crate::http::HttpState;", "the features must not know http"),
    ("catalog/graphql/course.rs", "use super::super::super::app;", "the features must not know http and app"),
    ("graphql/schema.rs", "use crate::http::HttpState;", "must not know http"),
    ("http/mod.rs", "use crate::cli::run;", "http and app must not know cli"),
    // Paths wherever they are.
    (
        "config/lib.rs",
        "fn f() { m!(x, [crate::platform::f()]) }",
        "src/config/lib.rs:1: crate::platform::f: config must",
    ),
    ("config/lib.rs", "macro_rules! m { () => { use crate::{platform::db as d}; } }", "config must not know platform"),
    ("config/lib.rs", "#[x(y = crate::platform::f)]\nstruct A;", "config must not know platform"),
    ("config/lib.rs", "struct A<T: crate::platform::B>(Vec<T>);", "config must not know platform"),
    (
        "config/lib.rs",
        "fn f(a: A) {\n match a { crate::platform::B => {} } }",
        "src/config/lib.rs:2: crate::platform::B",
    ),
    ("config/lib.rs", "mod m { use super::super::platform; }", "config must not know platform"),
    ("config/lib.rs", "fn f() { use crate as root; root::platform::f() }", "config must not know platform"),
    // Re-exports.
    ("catalog/model.rs", "use crate::accounts::model::UserId;", "what accounts re-exports"),
    ("catalog/model.rs", "use crate::accounts::{User, model::{UserId}};", "what accounts re-exports"),
    ("catalog/model.rs", "use crate::accounts::*;", "what accounts re-exports"),
    ("catalog/model.rs", "use crate::accounts; type A = accounts::model::A;", "what accounts re-exports"),
    ("catalog/graphql/course.rs", "use crate::reviews::model::Review;", "what reviews re-exports"),
    ("http/mod.rs", "use crate::accounts::query::by_ids;", "what accounts re-exports"),
    ("catalog/command.rs", "use lyceum_accounts::User;", "name it crate::accounts"),
    // The order of features.
    ("catalog/command.rs", "use crate::enrollments::Access;", "catalog comes before enrollments"),
    ("catalog/mod.rs", "pub use crate::orders::Order;", "catalog comes before orders"),
    ("media/query/file.rs", "fn f() { crate::catalog::f() }", "media comes before catalog"),
    ("accounts/job.rs", "use crate::{analytics, platform};", "accounts comes before analytics"),
    ("shop/mod.rs", "struct Shop;", "unknown feature"),
    // The files of a feature.
    ("catalog/helpers.rs", "fn f() {}", "a feature has no such file"),
    ("catalog/graphql/course.rs", "use diesel::prelude::*;", "SQL belongs in query.rs"),
    ("catalog/job.rs", "use diesel_async::RunQueryDsl;", "SQL belongs in query.rs"),
    ("catalog/command.rs", "fn f() { diesel::sql_query(\"\"); }", "SQL belongs in query.rs"),
    ("catalog/command.rs", "use crate::platform::db::{RunQueryDsl, Tx};", "SQL belongs in query.rs"),
    ("catalog/port.rs", "use diesel::prelude::*;", "SQL belongs in query.rs"),
    ("catalog/model.rs", "use diesel_async::RunQueryDsl;", "model.rs has no IO"),
    ("catalog/command.rs", "use async_graphql::ID;", "command.rs knows no GraphQL"),
    ("catalog/query/page.rs", "fn f(_: async_graphql::ID) {}", "query.rs knows no GraphQL"),
    ("catalog/port.rs", "use async_graphql::ID;", "port.rs knows no GraphQL"),
    ("catalog/port.rs", "pub fn f(tx: &mut Tx) {}\npub fn g(tx: &Tx) {}", "port.rs:2: g: a public function of port.rs"),
    ("catalog/port/a.rs", "impl A { pub(crate) fn f(&mut self) {} }", "f: a public function of port.rs takes &mut Tx"),
    ("catalog/command.rs", "use aws_sdk_s3::Client;", "through platform"),
    ("catalog/command.rs", "use lettre::{Address, Message};", "through platform"),
    ("catalog/policy.rs", "async fn f() {\n g()\n.await }", "src/catalog/policy.rs:3: .await: policy.rs has no IO"),
    ("catalog/policy.rs", "async fn f() { m!(g().await) }", "policy.rs has no IO"),
    // Tables.
    ("enrollments/query.rs", "use crate::platform::db::schema::{players, users};", "users belongs to accounts"),
    ("catalog/model.rs", "#[diesel(table_name = super::super::platform::db::schema::users)] struct A;", "belongs to"),
    ("catalog/query.rs", "use crate::platform::db; fn f() { db::schema::videos::id }", "videos belongs to media"),
    ("catalog/query.rs", "use super::*; fn f() { schema::videos::id }", "videos belongs to media"),
    ("catalog/query.rs", "use crate::platform::db::schema::*;", "name the tables one by one"),
    ("catalog/query.rs", "use crate::platform::db::schema::nothing;", "not in the list of tables"),
    ("catalog/query.rs", "use crate::platform::db::schema::jobs;", "jobs belongs to platform"),
    ("catalog/query.rs", "use crate::platform::db::schema::audit_entries;", "audit_entries belongs to platform"),
    ("catalog/job.rs", "use crate::platform::db::schema::courses;", "only in the query and model files"),
    ("cli/seed.rs", "use crate::platform::db::schema::courses;", "only in the query and model files"),
    ("platform/audit.rs", "use super::db::schema::users;", "users belongs to accounts"),
    (
        "accounts/query.rs",
        "use crate::platform::db::schema::audit_entries; fn f(tx: &mut Tx) { diesel::delete(audit_entries::table) }",
        "audit_entries belongs to platform, which alone writes it",
    ),
    (
        "accounts/query.rs",
        "use crate::platform::db::schema::audit_entries as a; fn f(t: &mut Tx) { let x = a::table; diesel::delete(x) }",
        "audit_entries belongs to platform, which alone writes it",
    ),
    ("accounts/query.rs", "const SQL: &str = \"DELETE FROM audit_entries\";", "which alone writes it"),
    ("catalog/query.rs", "const SQL: &str = \"SELECT 1 FROM users\";", "SQL names users: users belongs to accounts"),
    ("catalog/query.rs", "fn f() { format!(\"x JOIN users ON {y}\") }", "SQL names users: users belongs to accounts"),
    ("catalog/query.rs", "const SQL: &str = r#\"UPDATE\n users SET x\"#;", "SQL names users"),
    ("catalog/query.rs", "const SQL: &str = \"INSERT INTO users\";", "SQL names users"),
    ("catalog/command.rs", "const SQL: &str = \"SELECT 1 FROM courses\";", "only in the query and model files"),
    ("platform/db/schema.rs", "diesel::table! { a (id) { id -> Uuid, } }", "a has no owner"),
    ("platform/db/schema.rs", "diesel::table! { users (id) { id -> Uuid, } }", "jobs has an owner, but does not exist"),
    // Writes.
    ("catalog/query.rs", "fn f(c: &mut Conn) { diesel::insert_into(x) }", "f: a function that writes takes &mut Tx"),
    ("catalog/query/a.rs", "fn f(tx: &Tx) { diesel::update(x) }", "that writes takes &mut Tx or &mut Writer"),
    ("catalog/query/a.rs", "fn f(w: Writer) { diesel::update(x) }", "a function that writes takes &mut Tx"),
    ("catalog/query.rs", "use diesel::delete; fn f(c: C) { delete(x) }", "f: a function that writes takes &mut Tx"),
    ("catalog/query.rs", "impl A { fn f(c: C) { sql(\"DELETE FROM courses\") } }", "f: a function that writes takes"),
    ("platform/jobs/query.rs", "fn f(c: C) { sql(&format!(\"UPDATE jobs SET {x}\")) }", "a function that writes takes"),
    ("catalog/query.rs", "fn f(c: C) { sql(\"WITH a AS (INSERT INTO courses) SELECT 1\") }", "function that writes"),
    // Cached tables.
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::courses;\nfn f(tx: &mut Tx) { diesel::update(courses::table.find(id)) }",
        "src/catalog/query.rs:2: f: a function that writes courses (cached) calls Tx::changed",
    ),
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::courses as c; fn f(w: &mut Writer) { diesel::delete(c::table) }",
        "f: a function that writes courses (cached)",
    ),
    (
        "catalog/query/a.rs",
        "use crate::platform::db::schema::lessons;
        fn f(tx: &mut Tx) {
            let (later, now): (A, B) = (lessons::table.filter(x), y);
            let later = later.filter(z);
            diesel::update(later.filter(z))
        }",
        "f: a function that writes lessons (cached)",
    ),
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::{lessons, sections};
        fn f(tx: &mut Tx) { join!(diesel::delete(lessons::table), diesel::insert_into(sections::table)) }",
        "f: a function that writes lessons and sections (cached)",
    ),
    (
        "accounts/query.rs",
        "use crate::platform::db::schema::users; fn f(tx: &mut Tx) { diesel::delete(users::table) }",
        "f: a function that writes users (cached)",
    ),
    (
        "accounts/query.rs",
        "use crate::platform::db::schema::users;
        fn f(tx: &mut Tx) { diesel::insert_into(users::table).values(x).on_conflict(y).do_update().set(z) }",
        "f: a function that writes users (cached)",
    ),
    ("accounts/query.rs", "fn f(tx: &mut Tx) { sql(\"UPDATE users SET x = 1\") }", "f: a function that writes users"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { m!(\"INSERT INTO course_slugs\") }", "f: a function that writes course_"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { fn g() { tx.changed(k) } \"DELETE FROM courses\" }", "writes courses"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { tx.recorded(); \"WITH x AS (UPDATE courses SET y)\" }", "f: a function"),
    // Every file.
    ("platform/db/mod.rs", "use std::{env, fs};", "only config/lib.rs reads the environment"),
    ("config/reader.rs", "fn f() { std::env::var(\"X\"); }", "only config/lib.rs reads the environment"),
    ("cli/serve.rs", "fn f() { tokio::spawn(async {}); }", "task tracker"),
    ("cli/serve.rs", "use tokio::task; fn f() { task::spawn(async {}); }", "task tracker"),
    ("catalog/query.rs", "use diesel_async::{AsyncPgConnection, RunQueryDsl};", "use platform::db::RunQueryDsl"),
    ("catalog/event.rs", "//! Nothing.\n", "no empty file"),
];

const ALLOWED: &[(&str, &str)] = &[
    ("platform/x.rs", "fn f() { std::env::split_paths(x) } #[cfg(test)] mod tests { fn f() { std::env::temp_dir() } }"),
    ("platform/mod.rs", "use crate::config::Config;"),
    ("graphql/executor.rs", "use super::schema::Schema;"),
    ("catalog/query.rs", "use diesel::prelude::*; use crate::accounts::UserId; use crate::platform::db::RunQueryDsl;"),
    ("catalog/command.rs", "use crate::accounts::{UserId, User}; fn f() -> diesel::result::Error {}"),
    ("catalog/command.rs", "fn f() { \"a\".parse::<lettre::Address>() }"),
    ("catalog/command.rs", "use crate::accounts; fn f() { accounts::is_known::<User>(); accounts::Role::Admin }"),
    ("catalog/graphql/course.rs", "use crate::catalog::model::Course; use super::section::S; use async_graphql::ID;"),
    ("app.rs", "use crate::accounts; fn f() { crate::accounts::handlers() }"),
    ("cli/seed/mod.rs", "use crate::catalog::{self, CourseId};"),
    ("config/lib.rs", "fn f() { std::env::vars(); } // tokio::spawn("),
    ("config/lib.rs", "/// crate::platform::db\n#[doc = \"crate::platform::db\"] fn f() { \"crate::platform::db\" }"),
    ("config/lib.rs", "pub(crate) fn f() {} mod tests { use super::*; fn g(self) { self.x(); super::f() } }"),
    // Later features, from `graphql/` only.
    ("catalog/graphql/course.rs", "use crate::reviews::ReviewConnection;"),
    ("catalog/graphql.rs", "fn f() { crate::enrollments::access() }"),
    ("enrollments/job.rs", "use crate::{accounts::UserId, catalog::CourseId, entitlements};"),
    (
        "media/port.rs",
        "pub async fn f(tx: &mut Tx) {} pub(crate) fn g<'t>(x: i32, tx: &'t mut db::Tx) {} fn private() {}",
    ),
    // Tables.
    ("catalog/query/course.rs", "use crate::platform::db::schema::{courses, lessons};"),
    ("catalog/model/course.rs", "use crate::platform::db::schema::courses; #[diesel(table_name = courses)] struct A;"),
    ("catalog/query.rs", "/// Reads FROM users\nconst SQL: &str = \"SELECT 1 FROM courses\"; // FROM users"),
    ("catalog/query.rs", "const SQL: &str = \"SELECT 1 FROM unnest($1) JOIN users_of_course ON x\";"),
    ("platform/outbox/mod.rs", "use super::db::schema::events;"),
    (
        "accounts/query/audit.rs",
        "use crate::platform::db::schema::audit_entries; fn f(c: C) { audit_entries::table.load(c); \"FROM audit_entries\" }",
    ),
    // Writes.
    ("catalog/query.rs", "async fn f(tx: &mut Tx) { diesel::update(courses).execute(tx.conn()).await }"),
    ("catalog/query.rs", "fn f(c: C) { sql(\"SELECT 1 FROM courses FOR UPDATE\"); update(x) }"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { fn g(c: C) {} sql(\"DELETE FROM course_texts\") }"),
    ("catalog/query.rs", "async fn f(writer: &mut db::Writer) { diesel::update(x).execute(writer.conn()).await }"),
    // Cached tables.
    ("catalog/query.rs", "fn f(tx: &mut Tx) { tx.changed(key(id)); sql(\"DELETE FROM courses\") }"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { lesson_changed(tx, &lesson); sql(\"DELETE FROM lessons\") }"),
    ("catalog/query.rs", "fn f(tx: &mut Tx) { sql(\"DELETE FROM lessons\"); ids.for_each(|id| tx.changed(key(id))) }"),
    ("catalog/query.rs", "#[cfg(test)] mod tests { fn f(tx: &mut Tx) { sql(\"DELETE FROM courses\") } }"),
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::courses; fn f(c: C) { let found = courses::table.find(id); found.load(c) }",
    ),
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::{course_texts, courses};
        fn f(tx: &mut Tx) {
            let hidden = courses::table.select(courses::id);
            diesel::delete(course_texts::table.filter(course_texts::course_id.eq_any(hidden)))
        }",
    ),
    (
        "catalog/query.rs",
        "use crate::platform::db::schema::{course_texts, courses};
        fn f(tx: &mut Tx) { { let x = courses::table; } let x = course_texts::table; diesel::delete(x) }",
    ),
    (
        "accounts/query.rs",
        "use crate::platform::db::schema::users;
        fn f(tx: &mut Tx) { diesel::insert_into(users::table).on_conflict(x).do_nothing(); \"INSERT INTO users\" }",
    ),
];

#[test]
fn each_rule_finds_what_it_forbids() {
    let long = "fn f() {}\n".repeat(451);
    let too_long = ("catalog/query.rs", long.as_str(), "451 lines");
    for (path, text, expected) in FORBIDDEN.iter().copied().chain([too_long]) {
        let found = violations(&[Source::new("accounts/mod.rs", "mod model;"), Source::new(path, text)]);
        assert!(found.iter().any(|line| line.contains(expected)), "{path}: {text}: {found:?}");
        assert!(found.iter().all(|line| line.starts_with(&format!("src/{path}:"))), "{found:?}");
    }
    for (path, text) in ALLOWED {
        let found = violations(&[Source::new("accounts/mod.rs", "mod model;"), Source::new(path, text)]);
        assert_eq!(found, [""; 0], "{path}: {text}");
    }
}

#[test]
fn an_import_that_is_a_violation_is_reported_once() {
    let text = "use crate::orders::Order;\nuse crate::orders;\nfn f() { Order::new(orders::f(), Order) }";
    let found = violations(&[Source::new("catalog/command.rs", text)]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn paths_are_found_where_they_are_and_nowhere_else() {
    let text = r###"//! crate::no
use std::{env, fmt::{self as shown, Debug}, io::*};
/* crate::no /* crate::no */ crate::no */
fn f<'a>(x: &'a str) -> crate::yes::Type<'a> {
    let quoted = ("crate::no \" crate::no", r#"crate::no " crate::no"#, '"', b'\'', "x");
    x.y::<crate::also>(); // crate::no
    super::super::up(); tokio::spawn(async {});
    m! { A::<B::C>::no() => shown::Display, x.collect::<crate::r#in>(), "crate::no", <B as ::a::D>::E::no,
        use self::{g::h as i, j::*}; }
}
"###;
    let source = Source::new("a/b/c.rs", text);
    let found: Vec<(usize, String)> =
        source.syntax.paths.iter().map(|path| (path.line, path.segments().join("::"))).collect();
    let expected = [
        (2, "std::env"),
        (2, "std::fmt"),
        (2, "std::fmt::Debug"),
        (2, "std::io::*"),
        (4, "crate::yes::Type"),
        (6, "crate::also"),
        (7, "crate::a::up"),
        (7, "tokio::spawn"),
        (8, "B::C"),
        (8, "std::fmt::Display"),
        (8, "crate::in"),
        (8, "a::D"),
        (9, "crate::a::b::c::g::h"),
        (9, "crate::a::b::c::j::*"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
