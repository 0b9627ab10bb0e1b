//! The email templates of this feature, their contexts and samples.

use minijinja::context;
use serde::Serialize;
use uuid::Uuid;

use super::text::{Language, Names, text};
use crate::graphql::money::{CurrencyCode, Money};
use crate::notifications::command::has_mail;
use crate::notifications::model::{NotificationKind, Text};
use crate::orders::Receipt;
use crate::platform::mail::{self, Sample, Template};
use crate::platform::push::Message;

/// Tells a user of one notification.
pub(super) static NOTIFICATION: Template = mail::template!("notification");
/// Tells a user of all that has happened since the last digest.
pub(super) static DIGEST: Template = mail::template!("digest");

/// What the templates say besides the texts of the kinds.
#[derive(Serialize)]
struct Words {
    hello: &'static str,
    open: &'static str,
    open_all: &'static str,
    hint: &'static str,
    /// The beginning of the subject of a digest, before the name of the school.
    digest: &'static str,
    why: &'static str,
    why_digest: &'static str,
    stop: &'static str,
}

/// What a receipt is written with.
struct ReceiptWords {
    discount: &'static str,
    tax: &'static str,
    included_tax: &'static str,
    total: &'static str,
    invoice: &'static str,
}

static ENGLISH: Words = Words {
    hello: "Hello",
    open: "View it",
    open_all: "View all notifications",
    hint: "If the button doesn’t work, open this address:",
    digest: "What is new at",
    why: "You get this email because of your notification settings.",
    why_digest: "You get this summary because of your notification settings.",
    stop: "Unsubscribe",
};

static GERMAN: Words = Words {
    hello: "Hallo",
    open: "Ansehen",
    open_all: "Alle Benachrichtigungen ansehen",
    hint: "Falls die Schaltfläche nicht funktioniert, öffne diese Adresse:",
    digest: "Neues bei",
    why: "Du erhältst diese E-Mail wegen deiner Benachrichtigungseinstellungen.",
    why_digest: "Du erhältst diese Zusammenfassung, weil du sie so eingestellt hast.",
    stop: "Abbestellen",
};

static RECEIPT_ENGLISH: ReceiptWords = ReceiptWords {
    discount: "Discount",
    tax: "Tax",
    included_tax: "Included tax",
    total: "Total",
    invoice: "You find the invoice (PDF) on the page of the order.",
};

static RECEIPT_GERMAN: ReceiptWords = ReceiptWords {
    discount: "Rabatt",
    tax: "Steuer",
    included_tax: "Enthaltene Steuer",
    total: "Gesamtbetrag",
    invoice: "Die Rechnung (PDF) findest du auf der Seite der Bestellung.",
};

fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

/// One notification in a mail.
#[derive(Serialize)]
pub(super) struct Item {
    pub(super) title: String,
    pub(super) body: String,
    /// Of a paid order.
    pub(super) receipt: Option<ReceiptLines>,
    pub(super) link: String,
}

/// The receipt of an order in a mail.
#[derive(Serialize)]
pub(super) struct ReceiptLines {
    /// What is paid for, and amounts.
    rows: Vec<(String, String)>,
    /// Where the invoice is; `None` if there is none.
    invoice: Option<&'static str>,
}

impl ReceiptLines {
    /// Writes a receipt in a language.
    pub(super) fn of(receipt: &Receipt, language: Language) -> ReceiptLines {
        let words = match language {
            Language::English => &RECEIPT_ENGLISH,
            Language::German => &RECEIPT_GERMAN,
        };
        let tax = |word: &str| receipt.tax.as_ref().map(|(rate, tax)| (format!("{word} {rate}"), tax.to_string()));
        let (added, included) =
            if receipt.is_tax_included { (None, tax(words.included_tax)) } else { (tax(words.tax), None) };
        let total = (words.total.to_owned(), receipt.total.to_string());
        let discount = receipt.discount.map(|discount| (words.discount.to_owned(), format!("−{discount}")));
        let lines = receipt.lines.iter().map(|(title, amount)| (title.clone(), amount.to_string()));
        let rows = lines.chain(discount).chain(added).chain([total]).chain(included).collect();
        ReceiptLines { rows, invoice: receipt.has_invoice.then_some(words.invoice) }
    }
}

/// To whom a mail is written, and how they end such mails.
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) language: Language,
    pub(super) unsubscribe: &'a str,
}

