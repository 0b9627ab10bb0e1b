//! Search queries: their words, and where a text contains them.
//!
//! The SQL function `search_words` in the migrations splits the texts of courses into words in the same way; keep the
//! two in sync.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// The maximum number of words in a query; further words are ignored.
const MOST_WORDS: usize = 12;
/// The maximum number of significant characters in a word, as in the database.
const LONGEST_WORD: usize = 40;
/// The maximum number of characters in a query; further ones are ignored.
const LONGEST_QUERY: usize = 1000;
/// The maximum number of spelling corrections for a word.
const MOST_MEANT: usize = 5;
/// The approximate number of characters in a snippet.
const SNIPPET: usize = 200;
/// The number of characters in a snippet before the first match.
const LEAD: usize = 60;

/// A parsed query: a course matches if it contains all words.
///
/// A word matches all words that start with it, and its spelling corrections. A single letter or digit matches
/// only itself, because too many words start with it. A letter at the end of several words is not required at all,
/// because the user may still be typing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search {
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Word {
    typed: String,
    meant: Vec<String>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether it is what was searched for.
    pub found: bool,
}

/// Returns the distinct words of a query; empty if it has none.
pub fn words(typed: &str) -> Vec<String> {
    let typed: String = typed.chars().take(LONGEST_QUERY).collect();
    let mut words: Vec<String> = Vec::new();
    for word in fold(&typed).split(is_separator).filter(|word| !word.is_empty()) {
        let word: String = word.chars().take(LONGEST_WORD).collect();
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() == MOST_WORDS {
            break;
        }
    }
    words
}

/// Returns the `tsquery` for all words of a query, in texts that were split by the SQL function `search_vector`; `None`
/// if it has no words.
pub fn search_query(typed: &str) -> Option<String> {
    let words = words(typed);
    (!words.is_empty()).then(|| Search::new(words, &HashMap::new()).needed())
}

impl Search {
    /// Creates a search for `words`.
    ///
    /// `near` has the known words that are similar to a word without a match.
    pub fn new(words: Vec<String>, near: &HashMap<String, Vec<String>>) -> Search {
        let word = |typed: String| {
            let near = near.get(&typed).map(Vec::as_slice).unwrap_or_default();
            Word { meant: meant(&typed, near), typed }
        };
        Search { words: words.into_iter().map(word).collect() }
    }

    /// Returns the search for the words of both.
    pub fn and(&self, other: &Search) -> Search {
        let more = other.words.iter().filter(|word| !self.words.contains(word));
        Search { words: self.words.iter().chain(more).cloned().collect() }
    }

    /// The name of the result list in its cursors: the words.
    pub fn name(&self) -> String {
        self.words.iter().map(|word| word.typed.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The `tsquery` that courses must match. No word contains a quote or a backslash.
    pub fn needed(&self) -> String {
        let word = |word: &Word| {
            let beginning = if word.is_a_beginning() { ":*" } else { "" };
            let meant: String = word.meant.iter().map(|meant| format!(" | '{meant}'")).collect();
            format!("('{}'{beginning}{meant})", word.typed)
        };
        self.needed_words().iter().map(word).collect::<Vec<_>>().join(" & ")
    }

    fn needed_words(&self) -> &[Word] {
        match self.words.split_last() {
            Some((last, others)) if !others.is_empty() && last.is_a_letter() => others,
            _ => &self.words,
        }
    }

    /// The `tsquery` that ranks courses with an exact match of a word, or of its best correction, higher.
    pub(crate) fn wished(&self) -> String {
        let wished = self.words.iter().flat_map(|word| word.meant.first().into_iter().chain([&word.typed]));
        wished.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ")
    }

    /// Returns whether a name contains all words.
    pub fn is_in(&self, name: &str) -> bool {
        let named = words(name);
        self.needed_words().iter().all(|word| named.iter().any(|named| word.is(named)))
    }

    /// Returns whether a name begins with the words as they were typed, the last of which may be incomplete.
    pub fn begins(&self, name: &str) -> bool {
        words(name).join(" ").starts_with(&self.name())
    }

    /// Splits all of `text` into parts; each match is a part of its own.
    pub fn highlight(&self, text: &str) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (piece, is_word) in pieces(text) {
            let found = is_word && self.finds(piece);
            match parts.last_mut().filter(|last| last.found == found && !found) {
                Some(last) => last.text.push_str(piece),
                None => parts.push(Part { text: piece.to_owned(), found }),
            }
        }
        parts
    }

    /// Returns the part of a course's texts that best shows why it matches.
    ///
    /// This is the subtitle if it has a match, otherwise the description around its first match. Without any match it
    /// is the subtitle, or the beginning of the description if the subtitle is empty.
    pub fn snippet(&self, subtitle: &str, description: &str) -> Vec<Part> {
        let subtitle = self.highlight(subtitle);
        if subtitle.iter().any(|part| part.found) {
            return subtitle;
        }
        let description = plain(description);
        let found = pieces(&description).scan(0, |at, (piece, is_word)| {
            let start = *at;
            *at += piece.len();
            Some((start, is_word && self.finds(piece)))
        });
        match found.into_iter().find(|(_, found)| *found) {
            Some((at, _)) => self.highlight(&around(&description, at)),
            None if subtitle.is_empty() => self.highlight(&around(&description, 0)),
            None => subtitle,
        }
    }

    fn finds(&self, word: &str) -> bool {
        let folded = fold(word);
        let mut folded = folded.split(is_separator).filter(|word| !word.is_empty());
        folded.any(|folded| self.words.iter().any(|word| word.is(folded)))
    }
}

impl Word {
    /// Whether longer words that start with this word match; for a single letter, those are too many.
    fn is_a_beginning(&self) -> bool {
        // An ideograph is a word.
        self.typed.chars().nth(1).is_some() || self.typed.chars().any(|letter| letter >= '\u{2e80}')
    }

