//! The texts of notifications in the languages of their readers.

use std::sync::OnceLock;

use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context};

use super::kind::kind;
use crate::notifications::model::{NotificationKind, Text};
use crate::platform::internal_error::{Context, InternalError};

/// A language that the texts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, also for all languages that are missing here.
    English,
    /// German.
    German,
}

impl Language {
    /// All languages.
    pub(crate) const ALL: [Language; 2] = [Language::English, Language::German];

    /// Returns the language for a BCP 47 tag, or the first of an `Accept-Language` (RFC 9110, 12.5.4); either may be empty.
    pub(crate) fn of(tag: &str) -> Language {
        let primary = tag.split(['-', ',', ';']).next().unwrap_or_default().trim();
        let found = Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary));
        found.unwrap_or(Language::English)
    }

    /// The BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// Returns the text in the language.
    pub(crate) fn choose(self, [english, german]: Texts) -> &'static str {
        match self {
            Language::English => english,
            Language::German => german,
        }
    }

    fn quotes(self) -> (char, char) {
        match self {
            Language::English => ('“', '”'),
            Language::German => ('„', '“'),
        }
    }

    /// Who is meant if the name of a user is missing.
    fn unnamed(self) -> &'static str {
        match self {
            Language::English => "A user",
            Language::German => "Ein Nutzer",
        }
    }
}

/// A text in each language: English, German.
pub(crate) type Texts = [&'static str; 2];

/// What a text may name. Names are missing if they are unknown, or if the reader may not see what they belong to.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The number of events.
    pub count: i64,
    /// The name of the user who caused the latest one.
    pub(crate) by: Option<String>,
    /// The title of the course.
    pub course: Option<String>,
    /// The title of the lesson.
    pub(crate) lesson: Option<String>,
    /// The name of the channel.
    pub channel: Option<String>,
    /// The title of the question.
    pub(crate) question: Option<String>,
    /// The title of the live session.
    pub session: Option<String>,
    /// The title and the text of the announcement.
    pub announcement: Option<(String, String)>,
    /// The name of the plan.
    pub(crate) plan: Option<String>,
    /// A word that the kind's texts know, or a technical name.
    pub(crate) detail: Option<String>,
}

/// Returns the text of a notification.
///
/// # Errors
/// A template is malformed, which a test excludes.
pub fn text(of: NotificationKind, language: Language, names: &Names) -> Result<Text, InternalError> {
    let kind = kind(of);
    let quoted = |name: &Option<String>| {
        let (open, close) = language.quotes();
        format!("{open}{}{close}", name.as_deref().map_or("…".into(), one_line))
    };
    let context = context! {
        count => names.count,
        more => names.count - 1,
        is_named => names.by.is_some(),
        by => names.by.as_deref().map_or(language.unnamed().into(), one_line),
        has_course => names.course.is_some(),
        course => quoted(&names.course),
        lesson => quoted(&names.lesson),
        channel => quoted(&names.channel),
        question => quoted(&names.question),
        plan => quoted(&names.plan),
        session => quoted(&names.session),
        title => names.announcement.as_ref().map(|(title, _)| one_line(title)),
        text => names.announcement.as_ref().map_or("", |(_, text)| text.as_str()),
        detail => names.detail.as_deref().unwrap_or_default(),
    };
    let environment = environment(language)?;
    let [title, body] = [kind.title, kind.body].map(|texts| language.choose(texts));
    let render = |template| environment.render_str(template, &context).context("render a notification");
    Ok(Text { title: render(title)?, body: render(body)? })
}

/// Collapses whitespace and control characters, so that a name cannot begin a line of its own.
fn one_line(name: &str) -> String {
    let words = name.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn environment(language: Language) -> Result<&'static Environment<'static>, InternalError> {
    static ENGLISH: OnceLock<Environment<'static>> = OnceLock::new();
    static GERMAN: OnceLock<Environment<'static>> = OnceLock::new();
    let known = match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    };
    if let Some(known) = known.get() {
        return Ok(known);
    }
    let locale: Locale = language.tag().parse().context("the tag of a language")?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("plural", move |count: u32, forms: Kwargs| plural(&locale, count, &forms));
    Ok(known.get_or_init(|| environment))
}

/// Selects the form of a word for a number: `count|plural(one="reply", other="replies")`. The categories are those of the
/// language (Unicode CLDR, plural rules).
fn plural(locale: &Locale, count: u32, forms: &Kwargs) -> Result<String, Error> {
    let rules = PluralRules::try_new_cardinal(locale.into());
    let rules = rules.map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    let name = match rules.category_for(count) {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    };
    let form: Option<String> = forms.get(name)?;
    form.ok_or_else(|| Error::new(ErrorKind::MissingArgument, format!("there is no form for {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: i64) -> Names {
        let name = |text: &str| Some(text.to_owned());
        Names {
            count,
            by: name("Ada"),
            course: name("Engines"),
            lesson: name("Wheels"),
            channel: name("Analytics"),
            question: name("How?"),
            session: name("Valves"),
            announcement: Some(("Exam".into(), "On Monday.".into())),
            plan: name("Premium"),
            detail: name("media.convert"),
        }
    }

    #[test]
    fn a_language_is_chosen_by_its_primary_tag_and_is_english_otherwise() {
        for (tag, language) in [
            ("de", Language::German),
            ("DE-ch", Language::German),
            ("fr", Language::English),
            ("", Language::English),
            ("de,en;q=0.5", Language::German),
            ("fr-CH, de;q=0.9", Language::English),
        ] {
            assert_eq!(Language::of(tag), language, "{tag}");
        }
    }

    #[test]
    fn what_is_missing_is_an_ellipsis_and_a_name_is_one_line() {
        let unknown = Names { count: 1, ..Names::default() };
        let text = |names, language| text(NotificationKind::QuestionAsked, language, names).unwrap();
        assert_eq!(text(&unknown, Language::English).title, "New question in “…”");
        assert_eq!(text(&unknown, Language::English).body, "A user asks: “…”");
        assert_eq!(text(&unknown, Language::German).body, "Ein Nutzer fragt: „…“");
        let odd = Names { course: Some("{{ by }}\r\n\tx".into()), ..names(1) };
        assert_eq!(text(&odd, Language::German).title, "Neue Frage in „{{ by }} x“");
    }

    #[test]
    fn each_kind_has_a_text_in_each_language_for_each_number() {
        for of in NotificationKind::ALL {
            let [mut one, mut two] = [String::new(), String::new()];
            for language in Language::ALL {
                for count in [1, 2, 5, 100] {
                    let Text { title, body } = text(of, language, &names(count)).unwrap();
                    assert!(!title.is_empty() && !title.contains('\n') && title.trim() == title, "{of:?}: {title}");
                    assert!(!body.contains("  ") && body.trim() == body, "{of:?}: {body}");
                    match (language, count) {
                        (Language::English, 2) => one = title,
                        (Language::German, 2) => two = title,
                        _ => {}
                    }
                }
            }
            // What is announced is not translated.
            assert_eq!(one == two, of == NotificationKind::Announcement, "{of:?}");
        }
    }
}
