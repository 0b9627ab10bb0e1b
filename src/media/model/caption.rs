//! Captions, and the validation of their format, WebVTT (<https://www.w3.org/TR/webvtt1/>).

use async_graphql::InputObject;
use diesel::{Queryable, Selectable};

use super::VideoId;
use crate::platform::db::schema::video_captions;

/// The captions of a video in one language.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = video_captions, check_for_backend(diesel::pg::Pg))]
pub struct Caption {
    /// The video.
    pub video_id: VideoId,
    /// The language, a BCP 47 tag.
    pub language: String,
    /// The label in a player's menu.
    pub label: String,
    /// The key of the WebVTT file in the object store.
    pub object_key: String,
}

/// The captions of a video in one language.
#[derive(Clone, Debug, InputObject)]
pub struct SetVideoCaptionsInput {
    /// The video.
    pub video_id: VideoId,
    /// The language, a BCP 47 tag such as `en` or `pt-BR`. Replaces existing captions in this language.
    pub language: String,
    /// The label in a player's menu, at most 60 characters; defaults to the language tag.
    pub label: Option<String>,
    /// The captions as a WebVTT file, at most 1,000,000 bytes. Cues may contain WebVTT tags only.
    pub text: String,
}

/// The captions to remove.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveVideoCaptionsInput {
    /// The video.
    pub video_id: VideoId,
    /// The language, a BCP 47 tag.
    pub language: String,
}

/// The cue tags that WebVTT defines (section 4.2.2), without classes and annotations.
const TAGS: [&str; 8] = ["c", "i", "b", "u", "v", "ruby", "rt", "lang"];

/// Validates a WebVTT file and returns the number of cues.
///
/// # Errors
/// The first problem, with its line number.
pub(crate) fn check_webvtt(text: &str) -> Result<usize, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        return Err("The text has a NUL character.".into());
    }
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
    let signature = lines.next().map(|(_, line)| line).unwrap_or_default();
    if signature.strip_prefix("WEBVTT").is_none_or(|rest| !rest.is_empty() && !rest.starts_with([' ', '\t'])) {
        return Err("Line 1: the file must begin with WEBVTT.".into());
    }
    let (mut cues, mut last_start) = (0, 0);
    // Lines directly after the signature belong to the header.
    while lines.next_if(|(_, line)| !line.is_empty()).is_some() {}
    while let Some((number, line)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let mut block = vec![(number, line)];
        while let Some(next) = lines.next_if(|(_, line)| !line.is_empty()) {
            block.push(next);
        }
        let is = |word: &str| {
            line == word || line.starts_with(&format!("{word} ")) || line.starts_with(&format!("{word}\t"))
        };
        if is("NOTE") || ((is("STYLE") || is("REGION")) && cues == 0) {
            continue;
        }
        last_start = check_cue(&block, last_start)?;
        cues += 1;
    }
    if cues == 0 { Err("The file has no captions.".into()) } else { Ok(cues) }
}

/// Validates a cue and returns its start in milliseconds.
///
/// A cue consists of an optional identifier, the timings and the text.
fn check_cue(block: &[(usize, &str)], last_start: u64) -> Result<u64, String> {
    let timed = block.iter().take(2).position(|(_, line)| line.contains("-->"));
    let (number, first) = block.first().copied().unwrap_or_default();
    let Some(timed) = timed else {
        return Err(format!("Line {number}: {first:?} is not followed by times like 00:00:01.000 --> 00:00:04.000."));
    };
    let mut text = block.iter().skip(timed);
    let (number, times) = text.next().copied().unwrap_or_default();
    let wrong = || format!("Line {number}: {times:?} are no times like 00:00:01.000 --> 00:00:04.000.");
    let (start, rest) = times.split_once("-->").ok_or_else(wrong)?;
    let end = rest.split_whitespace().next().unwrap_or_default();
    let (start, end) = (millis(start.trim()).ok_or_else(wrong)?, millis(end).ok_or_else(wrong)?);
    if end <= start {
        return Err(format!("Line {number}: the caption ends before it starts."));
    }
    if start < last_start {
        return Err(format!("Line {number}: the caption starts before the one above."));
    }
    for (number, line) in text {
        if line.contains("-->") {
            return Err(format!("Line {number}: an empty line is missing before the times."));
        }
        check_markup(line).map_err(|what| format!("Line {number}: {what}"))?;
    }
    Ok(start)
}

