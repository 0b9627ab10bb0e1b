//! Language tags (BCP 47).

use oxilangtag::LanguageTag;

/// The longest accepted tag, in bytes. Implementations need not support longer ones (RFC 5646, 4.4.1).
const LONGEST: usize = 35;

/// Normalizes a language tag (RFC 5646, 2.1.1); `None` if it is malformed or too long.
pub fn tag(text: &str) -> Option<String> {
    let normal = LanguageTag::parse_and_normalize(text).ok()?.into_inner();
    (normal.len() <= LONGEST).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

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
