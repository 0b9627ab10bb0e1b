//! Checks of input.

use std::fmt;

use super::{Error, Result, UserError, UserErrorCode};

/// How many characters of a value a message repeats.
const LONGEST_QUOTE: usize = 80;

/// Collects all errors of an input, so that a form can show them at once.
#[derive(Default)]
pub struct Check {
    errors: Vec<UserError>,
}

impl Check {
    /// Creates a check without errors.
    pub fn new() -> Check {
        Check::default()
    }

    /// Adds an error at `field`.
    pub fn error(&mut self, code: UserErrorCode, field: &str, message: impl Into<String>) {
        self.errors.push(UserError::new(code, &[field], message));
    }

    /// Adds the error of a value that does not have the required form. `what` continues the sentence that begins with
    /// the value, such as "is not a language tag; write it like de or pt-BR".
    pub fn malformed(&mut self, field: &str, value: &str, what: &str) {
        let more = if value.chars().nth(LONGEST_QUOTE).is_some() { "…" } else { "" };
        let quoted: String = value.chars().take(LONGEST_QUOTE).collect();
        self.error(UserErrorCode::Invalid, field, format!("\"{quoted}{more}\" {what}."));
    }

    /// Checks a nested part of the input; `path` is prepended to the fields of its errors.
    pub fn part<T>(&mut self, path: &[&str], check: impl FnOnce(&mut Check) -> T) -> T {
        let mut part = Check::new();
        let checked = check(&mut part);
        for mut error in part.errors {
            error.field.splice(0..0, path.iter().map(|step| step.to_string()));
            self.errors.push(error);
        }
        checked
    }

    /// Trims a single-line text, such as a title or a name, which must have 1 to `longest` characters.
    ///
    /// Control characters, invisible characters and marks that change the text direction are not allowed.
    pub fn required(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.line(field, value, longest);
        self.not_blank(field, &text);
        text
    }

    /// Checks a slug of at most `longest` characters, as it stands in addresses of pages.
    pub fn slug(&mut self, field: &str, value: &str, longest: usize) -> String {
        let slug = self.required(field, value, longest);
        if !slug.is_empty() && ::slug::slugify(&slug) != slug {
            let what = "is not a slug; it has lower-case letters and digits with single hyphens between them, such as \
                        machine-learning-1";
            self.malformed(field, &slug, what);
        }
        slug
    }

    /// Like [`Check::required`], but the text may be empty.
    pub fn line(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.text(field, value, longest);
        if text.chars().any(|letter| letter != '\0' && (letter.is_control() || is_invisible(letter))) {
            let message = format!("{} contains a line break or a character that can't be seen.", title(field));
            self.error(UserErrorCode::Invalid, field, message);
        }
        text
    }

    /// Trims a text of several lines, which must have 1 to `longest` characters.
    pub fn required_text(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = self.text(field, value, longest);
        self.not_blank(field, &text);
        text
    }

    /// Trims a text of several lines, which may be empty and has at most `longest` characters.
    pub fn text(&mut self, field: &str, value: &str, longest: usize) -> String {
        let text = value.trim().to_owned();
        let length = text.chars().count();
        if length > longest {
            let message = format!("{} has {length} characters; at most {longest} are allowed.", title(field));
            self.error(UserErrorCode::TooLong, field, message);
        }
        if text.contains('\0') {
            self.error(UserErrorCode::Invalid, field, format!("{} contains a NUL character.", title(field)));
        }
        text
    }

    fn not_blank(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            self.error(UserErrorCode::Blank, field, format!("{} must not be blank.", title(field)));
        }
    }

    /// Checks at most `most` texts, each as by [`Check::required`]. An error's path ends with the zero-based index.
    pub fn list(&mut self, field: &str, values: &[String], most: usize, longest: usize) -> Vec<String> {
        if values.len() > most {
            let message = format!("{} has {} entries; at most {most} are allowed.", title(field), values.len());
            self.error(UserErrorCode::TooLong, field, message);
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (place, value) in values.iter().enumerate() {
            let before = self.errors.len();
            texts.push(self.required(field, value, longest));
            for error in self.errors.iter_mut().skip(before) {
                error.field.push(place.to_string());
            }
        }
        texts
    }

    /// Ends the check.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all errors, if there are any.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

/// Returns whether `letter` is a zero-width space or a bidirectional control (UAX 9).
///
/// Zero-width joiners are allowed, because Persian, Indic scripts and emoji need them.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Converts a field name to words: `durationSeconds` becomes "Duration seconds".
fn title(field: &str) -> String {
    let mut words = String::new();
    for (index, letter) in field.chars().enumerate() {
        if index == 0 {
            words.extend(letter.to_uppercase());
        } else if letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.errors.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_come_at_once_and_name_their_field() {
        let mut check = Check::new();
        check.required("title", "  ", 10);
        check.text("subtitleText", &"x".repeat(11), 10);
        let Err(Error::Invalid(errors)) = check.finish() else { panic!("accepted") };
        let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages, ["Title must not be blank.", "Subtitle text has 11 characters; at most 10 are allowed."]);
    }
}
