//! The pages that show mails to developers.

use lyceum::platform::mail::{Mail, Mailer};
use reqwest::header::HeaderMap;

use super::{FROM, noon};
use crate::support::TestApp;
use crate::support::eventually;
use crate::support::process::Site;

const NAME: &str = "Ada</iframe><script>alert(1)</script>";

struct Page {
    status: u16,
    headers: HeaderMap,
    html: String,
}

async fn get(url: &str, path: &str) -> Page {
    let request = crate::support::http::client().get(format!("{url}{path}")).header("accept", "text/html,*/*;q=0.8");
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Page { status, headers, html: answer.text().await.unwrap() }
}

impl Page {
    /// It was found, runs no script, and neither does what it frames.
    fn is_harmless(&self, path: &str) {
        assert_eq!(self.status, 200, "{path}: {}", self.html);
        let policy = self.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script-src"), "{path}: {policy}");
        assert!(policy.contains("img-src data:;") && policy.contains("form-action 'none'"), "{path}: {policy}");
        assert_eq!(self.headers["content-type"], "text/html; charset=utf-8", "{path}");
        assert_eq!(self.headers["x-content-type-options"], "nosniff", "{path}");
        assert!(!self.html.contains("<script"), "{path}:\n{}", self.html);
        assert!(!self.html.contains("http-equiv"), "{path}:\n{}", self.html);
        let frames = self.html.matches("<iframe ").count();
        let sandbox = "sandbox=\"allow-popups allow-popups-to-escape-sandbox\" srcdoc=\"";
        assert_eq!(self.html.matches(sandbox).count(), frames, "{path}:\n{}", self.html);
        assert_eq!(self.html.matches("</iframe>").count(), frames, "{path}:\n{}", self.html);
    }

    /// What it links to below `folder`, in order.
    fn links(&self, folder: &str) -> Vec<String> {
        let start = format!("<li><a href=\"{folder}");
        let addresses = self.html.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap());
        addresses.map(|rest| format!("{folder}{rest}").replace("&#x2f;", "/")).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_template_has_a_page() {
    let app = TestApp::with(&[("LYCEUM_SITE_NAME", "Ada & Co")]).await;
    let list = get(&app.url, "/dev/mail/templates").await;
    list.is_harmless("/dev/mail/templates");
    let links = list.links("&#x2f;dev&#x2f;mail&#x2f;templates&#x2f;");
    assert_eq!(links.len(), lyceum::app::mails().len(), "{links:?}");
    for (link, sample) in links.iter().zip(lyceum::app::mails()) {
        let page = get(&app.url, link).await;
        page.is_harmless(link);
        assert!(link.ends_with(&format!("/{}", sample.template.name)), "{link}");
        assert!(page.html.contains(&*sample.case) && page.html.contains("&lt;!doctype html&gt;"), "{}", page.html);
        assert!(page.html.contains("-- \nAda &amp; Co\n"), "{link}: the text\n{}", page.html);
    }
    let banned = get(&app.url, "/dev/mail/templates/account_banned").await;
    assert_eq!(banned.html.matches("<iframe ").count(), 2, "one for each case");
    for unknown in ["/dev/mail/templates/nothing", "/dev/mail/nothing.eml", "/dev/mail/templates/"] {
        assert_eq!(get(&app.url, unknown).await.status, 404, "{unknown}");
    }
    let sent = get(&app.url, "/dev/mail").await;
    sent.is_harmless("/dev/mail");
    assert!(sent.html.contains("Mails are really sent"), "{}", sent.html);
    get(&app.url, "/").await.is_harmless("/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_mails_can_be_read_and_do_nothing_else() {
    let site = Site::new().await;
    let node = site.serve().await;
    assert!(get(&node.url, "/dev/mail").await.html.contains("Nothing has been sent yet"));

    let made =
        site.run(&["admin", "create", "--email", "ada@people.example", "--name", NAME], "correct horse battery\n");
    assert!(made.status.success(), "{made:?}");
    let listed = async || get(&node.url, "/dev/mail").await.links("&#x2f;dev&#x2f;mail&#x2f;");
    eventually("the welcome is listed", async || listed().await.len() == 1).await;
    let welcome = listed().await.remove(0);

    let folder = site.data().join("mail");
    let html = "<p>Hi</p></iframe><script>top.document.title = 'owned'</script>\"><script>1</script>";
    let mail = Mail {
        id: uuid::Uuid::nil(),
        to: "\"<b>Ada</b>\" <ada@example.org>".into(),
        subject: "<script>alert(2)</script>".into(),
        text: "</pre><script>alert(3)</script>".into(),
        html: Some(html.into()),
        list: None,
    };
    let mailer = Mailer::files(folder.clone(), FROM).unwrap();
    mailer.send(&mail, noon() + chrono::TimeDelta::days(36_500)).await.unwrap();
    mailer.send(&Mail { html: None, ..mail }, noon() - chrono::TimeDelta::days(1_000)).await.unwrap();

    let list = get(&node.url, "/dev/mail").await;
    list.is_harmless("/dev/mail");
    let links = listed().await;
    assert_eq!((links.len(), &links[1]), (3, &welcome), "the newest first: {links:?}");
    let newest = "&lt;script&gt;alert(2)&lt;&#x2f;script&gt;</a> <span class=\"quiet\">to &lt;b&gt;Ada";
    assert!(list.html.contains(newest) && list.html.contains("27 October 2126, 12:00:00 UTC"), "{}", list.html);
    assert!(
        list.html.contains("Welcome to Lyceum</a> <span class=\"quiet\">to ada@people.example · "),
        "{}",
        list.html
    );

    let pages = [get(&node.url, &links[0]).await, get(&node.url, &links[1]).await, get(&node.url, &links[2]).await];
    for (page, link) in pages.iter().zip(&links) {
        page.is_harmless(link);
    }
    let [hostile, welcome, plain] = pages.map(|page| page.html);
    assert!(hostile.contains("srcdoc=\"&lt;p&gt;Hi&lt;&#x2f;p&gt;&lt;&#x2f;iframe&gt;&lt;script&gt;"), "{hostile}");
    assert!(hostile.contains("<pre>&lt;&#x2f;pre&gt;&lt;script&gt;alert(3)"), "{hostile}");
    // Escaped once in the mail, and once more in the attribute that holds it.
    assert!(welcome.contains("Hello Ada&amp;lt;&#x2f;iframe&amp;gt;&amp;lt;script&amp;gt;"), "{welcome}");
    assert!(welcome.contains("<pre>Hello Ada&lt;&#x2f;iframe&gt;&lt;script&gt;"), "{welcome}");
    assert!(!plain.contains("<iframe") && plain.contains("<pre>"), "{plain}");

    // What is beside the folder is no mail.
    std::fs::copy(folder.join(links[0].rsplit('/').next().unwrap()), site.data().join("20261120T120000.000000Z-0.eml"))
        .unwrap();
    for outside in ["20261120T120000.000000Z-%2F..%2F..%2F20261120T120000.000000Z-0.eml", "..%2Fsecret", "x.eml"] {
        std::fs::create_dir_all(folder.join("20261120T120000.000000Z-")).unwrap();
        assert_eq!(node.status(&format!("/dev/mail/{outside}")).await, 404, "{outside}");
    }
}
