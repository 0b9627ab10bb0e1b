//! Mail templates: one for the text, one for the HTML, and a subject for both.
//!
//! The first line of the text template is the subject, `Subject: …`. The HTML template extends `layout.html`, which
//! shows the subject as its heading, and imports buttons and the like from `parts.html`. A variable that is missing
//! from the context is an error, so that no mail is sent with a gap.

use std::borrow::Cow;

use chrono::DateTime;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};
use serde::Serialize;
use uuid::Uuid;

use super::Mail;
use crate::config::Config;
use crate::platform::internal_error::{Context, InternalError};

/// The signature at the end of every text, in the format of RFC 3676, 4.3.
const SIGNATURE: &str = "\n\n-- \n{{ site_name }}\n{{ app_url }}\n";

/// The sources of a mail template.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The name, for the preview and the log.
    pub name: &'static str,
    /// The text template, with the subject in the first line.
    pub text: &'static str,
    /// The HTML template.
    pub html: &'static str,
}

/// Embeds the template `name` from `mails/name.txt` and `mails/name.html`. The paths are relative to the calling file.
#[macro_export]
macro_rules! template {
    ($name:literal) => {
        $crate::mail::Template {
            name: $name,
            text: include_str!(concat!("mails/", $name, ".txt")),
            html: include_str!(concat!("mails/", $name, ".html")),
        }
    };
}
pub use template;

/// A template with an example context, for the preview and for tests.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The template.
    pub template: &'static Template,
    /// The case that the example shows, such as "without an end".
    pub case: Cow<'static, str>,
    /// The example context.
    pub context: Value,
}

impl Sample {
    /// Returns a sample of `template` with `context`.
    pub fn new(template: &'static Template, case: impl Into<Cow<'static, str>>, context: impl Serialize) -> Sample {
        Sample { template, case: case.into(), context: Value::from_serialize(context) }
    }
}

/// Renders `template` with `context`, to which `app_url` and `site_name` are added.
///
/// Values are collapsed to a single line, and escaped in the HTML.
///
/// # Errors
/// The template is malformed or uses a variable that is missing from the context.
pub fn render(config: &Config, template: &Template, to: &str, context: impl Serialize) -> Result<Mail, InternalError> {
    let context = Value::from_serialize(context);
    parts(config, template, to, context).context(format!("render the mail {}", template.name))
}

fn parts(config: &Config, template: &Template, to: &str, context: Value) -> Result<Mail, InternalError> {
    let environment = environment()?;
    let context = context! { app_url => config.app_url, site_name => config.site_name, ..context };
    let (subject, text) = template
        .text
        .split_once('\n')
        .and_then(|(first, rest)| Some((first.strip_prefix("Subject: ")?, rest)))
        .ok_or_else(|| InternalError::new("its text does not begin with its subject"))?;
    let text = format!("{}{SIGNATURE}", text.trim());
    let subject = environment.render_named_str(&format!("{}.subject", template.name), subject, &context)?;
    let text = environment.render_named_str(&format!("{}.txt", template.name), &text, &context)?;
    let context = context! { subject, ..context };
    let html = environment.render_named_str(&format!("{}.html", template.name), template.html, &context)?;
    // minijinja also escapes slashes, which matters only where no template has a value; URLs are more readable without.
    let html = html.replace("&#x2f;", "/");
    Ok(Mail { id: Uuid::new_v4(), to: to.to_owned(), subject, text, html: Some(html), list: None })
}

/// Creates the environment. By minijinja's default, only templates named `*.html` are escaped.
fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_formatter(on_one_line);
    environment.add_filter("time", time);
    environment.add_template("layout.html", include_str!("template/layout.html"))?;
    environment.add_template("parts.html", include_str!("template/parts.html"))?;
    Ok(environment)
}

/// Collapses whitespace and control characters. So a user's name cannot add a paragraph or a header.
fn on_one_line(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        // The output of a macro is HTML already.
        Some(text) if !value.is_safe() => {
            let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            minijinja::escape_formatter(out, state, &Value::from(words.join(" ")))
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// Formats a time in English. It is in UTC because the recipient's time zone is unknown.
fn time(value: String) -> Result<String, Error> {
    let time = DateTime::parse_from_rfc3339(&value)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, "not a time").with_source(error))?;
    Ok(time.to_utc().format("%-d %B %Y at %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let vars = [("LYCEUM_SITE_NAME", "Ada & Co"), ("LYCEUM_PUBLIC_URL", "https://learn.example")];
        Config::from_vars(vars.map(|(name, value)| (name.into(), value.into())).into()).unwrap()
    }

    fn made(text: &'static str, html: &'static str, context: Value) -> Result<Mail, String> {
        let template = Template { name: "test", text, html };
        render(&config(), &template, "ada@example.org", context).map_err(|error| error.report())
    }

    #[test]
    fn the_subject_is_the_first_line_of_the_text_and_known_to_the_html() {
        let text = "Subject: {{ site_name }} greets {{ name }}\n\nHello {{ name }},\n\n{{ app_url }}/x\n";
        let html = "<h1>{{ subject }}</h1>{{ name }}: <a href=\"{{ app_url }}/x\">";
        let mail = made(text, html, context! { name => "<i>&amp;\r\n'Ada'\u{2028}\t\0" }).unwrap();
        assert_eq!(mail.subject, "Ada & Co greets <i>&amp; 'Ada'");
        assert_eq!(
            mail.text,
            "Hello <i>&amp; 'Ada',\n\nhttps://learn.example/x\n\n-- \nAda & Co\nhttps://learn.example\n"
        );
        let name = "&lt;i&gt;&amp;amp; &#x27;Ada&#x27;";
        let expected = format!("<h1>Ada &amp; Co greets {name}</h1>{name}: <a href=\"https://learn.example/x\">");
        assert_eq!(mail.html.unwrap(), expected);
    }

    #[test]
    fn what_a_button_is_given_is_escaped_once() {
        let html = "{% from \"parts.html\" import button %}{{ button(label, link) }}";
        let context = context! { label => "\"<b>\"", link => "https://x.example/?a=1&b=\"2\"" };
        let html = made("Subject: x\n", html, context).unwrap().html.unwrap();
        assert!(html.contains("href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\""), "{html}");
        assert!(html.contains(">&quot;&lt;b&gt;&quot;</a>"), "{html}");
    }

    #[test]
    fn a_gap_is_an_error_wherever_it_is() {
        for (text, html) in [
            ("Subject: {{ name }}\n", ""),
            ("Subject: x\n{{ name }}", ""),
            ("Subject: x\n", "{{ name }}"),
            ("Subject: x\n", "{% if name %}x{% endif %}"),
        ] {
            let report = made(text, html, context! { nam => "Ada" }).unwrap_err();
            assert!(report.contains("render the mail test: ") && report.contains("undefined value"), "{report}");
        }
        let report = made("Hello {{ name }}\n", "", context! { name => "Ada" }).unwrap_err();
        assert_eq!(report, "render the mail test: its text does not begin with its subject");
    }

    #[test]
    fn a_time_is_told_in_words_and_in_utc() {
        let context = context! { at => "2026-11-05T01:02:03.5+02:00", name => "Ada" };
        assert_eq!(made("Subject: {{ at|time }}\n", "", context).unwrap().subject, "4 November 2026 at 23:02 UTC");
        assert!(made("Subject: {{ name|time }}\n", "", context! { name => "Ada" }).unwrap_err().contains("not a time"));
    }
}
