//! Fits texts into the typeface and into lines.

use rustybuzz::Face;

use super::{Style, shaped};
use crate::platform::internal_error::InternalError;

impl Style {
    fn face(self) -> Result<Face<'static>, InternalError> {
        Face::from_slice(self.data(), 0).ok_or_else(|| InternalError::new("an embedded font is unreadable"))
    }
}

/// Breaks a text into lines of at most `width`, between words; a line break in the text stays. A longer word has a line
/// of its own, which [`super::Canvas::text`] sets smaller.
///
/// # Errors
/// A font is unreadable.
pub fn lines(text: &str, style: Style, size: f32, width: f32) -> Result<Vec<String>, InternalError> {
    let face = style.face()?;
    let length = |text: &str| size * shaped(&face, text, 0.0).iter().map(|glyph| glyph.x_advance).sum::<f32>();
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if line.is_empty() || length(&longer) <= width {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Replaces each character that the typeface lacks by a question mark.
///
/// # Errors
/// A font is unreadable.
pub fn printable(text: &str) -> Result<String, InternalError> {
    let faces = [Style::Regular.face()?, Style::Italic.face()?];
    let has = |letter: char| letter == '\n' || faces.iter().all(|face| face.glyph_index(letter).is_some());
    Ok(text.chars().map(|letter| if has(letter) { letter } else { '?' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words() {
        let broken = |text, width| lines(text, Style::Regular, 10.0, width).unwrap();
        assert_eq!(broken("one two three", 1000.0), ["one two three"]);
        assert_eq!(broken("one two three", 40.0), ["one two", "three"]);
        assert_eq!(broken("incomprehensibilities of it", 20.0), ["incomprehensibilities", "of it"]);
        assert_eq!(broken("Street 1\n\n  Town", 1000.0), ["Street 1", "Town"]);
        assert_eq!(broken("", 10.0), [""; 0]);
    }

    #[test]
    fn what_the_typeface_lacks_becomes_a_question_mark() {
        assert_eq!(printable("Zoë 王 Αθήνα\nЖ").unwrap(), "Zoë ? Αθήνα\nЖ");
    }
}
