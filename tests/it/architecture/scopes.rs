//! The names that `use` declarations and local variables bring into scope.

use std::collections::HashMap;

use syn::{Block, Ident, Item, ItemUse, Stmt, UseTree};

use super::targets;

/// The module and the blocks around a place in a file.
pub(super) struct Scopes {
    /// The module path from the crate's root, inline modules included.
    module: Vec<String>,
    /// The innermost scope is the last.
    scopes: Vec<Scope>,
}

struct Scope {
    /// A module does not see the imports of the one around it; a block does.
    is_module: bool,
    /// What each imported name stands for.
    imports: HashMap<String, Vec<String>>,
    /// The table that the initializer of each local variable names, if it names one.
    variables: HashMap<String, Option<String>>,
}

/// One of the paths that a `use` declaration spells out.
pub(super) struct Leaf {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    /// The name that it has in this scope; `None` for `*` and `_`.
    name: Option<String>,
}

impl Scopes {
    pub(super) fn new(module: &[&str], items: &[Item]) -> Scopes {
        let mut scopes = Scopes { module: module.iter().map(|part| (*part).to_owned()).collect(), scopes: Vec::new() };
        scopes.push(true, items);
        scopes
    }

    pub(super) fn enter_module(&mut self, name: &Ident, items: &[Item]) {
        self.module.push(text(name));
        self.push(true, items);
    }

    pub(super) fn leave_module(&mut self) {
        self.scopes.pop();
        self.module.pop();
    }

    pub(super) fn enter_block(&mut self, block: &Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.push(false, items);
    }

    pub(super) fn leave_block(&mut self) {
        self.scopes.pop();
    }

    fn push<'i>(&mut self, is_module: bool, items: impl IntoIterator<Item = &'i Item>) {
        let mut imports = HashMap::new();
        for item in items {
            if let Item::Use(declaration) = item {
                for leaf in leaves(declaration) {
                    if let Some(name) = leaf.name {
                        imports.insert(name, self.absolute(leaf.segments));
                    }
                }
            }
        }
        self.scopes.push(Scope { is_module, imports, variables: HashMap::new() });
    }

    /// The path from the crate's root if it begins with `crate`, `self` or `super`; without a last `self`.
    fn absolute(&self, mut path: Vec<String>) -> Vec<String> {
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let supers = path.iter().skip_while(|part| *part == "self").take_while(|part| *part == "super").count();
        let relative = path.iter().take_while(|part| *part == "self" || *part == "super").count();
        if relative == 0 {
            return path;
        }
        let above = self.module.iter().take(self.module.len().saturating_sub(supers)).cloned();
        std::iter::once("crate".to_owned()).chain(above).chain(path.split_off(relative)).collect()
    }

    /// The full path, and how many of its first segments an imported name stands for.
    pub(super) fn resolve(&self, path: Vec<String>) -> (Vec<String>, usize) {
        let mut path = self.absolute(path);
        let mut imported: usize = 0;
        // An import may begin with the name of another one; the limit is for those that name each other.
        for _ in 0..8 {
            let Some(import) = self.import(&path[0]).filter(|import| import[0] != path[0]) else { break };
            imported = import.len() + imported.saturating_sub(1);
            path.splice(..1, import.iter().cloned());
        }
        (path, imported)
    }

    fn import(&self, name: &str) -> Option<&Vec<String>> {
        self.visible().find_map(|scope| scope.imports.get(name))
    }

    /// Declares a local variable of the innermost block.
    pub(super) fn declare(&mut self, name: &Ident, table: Option<String>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.variables.insert(text(name), table);
        }
    }

    /// The table that a path names, itself or as a local variable.
    pub(super) fn table(&self, path: &syn::Path) -> Option<String> {
        let variable = path.get_ident().map(text);
        let variable = variable.and_then(|name| self.visible().find_map(|scope| scope.variables.get(&name)));
        variable.cloned().unwrap_or_else(|| targets::table(&self.resolve(segments(path)).0).map(str::to_owned))
    }

    /// The scopes up to the module, the innermost first.
    fn visible(&self) -> impl Iterator<Item = &Scope> {
        let mut is_beyond = false;
        self.scopes.iter().rev().take_while(move |scope| !std::mem::replace(&mut is_beyond, scope.is_module))
    }
}

/// The path's identifiers.
pub(super) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| text(&segment.ident)).collect()
}

/// The identifier without `r#`.
pub(super) fn text(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// The paths of a declaration: `use std::{env, fs as files};` has two.
pub(super) fn leaves(declaration: &ItemUse) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    spread(&declaration.tree, &[], &mut leaves);
    leaves
}

fn spread(tree: &UseTree, before: &[String], leaves: &mut Vec<Leaf>) {
    let with = |last: String| before.iter().cloned().chain([last]).collect::<Vec<String>>();
    match tree {
        UseTree::Path(path) => spread(&path.tree, &with(text(&path.ident)), leaves),
        UseTree::Group(group) => group.items.iter().for_each(|item| spread(item, before, leaves)),
        UseTree::Glob(glob) => {
            leaves.push(Leaf { line: glob.star_token.span.start().line, segments: with("*".into()), name: None });
        }
        UseTree::Rename(rename) => {
            let name = Some(text(&rename.rename)).filter(|name| name != "_");
            leaves.push(Leaf { line: rename.ident.span().start().line, segments: with(text(&rename.ident)), name });
        }
        UseTree::Name(name) => {
            let own = text(&name.ident);
            // `use a::b::{self}` imports `b`.
            let imported = if own == "self" { before.last().cloned() } else { Some(own.clone()) };
            leaves.push(Leaf { line: name.ident.span().start().line, segments: with(own), name: imported });
        }
    }
}