    fn is_a_letter(&self) -> bool {
        let mut letters = self.typed.chars();
        letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none() && !self.is_a_beginning()
    }

    fn is(&self, other: &str) -> bool {
        let begins = self.is_a_beginning() && other.starts_with(&self.typed);
        begins || other == self.typed || self.meant.iter().any(|meant| meant == other)
    }
}

/// Returns the likely corrections, closest first.
///
/// Their edit distance is 1, or at most 2 for words of eight characters or more.
fn meant(typed: &str, near: &[String]) -> Vec<String> {
    let most = if typed.chars().count() < 8 { 1 } else { 2 };
    let mut near: Vec<(usize, &String)> =
        near.iter().map(|word| (strsim::osa_distance(typed, word), word)).filter(|(far, _)| *far <= most).collect();
    near.sort();
    near.into_iter().take(MOST_MEANT).map(|(_, word)| word.clone()).collect()
}

/// Normalizes a text: lower case, without accents, with letters for the signs of C++ and C#.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().flat_map(char::to_lowercase).filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)) {
        match letter {
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            '#' if folded.ends_with(|last: char| last.is_ascii_lowercase()) => folded.push_str("sharp "),
            letter => folded.push(letter),
        }
    }
    folded.replace("++", "plusplus ")
}

fn is_separator(letter: char) -> bool {
    match letter {
        '\0'..='\u{7f}' => !letter.is_ascii_alphanumeric(),
        '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}' => true,
        '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f000}'..='\u{1faff}' => true,
        _ => false,
    }
}

/// Splits a text into words and the separators between them, in order.
///
/// Returns all of the text; each flag is true for a word.
fn pieces(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_word = !is_separator(rest.chars().next()?);
        let mut end = rest.find(|letter| is_separator(letter) == is_word).unwrap_or(rest.len());
        let (_, after) = rest.split_at(end);
        if is_word && after.starts_with("++") {
            end += 2;
        } else if is_word && after.starts_with('#') {
            end += 1;
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some((piece, is_word))
    })
}

