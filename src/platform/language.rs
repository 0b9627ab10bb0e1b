//! Language tags (BCP 47).

use oxilangtag::LanguageTag;

/// The longest accepted tag, in bytes. Implementations need not support longer ones (RFC 5646, 4.4.1).
const LONGEST: usize = 35;

/// English names of languages that many courses are in.
const NAMES: [(&str, &str); 40] = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("lt", "Lithuanian"),
    ("lv", "Latvian"),
    ("ms", "Malay"),
    ("nl", "Dutch"),
    ("no", "Norwegian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sv", "Swedish"),
    ("ta", "Tamil"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

/// Returns the English name of a language, such as `Portuguese (BR)`; the tag itself if the language is not known here.
pub fn english_name(tag: &str) -> String {
    let (language, variant) = tag.split_once('-').map_or((tag, None), |(language, variant)| (language, Some(variant)));
    let name = NAMES.iter().find(|(code, _)| *code == language).map(|(_, name)| name);
    match (name, variant) {
        (None, _) => tag.to_owned(),
        (Some(name), None) => (*name).to_owned(),
        (Some(name), Some(variant)) => format!("{name} ({variant})"),
    }
}

/// Normalizes a language tag (RFC 5646, 2.1.1); `None` if it is malformed or too long.
pub fn tag(text: &str) -> Option<String> {
    let normal = LanguageTag::parse_and_normalize(text).ok()?.into_inner();
    (normal.len() <= LONGEST).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_english_names() {
        for (tag, name) in [("de", "German"), ("pt-BR", "Portuguese (BR)"), ("tlh", "tlh"), ("", "")] {
            assert_eq!(english_name(tag), name);
        }
    }

    #[test]
    fn tags_are_normal_or_none() {
        for (text, normal) in [
            ("de", Some("de")),
            ("DE-ch", Some("de-CH")),
            ("zh-hant-tw", Some("zh-Hant-TW")),
            ("es-419", Some("es-419")),
            ("ar-u-nu-latn", Some("ar-u-nu-latn")),
            ("de_CH", None),
            ("", None),
            ("d", None),
            ("de-", None),
            ("deutsch-und-viel-mehr-als-erlaubt-ist", None),
            ("de-x-aaaaaaaa-bbbbbbbb-cccccccc-ddddd", None),
            ("de\0", None),
        ] {
            assert_eq!(tag(text).as_deref(), normal, "{text:?}");
        }
    }
}
