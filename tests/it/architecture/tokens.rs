//! What the tokens of a macro or of an attribute's arguments name: they have no syntax tree.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Lit, LitStr};

use super::scopes::text;

/// A path may follow these, but none begins with them: `as ::std::io::Read`.
const KEYWORDS: [&str; 6] = ["as", "dyn", "impl", "in", "mut", "return"];

/// What was found, each with its line.
#[derive(Default)]
pub(super) struct Tokens {
    /// Sequences such as `a::b::c` of at least two segments, groups and globs of `use` declarations spelled out.
    pub(super) paths: Vec<(usize, Vec<String>)>,
    pub(super) literals: Vec<LitStr>,
    /// Lines of `.await`.
    pub(super) awaits: Vec<usize>,
}

impl Tokens {
    pub(super) fn read(stream: TokenStream) -> Tokens {
        let mut tokens = Tokens::default();
        tokens.scan(stream);
        tokens
    }

    fn scan(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut index = 0;
        while let Some(tree) = trees.get(index) {
            match tree {
                TokenTree::Ident(ident) if begins_path(&trees, index, &text(ident)) => {
                    index = self.path(&trees, index, &[]);
                    continue;
                }
                TokenTree::Ident(ident) if ident == "await" && is(&trees, index.wrapping_sub(1), '.') => {
                    self.awaits.push(ident.span().start().line);
                }
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Lit::Str(literal) = Lit::new(literal.clone()) {
                        self.literals.push(literal);
                    }
                }
                _ => {}
            }
            index += 1;
        }
    }

    /// Reads one path from `index` on and returns the index after it.
    fn path(&mut self, trees: &[TokenTree], mut index: usize, before: &[String]) -> usize {
        let line = trees[index].span().start().line;
        let mut segments = before.to_vec();
        loop {
            match trees.get(index) {
                Some(TokenTree::Ident(ident)) => segments.push(text(ident)),
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => segments.push("*".to_owned()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.group(group, &segments);
                    return index + 1;
                }
                _ => break,
            }
            index += 1;
            if !colons(trees, index) {
                break;
            }
            index += 2;
        }
        if segments.len() > 1 {
            self.paths.push((line, segments));
        }
        index
    }

    /// Reads the group of a `use` declaration.
    fn group(&mut self, group: &Group, before: &[String]) {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
        for part in trees.split(comma).filter(|part| !part.is_empty()) {
            self.path(part, 0, before);
        }
    }
}

fn is(trees: &[TokenTree], index: usize, expected: char) -> bool {
    matches!(trees.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

fn colons(trees: &[TokenTree], index: usize) -> bool {
    is(trees, index, ':') && is(trees, index + 1, ':')
}

fn begins_path(trees: &[TokenTree], index: usize, word: &str) -> bool {
    // `b` of `a::<T>::b::c`.
    let follows_generics = index >= 3 && colons(trees, index - 2) && is(trees, index - 3, '>');
    colons(trees, index + 1) && !follows_generics && !KEYWORDS.contains(&word)
}
