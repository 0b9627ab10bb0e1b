//! Every mail template of the program, with its examples.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::DateTime;
use lyceum::config::Config;
use lyceum::platform::mail::{Mail, Sample, render};
use serde_json::Value;

/// What a name must not be able to do: markup, a header, a paragraph, the end of an attribute.
const HOSTILE: &str =
    "<script>alert(1)</script>\r\nBcc: eve@example.org\n\n\"'>&amp;<img src=x onerror=alert(1)>\u{2028}x";

fn config() -> Config {
    let vars = [("LYCEUM_SITE_NAME", "Ada & Co"), ("LYCEUM_PUBLIC_URL", "https://learn.example")];
    Config::from_vars(vars.map(|(name, value)| (name.into(), value.into())).into()).unwrap()
}

fn made(sample: &Sample, context: &Value) -> Result<Mail, String> {
    render(&config(), sample.template, "ada@example.org", context).map_err(|fault| fault.report())
}

/// A label for messages, what the template is given, and what it makes of that.
fn each(mut check: impl FnMut(&str, &Sample, &Value, &Mail)) {
    let samples = lyceum::app::mails();
    assert!(samples.len() > 10, "{}", samples.len());
    for sample in &samples {
        let context = serde_json::to_value(&sample.context).unwrap();
        let label = format!("{} {}", sample.template.name, sample.case);
        let mail = made(sample, &context).unwrap_or_else(|report| panic!("{report}"));
        check(&label, sample, &context, &mail);
    }
}

#[test]
fn every_template_is_a_whole_mail_in_both_forms() {
    each(|label, _, _, mail| {
        let Mail { to, subject, text, html, .. } = mail;
        let html = html.as_deref().unwrap();
        assert_eq!(to, "ada@example.org", "{label}");
        assert!(!subject.is_empty() && subject.len() < 70 && subject.trim() == subject, "{label}: {subject:?}");
        assert!(!subject.contains('\n'), "{label}: {subject:?}");

        let greeting = if label.contains("German") { "Hallo" } else { "Hello" };
        assert!(text.starts_with(greeting), "{label}:\n{text}");
        assert!(text.ends_with("\n\n-- \nAda & Co\nhttps://learn.example\n"), "{label}:\n{text}");
        assert!(!text.contains("none"), "{label}: no value\n{text}");
        assert!(!text.contains("\n\n\n"), "{label}: a gap\n{text}");
        assert!(!text.contains("&#") && !text.contains("&amp;") && !text.contains('<'), "{label}:\n{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 78 || line.starts_with("https://"), "{label}: a long line: {line}");
            assert!(line == "-- " || line.trim_end() == line, "{label}: {line:?} ends with spaces");
        }

        assert!(html.contains(&format!("<title>{}</title>", escaped(subject))), "{label}:\n{html}");
        assert!(html.contains(">Ada &amp; Co</a>"), "{label}:\n{html}");
        assert!(html.contains("href=\"https://learn.example\""), "{label}:\n{html}");
        for fetched in ["src=", "url(", "@import", "<link ", "<script"] {
            assert!(!html.contains(fetched), "{label}: {fetched}\n{html}");
        }
        for form in [text.as_str(), html] {
            for raw in ["{{", "{%", "{#", "undefined", "2026-11", "T09:00"] {
                assert!(!form.contains(raw), "{label}: {raw}\n{form}");
            }
        }
    });
}

/// Values that are not shown, but choose what is said.
const CHOICES: [&str; 3] = ["change", "role", "lang"];

#[test]
fn both_forms_tell_the_same_values() {
    each(|label, _, context, mail| {
        for (key, value) in context.as_object().unwrap() {
            let shown = match value {
                Value::String(text) if !CHOICES.contains(&&**key) => words(text),
                Value::Number(number) if number.as_i64() > Some(1) => number.to_string(),
                _ => continue,
            };
            let html = mail.html.as_ref().unwrap();
            let text = mail.text.replace('\n', " ");
            assert!(text.contains(&shown), "{label}: no {key} in the text:\n{}", mail.text);
            assert!(html.contains(&escaped(&shown)), "{label}: no {key} in the HTML:\n{html}");
        }
    });
}

#[test]
fn whatever_a_value_holds_a_mail_keeps_its_form() {
    each(|label, sample, context, mail| {
        let mut hostile = context.clone();
        for (key, value) in hostile.as_object_mut().unwrap() {
            if let Value::String(text) = value
                && !CHOICES.contains(&&**key)
                && DateTime::parse_from_rfc3339(text).is_err()
            {
                text.push_str(HOSTILE);
            }
        }
        assert_ne!(&hostile, context, "{label}: it is given something that a stranger chooses");
        let made = made(sample, &hostile).unwrap();
        assert_eq!(made.subject.lines().count(), 1, "{label}: {:?}", made.subject);
        assert_eq!(made.text.lines().count(), mail.text.lines().count(), "{label}:\n{}", made.text);
        assert!(made.text.contains("<script>"), "{label}: in the text it is what it is\n{}", made.text);
        let (html, plain) = (made.html.unwrap(), mail.html.as_ref().unwrap());
        assert!(html.contains("&lt;script&gt;"), "{label}:\n{html}");
        assert_eq!(tags(&html), tags(plain), "{label}:\n{html}");
        assert_eq!(html.matches('"').count(), plain.matches('"').count(), "{label}: an attribute is left\n{html}");
    });
}

#[test]
fn a_missing_value_is_an_error() {
    each(|label, sample, context, _| {
        for key in context.as_object().unwrap().keys() {
            let mut less = context.clone();
            less.as_object_mut().unwrap().remove(key);
            let report = made(sample, &less).expect_err(&format!("{label} without {key}"));
            assert!(report.contains(sample.template.name) && report.contains("undefined"), "{label}: {report}");
        }
    });
}

#[test]
fn mails_to_unconfirmed_addresses_hold_nothing_that_a_stranger_wrote() {
    let mut seen = BTreeSet::new();
    each(|_, sample, context, _| {
        if ["activation", "email_change_confirm"].contains(&sample.template.name) {
            seen.insert(sample.template.name);
            let keys: Vec<&String> = context.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["code", "link", "minutes"], "{}", sample.template.name);
        }
    });
    assert_eq!(seen.len(), 2);
}

#[test]
fn every_file_of_a_template_is_in_the_preview() {
    let mut previewed: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for sample in lyceum::app::mails() {
        let sources = (sample.template.text, sample.template.html);
        let same = *previewed.entry(sample.template.name).or_insert(sources) == sources;
        assert!(same, "two templates are called {}", sample.template.name);
    }
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    files.sort();
    let expected: Vec<String> =
        previewed.keys().flat_map(|name| [format!("{name}.html"), format!("{name}.txt")]).collect();
    assert_eq!(files, expected);
}

/// The names of the files in folders that are called `mails`.
fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if folder.ends_with("mails") && path.extension().is_some_and(|ending| ending != "rs") {
            files.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// As the HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
}

/// A time in words, anything else as it is.
fn words(text: &str) -> String {
    DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |time| time.format("%-d %B %Y at %H:%M UTC").to_string())
}

/// What opens and closes, in order.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split([' ', '>', '\n']).next().unwrap()).collect()
}