/// Converts Markdown to plain text on one line, without most of its syntax.
fn plain(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        let line = line.trim().trim_start_matches(['#', '>', '-', '*', '+']);
        let mut rest = line;
        // Keep only the text of a link.
        while let Some((text, (_, after))) =
            rest.split_once("](").and_then(|(text, target)| Some((text, target.split_once(')')?)))
        {
            plain.push_str(text);
            rest = after;
        }
        plain.push_str(rest);
        plain.push(' ');
    }
    plain.retain(|letter| !matches!(letter, '*' | '`' | '[' | ']'));
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts an excerpt of whole words from `text`, starting a little before the byte offset `at`.
fn around(text: &str, at: usize) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let lead: usize = before.chars().rev().take(LEAD).map(char::len_utf8).sum();
    let (left, mut lead) = before.split_at_checked(before.len() - lead).unwrap_or(("", before));
    if !left.is_empty() {
        // The first word may be cut off.
        lead = lead.split_once(' ').map_or("", |(_, whole)| whole);
    }
    let tail: usize = after.chars().take(SNIPPET - LEAD).map(char::len_utf8).sum();
    let (mut tail, right) = after.split_at_checked(tail).unwrap_or((after, ""));
    if !right.is_empty() {
        tail = tail.rsplit_once(' ').map_or(tail, |(whole, _)| whole);
    }
    let dots = |cut: &str, dots: &'static str| if cut.is_empty() { "" } else { dots };
    format!("{}{lead}{tail}{}", dots(left, "… "), dots(right, " …"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(typed: &str) -> Search {
        Search::new(words(typed), &HashMap::new())
    }

    fn marked(parts: &[Part]) -> String {
        parts.iter().map(|part| if part.found { format!("[{}]", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn what_is_typed_becomes_words() {
        for (typed, expected) in [
            ("Rust", "rust"),
            ("  rust,RUST  programming ", "rust programming"),
            ("node.js/React_Redux", "node js react redux"),
            ("C++17 & C# # F#", "cplusplus 17 csharp fsharp"),
            ("Größen Ærø Łódź naïve", "grossen ærø lodz naive"),
            ("ＦＵＬＬ width", "full width"),
            ("русский Язык", "русскии язык"),
            ("日本語の入門、初級", "日本語の入門 初級"),
            ("':*&|!()<->\\ % \" \0 \u{7f}", ""),
            ("🦀🎉", ""),
            ("the a", "the a"),
        ] {
            let expected = expected.replace("ærø", "æro");
            assert_eq!(words(typed).join(" "), expected, "{typed:?}");
        }
        let many: String = (0..10_000).map(|number| format!("w{number} ")).collect();
        assert_eq!(words(&many).len(), MOST_WORDS);
        assert_eq!(words(&"x".repeat(10_000))[0].len(), LONGEST_WORD);
    }

    #[test]
    fn a_query_asks_for_all_words() {
        let near = HashMap::from([("pyhton".to_owned(), vec!["python".to_owned(), "pythagoras".to_owned()])]);
        let search = Search::new(words("Pyhton c basics"), &near);
        assert_eq!(search.needed(), "('pyhton':* | 'python') & ('c') & ('basics':*)");
        assert_eq!(search.wished(), "'python' | 'pyhton' | 'c' | 'basics'");
    }

    #[test]
    fn names_contain_and_begin_with_words() {
        for (typed, name, is_in, begins) in [
            ("love", "Ada Lovelace", true, false),
            ("ada l", "Ada Lovelace", true, true),
            ("lovelace ada", "Ada Lovelace", true, false),
            ("bjo", "Björn's Lab", true, true),
            ("ada x", "Ada Lovelace", true, false),
            ("ada xy", "Ada Lovelace", false, false),
            ("a", "Ada", false, true),
        ] {
            let search = search(typed);
            assert_eq!((search.is_in(name), search.begins(name)), (is_in, begins), "{typed} in {name}");
        }
    }

    #[test]
    fn a_mistake_is_forgiven_in_long_words_two() {
        for (typed, word, forgiven) in [
            ("pyhton", "python", true),
            ("pythn", "python", true),
            ("pythoon", "python", true),
            ("pithon", "python", true),
            ("pihton", "python", false),
            ("java", "javascript", false),
            ("rust", "trust", true),
            ("progrmaming", "programming", true),
            ("prgrmming", "programming", true),
            ("prgrmmin", "programming", false),
        ] {
            assert_eq!(meant(typed, &[word.to_owned()]) == [word], forgiven, "{typed} for {word}");
        }
    }

    #[test]
    fn what_was_found_is_marked_whatever_it_looks_like() {
        for (typed, text, expected) in [
            ("progr", "Programming, re-programming & deprogramming", "[Programming], re-[programming] & deprogramming"),
            ("grossen", "Größen und Grossen", "[Größen] und [Grossen]"),
            ("c++", "C++ is not C, c++!", "[C++] is not C, [c++]!"),
            ("c#", "C# (C)", "[C#] (C)"),
            ("c", "C++, C and cooking", "C++, [C] and cooking"),
            ("b script", "<b>x</b> <script>alert(1)</script>", "<[b]>x</[b]> <[script]>alert(1)</[script]>"),
            ("rust", "", ""),
            ("rust", "🦀 Rust 🦀", "🦀 [Rust] 🦀"),
            ("cafe", "cafe\u{301}s", "[cafe\u{301}s]"),
            ("日本", "日本語の入門、初級", "[日本語の入門]、初級"),
        ] {
            let parts = search(typed).highlight(text);
            assert_eq!(marked(&parts), expected, "{typed:?}");
            assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), text, "nothing is lost");
        }
    }

    #[test]
    fn a_snippet_shows_why() {
        let rust = search("rust");
        assert_eq!(marked(&rust.snippet("Learn Rust", "All of Rust")), "Learn [Rust]");
        assert_eq!(
            marked(&rust.snippet("Learn", "# All\n\nof **Rust** and [more](https://rust.example/x)")),
            "All of [Rust] and more"
        );
        assert_eq!(marked(&rust.snippet("Learn", "nothing")), "Learn");
        assert_eq!(marked(&rust.snippet("", "nothing")), "nothing");
        assert_eq!(marked(&rust.snippet("", "")), "");
        let long = format!("{}Rust {}", "früher ".repeat(50), "später ".repeat(50));
        let snippet = marked(&rust.snippet("", &long));
        assert!(snippet.starts_with("… früher ") && snippet.ends_with("später …"), "{snippet}");
        assert!(snippet.contains("früher [Rust] später") && snippet.chars().count() < SNIPPET + 20, "{snippet}");
        let one_word = format!("{}rust", "x".repeat(500));
        assert!(marked(&rust.snippet("", &one_word)).chars().count() < SNIPPET, "not found in the middle of a word");
    }
}
