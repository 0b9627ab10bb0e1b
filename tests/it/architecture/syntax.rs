//! What a file's syntax tree says that the rules ask for. Comments and the text of literals name nothing.

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprAwait, ExprCall, ExprMethodCall, FnArg, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemUse,
    LitStr, Local, Macro, Meta, Pat, Signature, TraitItemFn, Type, Visibility,
};

use super::scopes::{Scopes, leaves, segments, text};
use super::sql::{self, Statement};
use super::targets::{self, Target, first_table};
use super::tokens::Tokens;

/// What a file contains, in the order of its text.
#[derive(Default)]
pub(super) struct Syntax {
    pub(super) is_empty: bool,
    pub(super) paths: Vec<Path>,
    /// String literals, those of macros included.
    pub(super) literals: Vec<Literal>,
    /// The lines of `.await`.
    pub(super) awaits: Vec<usize>,
    pub(super) functions: Vec<Function>,
    /// The tables that `diesel::table!` declares.
    pub(super) tables: Vec<String>,
}

/// A path that a file names, resolved: `crate::accounts::User` also where the file says `super::User` or, after an
/// import, `User`.
pub(super) struct Path {
    pub(super) line: usize,
    segments: Vec<String>,
    /// How many of the first segments an imported name stands for; 0 if the file spells them out.
    pub(super) imported: usize,
    /// In code that only tests compile.
    pub(super) in_test: bool,
}

impl Path {
    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
}

/// The value of a string literal.
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A function or a method.
pub(super) struct Function {
    pub(super) line: usize,
    pub(super) name: String,
    /// `pub` or `pub(...)`.
    pub(super) is_public: bool,
    /// One of the parameters is a `&mut Tx`.
    pub(super) takes_tx: bool,
    /// One of the parameters is a `&mut Writer`.
    pub(super) takes_writer: bool,
    /// The body contains a statement that writes to the database.
    pub(super) writes: bool,
    /// The tables that the body writes with diesel.
    pub(super) targets: Vec<Target>,
    /// The values of the body's string literals, those of macros included.
    pub(super) literals: Vec<String>,
    /// The body calls a method `changed` or a function whose name ends in `_changed`.
    pub(super) records_change: bool,
    pub(super) in_test: bool,
}

/// Reads the file of `module`, a module path from the crate's root.
pub(super) fn read(file: &syn::File, module: &[&str]) -> Syntax {
    let mut reader = Reader {
        scopes: Scopes::new(module, &file.items),
        syntax: Syntax { is_empty: file.items.is_empty(), ..Syntax::default() },
        open: Vec::new(),
        tests: 0,
    };
    reader.visit_file(file);
    reader.syntax
}

struct Reader {
    scopes: Scopes,
    syntax: Syntax,
    /// The functions around the present place.
    open: Vec<Function>,
    /// How many `#[cfg(test)]` are around the present place.
    tests: usize,
}

impl Reader {
    fn path(&mut self, line: usize, written: Vec<String>) {
        // `pub(crate)`, `self.x` and `Self { .. }` name nothing.
        if written.len() == 1 && ["crate", "self", "super", "Self"].contains(&written[0].as_str()) {
            return;
        }
        let (segments, imported) = self.scopes.resolve(written);
        let is_own_name = segments.len() < 2;
        if !is_own_name {
            let in_test = self.tests > 0;
            self.syntax.paths.push(Path { line, segments, imported, in_test });
        }
    }

    fn literal(&mut self, literal: &LitStr) {
        let text = literal.value();
        if let Some(function) = self.open.last_mut() {
            function.writes |= sql::writes(&text);
            function.literals.push(text.clone());
        }
        self.syntax.literals.push(Literal { line: literal.span().start().line, text });
    }

    fn tokens(&mut self, stream: &TokenStream) {
        let tokens = Tokens::read(stream.clone());
        let resolved: Vec<Vec<String>> =
            tokens.paths.iter().map(|(_, segments)| self.scopes.resolve(segments.clone()).0).collect();
        for (index, (line, segments)) in tokens.paths.into_iter().enumerate() {
            if let Some(statement) = targets::statement(&resolved[index]) {
                let table = resolved[index..].iter().find_map(|path| targets::table(path));
                self.note_write(line, statement, table.map(str::to_owned));
            }
            self.path(line, segments);
        }
        tokens.literals.iter().for_each(|literal| self.literal(literal));
        self.syntax.awaits.extend(tokens.awaits);
    }

    fn note_write(&mut self, line: usize, statement: Statement, table: Option<String>) {
        if let Some(function) = self.open.last_mut() {
            function.writes = true;
            function.targets.extend(table.map(|table| Target { line, table, statement }));
        }
    }

    /// The insert that was noted last updates the row if there is one.
    fn note_upsert(&mut self) {
        if let Some(target) = self.open.last_mut().and_then(|function| function.targets.last_mut()) {
            target.statement = Statement::Update;
        }
    }