/// The context of [`NOTIFICATION`].
pub(super) fn one(reader: &Reader<'_>, item: &Item) -> minijinja::Value {
    let Item { title, body, receipt, link } = item;
    let Reader { name, unsubscribe, language } = reader;
    context! { lang => language.tag(), words => words(*language), name, title, body, receipt, link, unsubscribe }
}

/// The context of [`DIGEST`]; `more` are left out, and `link` shows all.
pub(super) fn several(reader: &Reader<'_>, items: &[Item], more: usize, link: &str) -> minijinja::Value {
    let Reader { name, unsubscribe, language } = reader;
    let more = match (more, language) {
        (0, _) => String::new(),
        (more, Language::English) => format!("And {more} more."),
        (more, Language::German) => format!("Und {more} weitere."),
    };
    context! { lang => language.tag(), words => words(*language), name, items, more, link, unsubscribe }
}

/// Returns samples of all emails of this feature: each kind in each language, and digests.
pub fn mails() -> Vec<Sample> {
    let languages = [(Language::English, "English"), (Language::German, "German")];
    let kinds = NotificationKind::ALL.into_iter().filter(|kind| has_mail(*kind));
    let all = kinds.flat_map(|kind| languages.map(|(language, name)| (kind, language, name)));
    let notifications = all.map(|(kind, language, name)| {
        let case = format!("{}, {name}", kind.as_str());
        Sample::new(&NOTIFICATION, case, one(&reader(language), &item(kind, language, 1)))
    });
    let digests = languages.map(|(language, name)| {
        let items = [NotificationKind::NewVideo, NotificationKind::ReplyReceived].map(|kind| item(kind, language, 3));
        Sample::new(&DIGEST, name, several(&reader(language), &items, 12, "https://lyceum.example/notifications"))
    });
    notifications.chain(digests).collect()
}

/// Returns a sample of the push message of each kind in each language, by its BCP 47 tag.
pub fn push_messages() -> Vec<(NotificationKind, &'static str, Message)> {
    let all = NotificationKind::ALL.into_iter().flat_map(|kind| Language::ALL.map(|language| (kind, language)));
    let message = |(kind, language)| {
        let Item { title, body, link: url, .. } = item(kind, language, 1);
        (kind, language.tag(), Message { id: Uuid::nil(), title, body, url, topic: Uuid::nil().simple().to_string() })
    };
    all.map(message).collect()
}

fn reader(language: Language) -> Reader<'static> {
    Reader { name: "Ada Lovelace", language, unsubscribe: "https://lyceum.example/unsubscribe?token=REPLY_RECEIVED.x" }
}

fn item(kind: NotificationKind, language: Language, count: i64) -> Item {
    let name = |text: &str| Some(text.to_owned());
    let names = Names {
        count,
        by: name("Charles Babbage"),
        course: name("Analytical Engines"),
        lesson: name("The mill and the store"),
        channel: name("Difference & Co"),
        question: name("How does it carry?"),
        session: name("Office hour about carrying"),
        announcement: Some(("A new term begins".into(), "The first lesson is on Monday.".into())),
        plan: name("Premium"),
        detail: match kind {
            NotificationKind::JobFailed => name("media.convert"),
            NotificationKind::Security => name("password"),
            NotificationKind::MembershipChanged => name("payment_failed"),
            NotificationKind::LiveSessionChanged => name("RESCHEDULED"),
            NotificationKind::LiveSessionSoon => name("DAY"),
            NotificationKind::HoursNearlyUsed | NotificationKind::HoursUsedUp => name("2026-11"),
            NotificationKind::NewOrder
            | NotificationKind::OrderPaid
            | NotificationKind::OrderFailed
            | NotificationKind::OrderUnpaid
            | NotificationKind::OrderRefunded
            | NotificationKind::OrderRefundFailed => name("100001"),
            _ => None,
        },
    };
    // A test renders all of them.
    let Text { title, body } =
        text(kind, language, &names).unwrap_or(Text { title: String::new(), body: String::new() });
    let receipt = (kind == NotificationKind::OrderPaid).then(|| ReceiptLines::of(&receipt(), language));
    Item { title, body, receipt, link: "https://lyceum.example/open?id=course_01".into() }
}

/// Of an order with all that a receipt can say.
fn receipt() -> Receipt {
    let money = |minor| Money::new(minor, CurrencyCode::USD);
    Receipt {
        lines: vec![("Analytical Engines".into(), money(4900)), ("Donation".into(), money(500))],
        discount: Some(money(400)),
        tax: Some(("19 % (DE)".into(), money(718))),
        is_tax_included: true,
        total: money(5000),
        has_invoice: true,
    }
}
