//! Reads Rust sources as text: just enough of the language to find the paths that a file names.

/// A path like `crate::accounts::UserId` and the line on which it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

impl Path {
    pub(super) fn starts_with(&self, start: &[&str]) -> bool {
        self.segments.len() >= start.len() && self.segments.iter().zip(start).all(|(own, other)| own == other)
    }
}

/// The text without comments and without what is inside of literals; every line stays where it is.
pub(super) fn code(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or('\0');
    let mut code = String::with_capacity(text.len());
    let mut index = 0;
    while index < letters.len() {
        let end = match (at(index), at(index + 1)) {
            ('/', '/') => line_end(&letters, index),
            ('/', '*') => block_end(&letters, index),
            ('"', _) => string_end(&letters, index),
            ('r', '"' | '#') if !is_word(at(index.wrapping_sub(1))) || at(index.wrapping_sub(1)) == 'b' => {
                raw_end(&letters, index)
            }
            ('\'', '\\') => string_end(&letters, index),
            ('\'', _) if at(index + 2) == '\'' => index + 3,
            _ => index,
        };
        if end == index {
            code.push(at(index));
            index += 1;
        } else {
            code.extend(letters[index..end].iter().map(|letter| if *letter == '\n' { '\n' } else { ' ' }));
            index = end;
        }
    }
    code
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn line_end(letters: &[char], start: usize) -> usize {
    letters[start..].iter().position(|letter| *letter == '\n').map_or(letters.len(), |length| start + length)
}

fn block_end(letters: &[char], start: usize) -> usize {
    let (mut depth, mut index) = (0, start);
    while index + 1 < letters.len() {
        match (letters[index], letters[index + 1]) {
            ('/', '*') => (depth, index) = (depth + 1, index + 2),
            ('*', '/') if depth == 1 => return index + 2,
            ('*', '/') => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
    }
    letters.len()
}

/// The end of a literal that ends with the letter it begins with.
fn string_end(letters: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < letters.len() && letters[index] != letters[start] {
        index += if letters[index] == '\\' { 2 } else { 1 };
    }
    (index + 1).min(letters.len())
}

/// The end of a raw string; `start` itself if it is none, like the raw identifier `r#type`.
fn raw_end(letters: &[char], start: usize) -> usize {
    let hashes = letters[start + 1..].iter().take_while(|letter| **letter == '#').count();
    if letters.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let mut index = start + 2 + hashes;
    while index < letters.len() {
        let closes = letters[index] == '"' && letters[index + 1..].iter().take(hashes).all(|letter| *letter == '#');
        if closes {
            return (index + 1 + hashes).min(letters.len());
        }
        index += 1;
    }
    letters.len()
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Other(char),
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let letters: Vec<char> = text.chars().collect();
        let mut index = 0;
        while let Some(letter) = letters.get(index) {
            if is_word(*letter) {
                let word: String = letters[index..].iter().take_while(|letter| is_word(**letter)).collect();
                index += word.chars().count();
                tokens.push((line + 1, Token::Word(word)));
            } else if *letter == ':' && letters.get(index + 1) == Some(&':') {
                index += 2;
                tokens.push((line + 1, Token::Colons));
            } else {
                index += 1;
                if !letter.is_whitespace() {
                    tokens.push((line + 1, Token::Other(*letter)));
                }
            }
        }
    }
    tokens
}

/// Every path of at least two segments in `code`, with `use` trees spread out: `use std::{env, fs}` names two.
pub(super) fn paths(code: &str) -> Vec<Path> {
    let tokens = tokens(code);
    let (mut found, mut index) = (Vec::new(), 0);
    while index < tokens.len() {
        let begins = matches!(tokens[index].1, Token::Word(_))
            && matches!(tokens.get(index + 1), Some((_, Token::Colons)))
            && !(index > 0 && matches!(tokens[index - 1].1, Token::Colons | Token::Other('.')));
        if begins {
            tree(&tokens, &mut index, &[], &mut found);
        } else {
            index += 1;
        }
    }
    found
}

/// Reads one path or tree from `index` on.
fn tree(tokens: &[(usize, Token)], index: &mut usize, prefix: &[String], found: &mut Vec<Path>) {
    let mut segments = prefix.to_vec();
    let line = tokens[*index].0;
    loop {
        match tokens.get(*index).map(|(_, token)| token) {
            Some(Token::Word(word)) => segments.push(word.clone()),
            Some(Token::Other('*')) => segments.push("*".to_owned()),
            Some(Token::Other('{')) => return group(tokens, index, &segments, found),
            _ => break,
        }
        *index += 1;
        if !matches!(tokens.get(*index), Some((_, Token::Colons))) {
            break;
        }
        *index += 1;
    }
    found.push(Path { line, segments });
}

fn group(tokens: &[(usize, Token)], index: &mut usize, prefix: &[String], found: &mut Vec<Path>) {
    *index += 1;
    while let Some((_, token)) = tokens.get(*index) {
        match token {
            Token::Other('}') => {
                *index += 1;
                return;
            }
            Token::Word(word) if word == "as" => *index += 2,
            Token::Word(_) | Token::Other('*' | '{') => tree(tokens, index, prefix, found),
            _ => *index += 1,
        }
    }
}

#[test]
fn paths_are_found_where_they_are_and_nowhere_else() {
    let text = r###"//! crate::no
use std::{env, fmt::{self as shown, Debug}, io::*};
/* crate::no /* crate::no */ crate::no */
fn f<'a>(x: &'a str) -> crate::yes::Type<'a> {
    let quoted = ("crate::no \" crate::no", r#"crate::no " crate::no"#, '"', b'\'', "x");
    x.y::<crate::also>(); // crate::no
    super::super::up(); tokio::spawn(async {})
}
"###;
    let found: Vec<(usize, String)> =
        paths(&code(text)).into_iter().map(|path| (path.line, path.segments.join("::"))).collect();
    let expected = [
        (2, "std::env"),
        (2, "std::fmt::self"),
        (2, "std::fmt::Debug"),
        (2, "std::io::*"),
        (4, "crate::yes::Type"),
        (6, "crate::also"),
        (7, "super::super::up"),
        (7, "tokio::spawn"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