    fn note_change(&mut self) {
        if let Some(function) = self.open.last_mut() {
            function.records_change = true;
        }
    }

    /// Declares the variables of a `let`, those of a tuple one by one.
    fn declare(&mut self, pattern: &Pat, value: &Expr) {
        match (pattern, value) {
            (Pat::Ident(variable), _) => {
                let table = first_table(&self.scopes, [value]);
                self.scopes.declare(&variable.ident, table);
            }
            (Pat::Type(typed), _) => self.declare(&typed.pat, value),
            (Pat::Tuple(patterns), Expr::Tuple(values)) => {
                patterns.elems.iter().zip(&values.elems).for_each(|(pattern, value)| self.declare(pattern, value));
            }
            _ => {}
        }
    }

    /// Visits an item that may be under `#[cfg(test)]`.
    fn item(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Reader)) {
        let is_test = attributes.iter().any(is_cfg_test);
        self.tests += usize::from(is_test);
        visit(self);
        self.tests -= usize::from(is_test);
    }

    fn function(
        &mut self,
        attributes: &[Attribute],
        is_public: bool,
        signature: &Signature,
        visit: impl FnOnce(&mut Reader),
    ) {
        self.item(attributes, |reader| {
            reader.open.push(Function {
                line: signature.ident.span().start().line,
                name: text(&signature.ident),
                is_public,
                takes_tx: takes_mut(signature, "Tx"),
                takes_writer: takes_mut(signature, "Writer"),
                writes: false,
                targets: Vec::new(),
                literals: Vec::new(),
                records_change: false,
                in_test: reader.tests > 0,
            });
            visit(reader);
            reader.syntax.functions.extend(reader.open.pop());
        });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path.segments[0].ident.span().start().line, segments(path));
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.item(&item.attrs, |reader| {
            for leaf in leaves(item) {
                reader.path(leaf.line, leaf.segments);
            }
            visit::visit_item_use(reader, item);
        });
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.item(&item.attrs, |reader| {
            let items = item.content.as_ref().map_or(&[][..], |(_, items)| items);
            reader.scopes.enter_module(&item.ident, items);
            visit::visit_item_mod(reader, item);
            reader.scopes.leave_module();
        });
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.item(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let visit = |reader: &mut Reader| visit::visit_item_fn(reader, item);
        self.function(&item.attrs, is_public(&item.vis), &item.sig, visit);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        let visit = |reader: &mut Reader| visit::visit_impl_item_fn(reader, item);
        self.function(&item.attrs, is_public(&item.vis), &item.sig, visit);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        let visit = |reader: &mut Reader| visit::visit_trait_item_fn(reader, item);
        self.function(&item.attrs, false, &item.sig, visit);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.scopes.enter_block(block);
        visit::visit_block(self, block);
        self.scopes.leave_block();
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let path = self.scopes.resolve(segments(&function.path)).0;
            if let Some(statement) = targets::statement(&path) {
                let line = function.path.segments[0].ident.span().start().line;
                self.note_write(line, statement, first_table(&self.scopes, &call.args));
            }
            if path.last().is_some_and(|name| name.ends_with("_changed")) {
                self.note_change();
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if call.method == "changed" {
            self.note_change();
        }
        if call.method == "do_update" {
            self.note_upsert();
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        visit::visit_local(self, local);
        if let Some(initializer) = &local.init {
            self.declare(&local.pat, &initializer.expr);
        }
    }

    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        visit::visit_expr_await(self, expression);
        self.syntax.awaits.push(expression.await_token.span.start().line);
    }

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.literal(literal);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // A doc comment is an attribute whose value is a literal.
        if attribute.path().is_ident("doc") {
            return;
        }
        visit::visit_attribute(self, attribute);
        if let Meta::List(list) = &attribute.meta {
            self.tokens(&list.tokens);
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        if call.path.segments.last().is_some_and(|last| last.ident == "table") {
            self.syntax.tables.extend(declared_table(&call.tokens));
        }
        self.tokens(&call.tokens);
    }
}

/// The name in `name (key) { columns }` or `name { columns }`.
fn declared_table(tokens: &TokenStream) -> Option<String> {
    use proc_macro2::TokenTree::{Group, Ident};
    let trees: Vec<_> = tokens.clone().into_iter().collect();
    trees.windows(2).find_map(|pair| match pair {
        [Ident(name), Group(_)] => Some(text(name)),
        _ => None,
    })
}

fn is_public(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// Whether one of the parameters is a `&mut` reference to the type of this name.
fn takes_mut(signature: &Signature, name: &str) -> bool {
    signature.inputs.iter().any(|argument| {
        let FnArg::Typed(argument) = argument else { return false };
        let Type::Reference(reference) = &*argument.ty else { return false };
        let Type::Path(target) = &*reference.elem else { return false };
        reference.mutability.is_some() && target.path.segments.last().is_some_and(|last| last.ident == name)
    })
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}
