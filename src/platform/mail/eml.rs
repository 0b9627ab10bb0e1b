//! Parses the messages that this program writes.
//!
//! These are RFC 5322 messages as formatted by `lettre`, with at most one level of `multipart/alternative`. It is not a
//! general-purpose parser.

use uuid::Uuid;

use super::{Mail, MailingList};

/// The header that names a list (RFC 2919).
pub(super) const LIST_ID: &str = "List-Id";
/// The header with the URL that ends a subscription (RFC 2369).
pub(super) const LIST_UNSUBSCRIBE: &str = "List-Unsubscribe";

/// Parses a message; `None` if this program did not write it.
pub(super) fn parse(message: &[u8]) -> Option<Mail> {
    let part = Part::split(message)?;
    let (text, html) = match part.boundary() {
        None => (part.text()?, None),
        Some(boundary) => {
            let (mut text, mut html) = (None, None);
            for part in between(part.body, format!("--{boundary}").as_bytes()).filter_map(Part::split) {
                let is_html = part.header("content-type").is_some_and(|value| value.starts_with("text/html"));
                *(if is_html { &mut html } else { &mut text }) = part.text();
            }
            (text?, html)
        }
    };
    let (to, subject) = (part.header("to")?, part.header("subject")?);
    let id = bracketed(&part.header("message-id")?)?.split_once('@')?.0.parse::<Uuid>().ok()?;
    Some(Mail { id, to: decode_words(&to), subject: decode_words(&subject), text, html, list: list(&part) })
}

fn list(part: &Part<'_>) -> Option<MailingList> {
    let (name, url) =
        (part.header(&LIST_ID.to_ascii_lowercase())?, part.header(&LIST_UNSUBSCRIBE.to_ascii_lowercase())?);
    let name = bracketed(&name)?.split_once('.')?.0.to_owned();
    Some(MailingList { name, unsubscribe: bracketed(&url)?.replace(' ', "") })
}

/// Returns what is between angle brackets.
fn bracketed(value: &str) -> Option<&str> {
    value.strip_prefix('<')?.strip_suffix('>')
}

/// A message, or one part of it.
struct Part<'a> {
    /// Names in lower case; values unfolded (RFC 5322, 2.2.3).
    headers: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn split(bytes: &'a [u8]) -> Option<Part<'a>> {
        let at = find(bytes, b"\r\n\r\n")?;
        let (head, body) = bytes.split_at_checked(at)?;
        let head = str::from_utf8(head).ok()?.replace("\r\n ", " ").replace("\r\n\t", "\t");
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        let body = body.get(4..)?;
        // Each body is followed by a line break that is not part of it.
        Some(Part { headers: headers.collect(), body: body.strip_suffix(b"\r\n").unwrap_or(body) })
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn boundary(&self) -> Option<String> {
        let kind = self.header("content-type")?;
        let (_, boundary) = kind.strip_prefix("multipart/")?.split_once("boundary=\"")?;
        Some(boundary.split_once('"')?.0.to_owned())
    }

    /// The decoded content, with line breaks normalized to `\n`.
    fn text(&self) -> Option<String> {
        let bytes = match self.header("content-transfer-encoding").as_deref() {
            Some("base64") => decode_base64(self.body),
            Some("quoted-printable") => decode_quoted(self.body),
            _ => self.body.to_vec(),
        };
        Some(String::from_utf8(bytes).ok()?.replace("\r\n", "\n"))
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

/// The parts between the delimiters (RFC 2046, 5.1.1).
fn between<'a>(mut bytes: &'a [u8], delimiter: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(bytes, delimiter) {
        let (part, rest) = bytes.split_at(at);
        parts.push(part.strip_prefix(b"\r\n").unwrap_or(part));
        bytes = rest.get(delimiter.len()..).unwrap_or_default();
    }
    parts.into_iter().skip(1)
}

/// Decodes encoded words (RFC 2047) and removes the space between two of them.
fn decode_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut after_word = false;
    let mut rest = value;
    while let Some((before, found)) = rest.split_once("=?utf-8?b?") {
        let Some((word, after)) = found.split_once("?=") else { break };
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&String::from_utf8_lossy(&decode_base64(word.as_bytes())));
        after_word = true;
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

/// Decodes base64 (RFC 4648, 4) leniently. Skips padding, line breaks, and any other invalid byte.
fn decode_base64(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in encoded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    decoded
}

/// Decodes quoted-printable (RFC 2045, 6.7).
fn decode_quoted(encoded: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(byte) = encoded.get(at) {
        let (first, second) = (encoded.get(at + 1), encoded.get(at + 2));
        at += match (byte, digit(first), digit(second)) {
            (b'=', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                3
            }
            (b'=', None, _) if first == Some(&b'\r') && second == Some(&b'\n') => 3,
            _ => {
                decoded.push(*byte);
                1
            }
        };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use lettre::message::Mailbox;
    use proptest::prelude::*;

    use super::super::compose;
    use super::*;

    fn list() -> MailingList {
        let token = "Ab-_".repeat(60);
        MailingList {
            name: "reply-received".into(),
            unsubscribe: format!("https://x.example/unsubscribe?token={token}"),
        }
    }

    fn round_trip(mail: &Mail) -> Option<Mail> {
        let from: Mailbox = "Lyceum <no-reply@lyceum.example>".parse().unwrap();
        parse(&compose(mail, &from, chrono::DateTime::UNIX_EPOCH).unwrap().formatted())
    }

    #[test]
    fn long_lines_and_all_encodings_come_back() {
        let long = "https://lyceum.example/reset?token=abc%3D".repeat(40);
        for text in ["plain", "", "two\nlines\n", "f\u{fc}r = sich\n", "日本語のメール", "trailing space \n", &long]
        {
            let mail = Mail {
                id: Uuid::new_v4(),
                to: "ada@example.org".into(),
                subject: "Willkommen – schön, dass du da bist, und zwar in einem sehr langen Betreff".into(),
                text: text.into(),
                html: Some(format!("<p>{text}</p>\n")),
                list: Some(list()),
            };
            assert_eq!(round_trip(&mail), Some(mail.clone()));
            let mail = Mail { html: None, list: None, ..mail };
            assert_eq!(round_trip(&mail), Some(mail));
        }
    }

    #[test]
    fn foreign_files_are_nothing() {
        for foreign in ["", "hello", "\r\n\r\n", "To: a\r\n\r\nx", "Content-Type: multipart/x; boundary=\"b\"\r\n\r\n"]
        {
            assert_eq!(parse(foreign.as_bytes()), None, "{foreign:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_comes_back(
            subject in "[^\\p{C}\\s]([^\\p{C}\\s]| )*",
            text in "([^\\p{Cc}]|\n)*",
            html in proptest::option::of("([^\\p{Cc}]|\n)*"),
        ) {
            let subject = subject.trim_end().split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            let mail = Mail { id: Uuid::nil(), to: "ada@example.org".into(), subject, text, html, list: None };
            prop_assert_eq!(round_trip(&mail), Some(mail));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(To: |Subject: |=\\?utf-8\\?b\\?|\\?=|=|\r\n|--b|boundary=\"b\"|.)*") {
            _ = parse(&bytes);
            _ = parse(text.as_bytes());
        }
    }
}
