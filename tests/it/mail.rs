//! Mail into files, and over SMTP to a small server.

mod pages;
mod templates;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::mail::{Mail, Mailer, MailingList, RecipientRejected, list};
use tokio::net::TcpListener;

use crate::support::smtp::SmtpServer;

const FROM: &str = "Lyceum <no-reply@lyceum.example>";

fn mail(subject: &str) -> Mail {
    Mail {
        id: uuid::Uuid::nil(),
        to: "\"Ada Lovelace\" <ada@example.org>".into(),
        subject: subject.into(),
        text: "Grüße\n\nhttps://lyceum.example/verify?token=abc=def\n.\n".into(),
        html: Some("<p>Grüße</p>\n".into()),
        list: Some(MailingList {
            name: "new-video".into(),
            unsubscribe: "https://lyceum.example/unsubscribe?token=x".into(),
        }),
    }
}

fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lyceum-mail-{name}-{}", std::process::id()));
    _ = std::fs::remove_dir_all(&folder);
    folder
}

#[tokio::test]
async fn files_are_listed_newest_first() {
    let folder = folder("listed");
    assert_eq!(list(&folder).await.unwrap(), []);
    let mailer = Mailer::files(folder.clone(), FROM).unwrap();
    // Two of the same instant stay in order; one sent later is dated earlier.
    for (subject, seconds) in [("second", 0), ("third – ünïcode", 0), ("first", -60)] {
        mailer.send(&mail(subject), noon() + TimeDelta::seconds(seconds)).await.unwrap();
    }
    std::fs::write(folder.join("notes.txt"), "x").unwrap();
    std::fs::write(folder.join("20261120T120000.000000Z-broken.eml"), "x").unwrap();
    let stored = list(&folder).await.unwrap();
    assert_eq!(stored.len(), 3);
    assert_eq!(stored[0].mail, mail("third – ünïcode"));
    assert_eq!(stored[1].mail, mail("second"));
    assert_eq!(stored[2].mail, mail("first"));
    assert_eq!(stored[2].sent_at, noon() - TimeDelta::seconds(60));

    let raw = std::fs::read_to_string(folder.join(&stored[1].file)).unwrap();
    assert!(raw.contains("From: Lyceum <no-reply@lyceum.example>\r\n"), "{raw}");
    assert!(raw.contains("To: \"Ada Lovelace\" <ada@example.org>\r\n"), "{raw}");
    assert!(raw.contains("Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n"), "{raw}");
    let id = "Message-ID: <00000000-0000-0000-0000-000000000000@lyceum.example>\r\n";
    assert!(raw.contains(id) && raw.contains("Auto-Submitted: auto-generated\r\n"), "{raw}");
    // RFC 2369, RFC 2919 and RFC 8058.
    for header in [
        "List-Id: <new-video.lyceum.example>\r\n",
        "List-Unsubscribe: <https://lyceum.example/unsubscribe?token=x>\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
    ] {
        assert!(raw.contains(header), "{header}{raw}");
    }

    for n in 0..60 {
        mailer.send(&Mail { html: None, ..mail(&n.to_string()) }, noon() + TimeDelta::seconds(n)).await.unwrap();
    }
    let stored = list(&folder).await.unwrap();
    assert_eq!(stored.len(), 50);
    assert_eq!(stored[0].mail, Mail { html: None, ..mail("59") });
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn headers_can_not_be_smuggled_in() {
    let folder = folder("smuggled");
    let mailer = Mailer::files(folder.clone(), FROM).unwrap();
    mailer.send(&mail("Hello\r\nBcc: eve@example.org\r\n\r\nbody"), noon()).await.unwrap();
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let raw = std::fs::read_to_string(file).unwrap();
    let head = raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.contains("eve@"), "{head}");
    assert!(!head.to_lowercase().contains("\nbcc"), "{head}");
    assert!(head.contains("Content-Type:"), "{head}");
    for to in ["", "nobody", "a@b.example\r\nBcc: eve@example.org", "a@b.example, eve@example.org"] {
        let report = mailer.send(&Mail { to: to.into(), ..mail("x") }, noon()).await.unwrap_err().report();
        assert!(report.contains("read the mail address"), "{report}");
    }
    assert!(Mailer::files(folder.clone(), "nobody").is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn memory_keeps_what_was_sent() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    Mailer::Memory(sent.clone()).send(&mail("a"), noon()).await.unwrap();
    assert_eq!(*sent.lock().unwrap(), [mail("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_takes_mail_and_refuses_it() {
    let server = SmtpServer::start(Duration::ZERO).await;
    let port = server.port;
    let mailer = Mailer::smtp(&format!("smtp://user:p%40ss@127.0.0.1:{port}"), FROM).unwrap();
    mailer.send(&mail("Willkommen"), noon()).await.unwrap();
    mailer.send(&mail("again"), noon()).await.unwrap();
    let lines = server.heard();
    assert!(lines.iter().any(|line| line.starts_with("MAIL FROM:<no-reply@lyceum.example>")), "{lines:?}");
    assert!(lines.contains(&"RCPT TO:<ada@example.org>".to_owned()), "{lines:?}");
    assert!(lines.contains(&"Subject: Willkommen".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| *line == ".").count(), 2, "the dot in the text doesn't end the mail");

    let refused = mailer.send(&Mail { to: "nobody@example.org".into(), ..mail("x") }, noon()).await.unwrap_err();
    assert!(refused.report().contains("no such user"), "{}", refused.report());
    assert!(refused.downcast_ref::<RecipientRejected>().is_some());
    mailer.send(&mail("after"), noon()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_fault_that_does_not_tell_it() {
    let port = SmtpServer::start(Duration::ZERO).await.port;
    let mailer = Mailer::smtp(&format!("smtp://user:hunter2@127.0.0.1:{port}"), FROM).unwrap();
    let report = mailer.send(&mail("x"), noon()).await.unwrap_err().report();
    assert!(!report.contains("hunter2"), "{report}");
    for url in ["", "localhost", "http://user:hunter2@localhost", "smtp://user:hunter2@localhost?tls=maybe"] {
        let report = Mailer::smtp(url, FROM).err().unwrap().report();
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mailer = Mailer::smtp(&format!("smtp://127.0.0.1:{port}"), FROM).unwrap();
    let started = Instant::now();
    assert!(mailer.send(&mail("x"), noon()).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_does_not_fall_back_to_plain_text() {
    let server = SmtpServer::start(Duration::ZERO).await;
    let port = server.port;
    for url in [format!("smtps://127.0.0.1:{port}"), format!("smtp://127.0.0.1:{port}?tls=required")] {
        assert!(Mailer::smtp(&url, FROM).unwrap().send(&mail("x"), noon()).await.is_err());
    }
    let lines = server.heard();
    assert!(!lines.iter().any(|line| line.starts_with("MAIL")), "{lines:?}");
}
