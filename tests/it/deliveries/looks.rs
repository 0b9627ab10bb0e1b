//! How the mail and the push message of each kind look, in each language: `docs/notifications-en.png` and `-de.png` are
//! copies of what this test makes in `target/screenshots`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use lyceum::config::Config;
use lyceum::notifications::NotificationKind;
use lyceum::platform::mail::{self, Mail};
use tokio::process::Command;

use crate::console::{need_chromium, need_node, screenshots};

/// How a sheet looks.
const STYLE: &str = "body { font: 12px/1.4 system-ui, sans-serif; margin: 24px; background: #fff; color: #23262d }
    h1 { font-size: 20px; margin: 0 0 16px } h2 { font: 600 12px ui-monospace, monospace; margin: 0 0 8px; color: #626974 }
    main { columns: 3; column-gap: 24px } section { break-inside: avoid; margin: 0 0 28px }
    .push { border: 1px solid #dfe2e7; border-radius: 10px; padding: 8px 12px; margin: 0 0 8px; background: #f7f7f9 }
    .push b { display: block } .push span { color: #626974 } .preview { color: #626974; margin: 0 0 8px }
    iframe { width: 600px; height: 400px; border: 1px solid #dfe2e7; zoom: 0.6 }";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// A sample of what is sent of a kind: the mail, and the title and the text of the push message.
#[derive(Default)]
struct Look {
    mail: Option<Mail>,
    push: Option<(String, String)>,
}

/// The samples of a language: of each kind the mail, if there is one, and the push message; digests have no kind.
fn samples(language: &str) -> BTreeMap<String, Look> {
    let config = Config::from_vars(BTreeMap::new()).unwrap();
    let mut found: BTreeMap<String, Look> = BTreeMap::new();
    for sample in lyceum::notifications::mails() {
        let of = if sample.case.ends_with("German") { "de" } else { "en" };
        if of == language {
            let kind = sample.case.split_once(", ").map_or("DIGEST", |(kind, _)| kind).to_owned();
            let mail = mail::render(&config, sample.template, "ada@people.example", sample.context).unwrap();
            found.entry(kind).or_default().mail = Some(mail);
        }
    }
    for (kind, of, message) in lyceum::notifications::push_messages() {
        if of == language {
            found.entry(kind.as_str().to_owned()).or_default().push = Some((message.title, message.body));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_and_the_push_message_of_each_kind_look_well() {
    need_node("playwright-core");
    need_chromium();
    let folder = screenshots();
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/sheets.mjs"));
    for (language, button, stop) in [("en", "View it", "Unsubscribe"), ("de", "Ansehen", "Abbestellen")] {
        let samples = samples(language);
        assert_eq!(samples.len(), NotificationKind::ALL.len() + 1, "each kind, and a digest");
        let mut page =
            format!("<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><style>{STYLE}</style>");
        write!(page, "<h1>Notifications: push messages and mails ({language})</h1><main>").unwrap();
        for (kind, Look { mail, push }) in &samples {
            write!(page, "<section><h2>{kind}</h2>").unwrap();
            assert_eq!(mail.is_some(), kind != "SECURITY", "{kind}: the mails about security are those of accounts");
            assert_eq!(push.is_some(), kind != "DIGEST", "{kind}");
            if let Some((title, body)) = push {
                assert!(!title.is_empty() && title.chars().count() <= 80 && !body.is_empty(), "{kind}: {title}");
                let (title, body) = (escaped(title), escaped(body));
                write!(page, "<div class=\"push\"><b>{title}</b><span>{body}</span></div>").unwrap();
            }
            if let Some(Mail { subject, text, html, .. }) = mail {
                let html = html.as_ref().unwrap();
                let preview = html.split_once("overflow:hidden\">").and_then(|(_, rest)| rest.split_once("</div>"));
                let preview = preview.expect("a text that lists of mails show").0;
                assert!(!preview.trim().is_empty() && !preview.contains(subject.as_str()), "{kind}: {preview}");
                assert!(subject.chars().count() <= 80, "{kind}: {subject}");
                for whole in [text, html] {
                    assert!(whole.contains("/unsubscribe?token=") && whole.contains(stop), "{kind}: {whole}");
                    assert!(!whole.contains("{{") && !whole.contains("…"), "{kind}: {whole}");
                    assert!(
                        kind == "DIGEST" || whole.contains(button) && whole.contains("/open?id="),
                        "{kind}: {whole}"
                    );
                }
                assert!(html.contains(&format!("<html lang=\"{language}\">")), "{kind}");
                assert!(
                    !text.contains("\n\n\n") && text.lines().all(|line| line == "-- " || line.trim_end() == line),
                    "{kind}: {text}"
                );
                std::fs::write(folder.join(format!("mail-{kind}-{language}.txt")), text).unwrap();
                let (subject, frame) = (escaped(subject), escaped(html));
                write!(page, "<b>{subject}</b><p class=\"preview\">{preview}</p><iframe srcdoc=\"{frame}\"></iframe>")
                    .unwrap();
            }
            page += "</section>";
        }
        let (sheet, picture) = (format!("notifications-{language}.html"), format!("notifications-{language}.png"));
        std::fs::write(folder.join(&sheet), page + "</main></html>").unwrap();
        command.arg(folder.join(sheet)).arg(folder.join(picture));
    }
    let output = command.kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("SHEETS OK"), "{said}");
}
