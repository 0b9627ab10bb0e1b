//! The tables that diesel's statements write.

use syn::Expr;
use syn::visit::{self, Visit};

use super::scopes::Scopes;
use super::sql::Statement;

/// A table that is passed to `diesel::insert_into`, `diesel::update` or `diesel::delete`.
pub(super) struct Target {
    pub(super) line: usize,
    pub(super) table: String,
    pub(super) statement: Statement,
}

/// The statement that a call of a resolved path begins.
pub(super) fn statement(path: &[String]) -> Option<Statement> {
    match (path.first()?.as_str(), path.last()?.as_str()) {
        ("diesel", "insert_into") => Some(Statement::Insert),
        ("diesel", "update") => Some(Statement::Update),
        ("diesel", "delete") => Some(Statement::Delete),
        _ => None,
    }
}

/// The table that a resolved path names, or `*`.
pub(super) fn table<S: AsRef<str>>(path: &[S]) -> Option<&str> {
    let position = match path.first()?.as_ref() {
        "crate" if path.iter().map(AsRef::as_ref).take(4).eq(["crate", "platform", "db", "schema"]) => 4,
        // `schema` came into scope by a glob.
        "schema" => 1,
        _ => return None,
    };
    path.get(position).map(AsRef::as_ref)
}

/// The first table that an expression names, itself or through a local variable. A statement writes that one: in
/// `lessons::table.filter(…)`, the tables of the condition are only read.
pub(super) fn first_table<'e>(scopes: &Scopes, expressions: impl IntoIterator<Item = &'e Expr>) -> Option<String> {
    let mut tables = Tables { scopes, first: None };
    expressions.into_iter().for_each(|expression| tables.visit_expr(expression));
    tables.first
}

struct Tables<'s> {
    scopes: &'s Scopes,
    first: Option<String>,
}

impl<'ast> Visit<'ast> for Tables<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if self.first.is_none() {
            self.first = self.scopes.table(path);
        }
        visit::visit_path(self, path);
    }
}