/// Parses a timestamp such as `01:02:03.004` or `02:03.004` into milliseconds.
fn millis(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once('.')?;
    let parts: Vec<&str> = clock.split(':').collect();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| digits(text));
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes, seconds] if (2..=4).contains(&hours.len()) => (number(hours)?, *minutes, *seconds),
        [minutes, seconds] => (0, *minutes, *seconds),
        _ => return None,
    };
    if minutes.len() != 2 || seconds.len() != 2 || fraction.len() != 3 {
        return None;
    }
    let (minutes, seconds, fraction) = (number(minutes)?, number(seconds)?, number(fraction)?);
    (minutes < 60 && seconds < 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction)
}

/// Checks that every `<` in a line begins a WebVTT tag or a timestamp.
fn check_markup(line: &str) -> Result<(), String> {
    let mut rest = line;
    while let Some((_, from)) = rest.split_once('<') {
        let (tag, after) = from.split_once('>').ok_or("a < is not followed by a >; write &lt; for the character.")?;
        let name = tag.strip_prefix('/').unwrap_or(tag);
        let name = name.split(['.', ' ', '\t']).next().unwrap_or_default();
        let known = TAGS.contains(&name) || tag == "/" || millis(tag).is_some();
        if !known {
            return Err(format!("<{tag}> is not one of WebVTT's tags."));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_read_and_mistakes_have_their_line() {
        let cue = |text: &str| format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n");
        for (text, cues) in [
            (cue("Hello <i>there</i>, <v.loud Ada Lovelace>you &amp; me</v>"), 1),
            (cue("<c.yellow.bg_blue>one</c> <00:01.500>two <lang en-GB>three</lang> <ruby>a<rt>b</rt></ruby>"), 1),
            ("\u{feff}WEBVTT - Title\nKind: captions\nLanguage: en\n\nSTYLE\n::cue { color: red }\n\nNOTE nothing\n\n1\n\
                00:00:01.000 --> 00:00:02.000 align:start position:10%\nOne\nline\n\nsecond\n100:00:01.000 --> 100:00:02.000\nTwo\n".into(), 2),
            ("WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nHello\r\n\r\n00:01.000 --> 00:03.000\r\nHello\r\n".into(), 2),
        ] {
            assert_eq!(check_webvtt(&text), Ok(cues), "{text}");
        }
        let two = |second: &str| format!("{}\n{second}", cue("Hello"));
        for (text, why) in [
            (String::new(), "Line 1: the file must begin"),
            ("WEBVTTX\n\n00:01.000 --> 00:02.000\nHello".into(), "Line 1: the file must begin"),
            ("1\n00:00:01,000 --> 00:00:02,000\nThis is SRT".into(), "Line 1: the file must begin"),
            ("WEBVTT\n".into(), "no captions"),
            ("WEBVTT\n\nNOTE nothing\n".into(), "no captions"),
            (cue("a\0b"), "NUL"),
            (cue("<script>alert(1)</script>"), "Line 4: <script> is not"),
            (cue("fine\n<img src=x onerror=alert(1)>"), "Line 5: <img src"),
            (cue("1 < 2"), "Line 4: a < is not followed"),
            (cue("one\n00:02.000 --> 00:03.000\ntwo"), "Line 5: an empty line is missing"),
            (two("00:02.000 --> 00:02.000\nx"), "Line 6: the caption ends before"),
            (two("00:00.500 --> 00:02.000\nx"), "Line 6: the caption starts before"),
            (two("00:02,000 --> 00:03,000\nx"), "Line 6"),
            (two("00:62.000 --> 00:63.000\nx"), "Line 6"),
            (two("+0:02.000 --> 00:03.000\nx"), "Line 6"),
            (two("1:00:02.000 --> 1:00:03.000\nx"), "Line 6"),
            (two("lonely"), "Line 6: \"lonely\" is not followed"),
        ] {
            let told = check_webvtt(&text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
