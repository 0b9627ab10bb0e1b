//! Invoices and credit notes as documents (PDF).

use chrono::{DateTime, Utc};

use crate::graphql::money::{CurrencyCode, Money};
use crate::orders::model::{Invoice, InvoiceContent, Party};
use crate::platform::internal_error::InternalError;
use crate::platform::pdf::{A4, Align, Canvas, Color, Document, Style, Type, lines, printable};

const NAVY: Color = [31, 58, 95];
const GOLD: Color = [176, 141, 62];
const BLACK: Color = [17, 17, 17];
const GRAY: Color = [95, 95, 95];

const LEFT: f32 = 62.0;
const RIGHT: f32 = A4.0 - 62.0;
/// Where the table begins on the first page, and on the others.
const TABLE: f32 = 330.0;
const NEXT_TABLE: f32 = 110.0;
/// Below this, there are only the page's number and the seller.
const BOTTOM: f32 = A4.1 - 96.0;
/// The distance of two lines of the table, and of two items.
const LEADING: f32 = 15.0;
const GAP: f32 = 11.0;
/// The height of the sums.
const SUMS: f32 = 110.0;

/// An item: the lines of its title, and its amount.
struct Row {
    title: Vec<String>,
    amount: String,
}

impl Row {
    fn height(&self) -> f32 {
        LEADING * self.title.len().max(1) as f32 + GAP
    }
}

/// Writes the document. A character that the typeface lacks is replaced by a question mark.
///
/// # Errors
/// A font is unreadable.
pub(super) fn pdf(invoice: &Invoice) -> Result<Vec<u8>, InternalError> {
    let content: InvoiceContent = serde_json::from_value(invoice.content.clone())?;
    let currency = CurrencyCode::parse(&content.currency).ok_or_else(|| InternalError::new("no such currency"))?;
    let money = |minor: i64| Money::new(minor, currency).to_string();
    let mut rows = Vec::new();
    for line in &content.lines {
        let title = lines(&printable(&line.title)?, Style::Regular, 12.0, 350.0)?;
        rows.push(Row { title, amount: money(line.amount_minor) });
    }
    let pages = paged(rows);
    let (name, count) = (invoice.name(), pages.len());
    let head = Head::of(invoice, &content)?;
    let sums = sums(&content, &money)?;
    let mut document = Document::new(&format!("{} {name}", head.title), invoice.issued_at)?;
    for (number, rows) in (1..).zip(pages) {
        document.page(A4, |canvas| {
            let top = if number == 1 { head.draw(canvas) } else { head.draw_short(canvas) };
            let y = table(canvas, &rows, top);
            if number == count {
                sums.draw(canvas, y);
            }
            head.draw_foot(canvas, (number, count));
        })?;
    }
    document.finish()
}

/// Spreads the rows over pages, the last of which has room for the sums.
fn paged(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let (mut pages, mut page) = (Vec::new(), Vec::new());
    let mut y = TABLE + 30.0;
    let count = rows.len();
    for (index, row) in rows.into_iter().enumerate() {
        let room = if index + 1 == count { BOTTOM - SUMS } else { BOTTOM };
        if y + row.height() > room {
            pages.push(std::mem::take(&mut page));
            y = NEXT_TABLE + 30.0;
        }
        y += row.height();
        page.push(row);
    }
    pages.push(page);
    pages
}

/// What is above the table.
struct Head {
    title: &'static str,
    seller: Party,
    buyer: Vec<String>,
    /// Names and values on the right.
    facts: Vec<(&'static str, String)>,
    /// Why there is a credit note.
    reason: Vec<String>,
}

impl Head {
    fn of(invoice: &Invoice, content: &InvoiceContent) -> Result<Head, InternalError> {
        let text = |text: &str| printable(text);
        let Party { name, address, tax_id } = &content.buyer;
        let id = tax_id.iter().map(|id| format!("Tax ID {id}"));
        let buyer =
            [name.clone()].into_iter().chain(address.iter().cloned()).chain([content.country.clone()]).chain(id);
        let mut facts = vec![("Number", invoice.name()), ("Date", day(invoice.issued_at))];
        if let Some(corrected) = &content.corrects {
            facts.push(("Corrects", format!("{} of {}", corrected.invoice, day(corrected.issued_at))));
        }
        facts.push(("Order", content.order.to_string()));
        facts.push(("Paid on", day(content.paid_at)));
        let seller = &content.seller;
        let reason = content.corrects.as_ref().map(|corrected| corrected.reason.replace('\n', " ")).unwrap_or_default();
        let reason = if reason.is_empty() { reason } else { format!("Reason: {reason}") };
        Ok(Head {
            title: if content.corrects.is_some() { "Credit note" } else { "Invoice" },
            seller: Party {
                name: text(&seller.name)?,
                address: seller.address.iter().map(|line| text(line)).collect::<Result<_, _>>()?,
                tax_id: seller.tax_id.as_deref().map(text).transpose()?,
            },
            buyer: buyer.map(|line| text(&line)).collect::<Result<_, _>>()?,
            facts,
            reason: lines(&text(&reason)?, Style::Italic, 12.0, RIGHT - LEFT)?.into_iter().take(2).collect(),
        })
    }

    /// Draws the head of the first page; returns where the table begins.
    fn draw(&self, canvas: &mut Canvas<'_>) -> f32 {
        canvas.text(&self.seller.name, look(Style::Regular, 20.0, Align::Left, NAVY), (LEFT, 82.0));
        let details =
            self.seller.address.iter().cloned().chain(self.seller.tax_id.iter().map(|id| format!("Tax ID {id}")));
        for (y, line) in (0_u8..6).zip(details) {
            let small = Type { width: 220.0, ..look(Style::Regular, 10.5, Align::Right, GRAY) };
            canvas.text(&line, small, (RIGHT, 70.0 + 13.0 * f32::from(y)));
        }
        canvas.rectangle([LEFT, 94.0, LEFT + 54.0, 95.6], GOLD);
        canvas.text(self.title, look(Style::Regular, 32.0, Align::Left, NAVY), (LEFT, 178.0));
        canvas.text("For", look(Style::Italic, 11.0, Align::Left, GRAY), (LEFT, 206.0));
        for (y, line) in (0_u8..7).zip(&self.buyer) {
            let look = Type { width: 250.0, ..look(Style::Regular, 12.0, Align::Left, BLACK) };
            canvas.text(line, look, (LEFT, 222.0 + 14.5 * f32::from(y)));
        }
        for (y, (name, value)) in (0_u8..).zip(&self.facts) {
            let y = 206.0 + 18.0 * f32::from(y);
            canvas.text(name, look(Style::Italic, 11.0, Align::Left, GRAY), (350.0, y));
            let look = Type { width: 130.0, ..look(Style::Regular, 12.0, Align::Right, BLACK) };
            canvas.text(value, look, (RIGHT, y));
        }
        TABLE
    }

    /// Draws the head of another page; returns where the table begins.
    fn draw_short(&self, canvas: &mut Canvas<'_>) -> f32 {
        let number = self.facts.first().map(|(_, number)| number.as_str()).unwrap_or_default();
        let title = format!("{} {number}", self.title);
        canvas.text(&title, look(Style::Regular, 14.0, Align::Left, NAVY), (LEFT, 78.0));
        NEXT_TABLE
    }

    fn draw_foot(&self, canvas: &mut Canvas<'_>, (number, count): (usize, usize)) {
        let y = A4.1 - 48.0;
        canvas.rectangle([LEFT, y - 18.0, RIGHT, y - 17.4], GOLD);
        let small = |align| look(Style::Italic, 10.5, align, GRAY);
        canvas.text(&self.seller.name, small(Align::Left), (LEFT, y));
        canvas.text(&format!("Page {number} of {count}"), small(Align::Right), (RIGHT, y));
        if number == count {
            for (line, text) in (0_u8..).zip(&self.reason) {
                canvas.text(
                    text,
                    look(Style::Italic, 12.0, Align::Left, GRAY),
                    (LEFT, BOTTOM + 15.0 * f32::from(line)),
                );
            }
        }
    }
}

/// Draws the rows below a heading; returns where the table ends.
fn table(canvas: &mut Canvas<'_>, rows: &[Row], top: f32) -> f32 {
    canvas.text("Item", look(Style::Italic, 11.0, Align::Left, GRAY), (LEFT, top));
    canvas.text("Price", look(Style::Italic, 11.0, Align::Right, GRAY), (RIGHT, top));
    canvas.rectangle([LEFT, top + 7.0, RIGHT, top + 7.9], NAVY);
    let mut y = top + 30.0;
    for row in rows {
        canvas.text(&row.amount, look(Style::Regular, 12.0, Align::Right, BLACK), (RIGHT, y));
        for (number, line) in (0_u8..).zip(&row.title) {
            let y = y + LEADING * f32::from(number);
            canvas.text(line, look(Style::Regular, 12.0, Align::Left, BLACK), (LEFT, y));
        }
        y += row.height();
        canvas.rectangle([LEFT, y - 18.0, RIGHT, y - 17.6], [214, 214, 214]);
    }
    y
}

/// What is below the table.
struct Sums {
    rows: Vec<(String, String)>,
    total: (&'static str, String),
    note: Option<String>,
}

fn sums(content: &InvoiceContent, money: &impl Fn(i64) -> String) -> Result<Sums, InternalError> {
    let rate = content.tax_rate.map(|rate| {
        let percent = rust_decimal::Decimal::new(i64::from(rate), 2).normalize();
        format!(" {percent} %")
    });
    let rate = rate.unwrap_or_default();
    let mut rows = Vec::new();
    if content.discount_minor > 0 {
        rows.push(("Discount".to_owned(), format!("−{}", money(content.discount_minor))));
    }
    let has_tax = content.tax_minor > 0 || content.tax_rate.is_some();
    if has_tax {
        rows.push(("Net".to_owned(), money(content.total_minor - content.tax_minor)));
        rows.push((format!("Tax{rate} ({})", printable(&content.country)?), money(content.tax_minor)));
    }
    let name = if content.corrects.is_some() { "Refund" } else { "Total" };
    let included = has_tax && content.tax_included;
    let note = if included { "Prices include the tax." } else { "" };
    let note = if has_tax { note } else { "No tax is charged." };
    Ok(Sums {
        rows,
        total: (name, money(content.total_minor)),
        note: Some(note.to_owned()).filter(|note| !note.is_empty()),
    })
}

impl Sums {
    fn draw(&self, canvas: &mut Canvas<'_>, top: f32) {
        let (column, mut y) = (330.0, top + 8.0);
        for (name, value) in &self.rows {
            canvas.text(name, look(Style::Regular, 12.0, Align::Left, GRAY), (column, y));
            canvas.text(value, look(Style::Regular, 12.0, Align::Right, GRAY), (RIGHT, y));
            y += 18.0;
        }
        y += 8.0;
        canvas.rectangle([column, y - 17.0, RIGHT, y - 16.1], NAVY);
        let (name, value) = &self.total;
        canvas.text(name, look(Style::Regular, 15.0, Align::Left, NAVY), (column, y + 2.0));
        canvas.text(value, look(Style::Regular, 15.0, Align::Right, NAVY), (RIGHT, y + 2.0));
        if let Some(note) = &self.note {
            canvas.text(note, look(Style::Italic, 10.5, Align::Left, GRAY), (LEFT, y + 2.0));
        }
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}

fn look(style: Style, size: f32, align: Align, color: Color) -> Type {
    Type { style, size, width: RIGHT - LEFT, spacing: 0.0, align, color }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::graphql::Id;
    use crate::orders::model::InvoiceLine;

    fn party(name: &str, address: &[&str], tax_id: &str) -> Party {
        let address = address.iter().map(ToString::to_string).collect();
        Party { name: name.into(), address, tax_id: Some(tax_id.into()) }
    }

    fn invoice(lines: usize) -> Invoice {
        let at: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        let titles = [
            "Analytical Engines: From Punched Cards to Programs",
            "Watermills, Windmills, Steam Engines and All Other Machines That Turn Wheels: A Complete Course in Twelve Parts",
            "Numbers of Bernoulli",
        ];
        let line = |place: usize| InvoiceLine {
            title: titles[place % 3].into(),
            amount_minor: [4900, 12900, 1990][place % 3],
        };
        let lines: Vec<InvoiceLine> = (0..lines).map(line).collect();
        let total: i64 = lines.iter().map(|line| line.amount_minor).sum::<i64>() - 1979;
        let content = InvoiceContent {
            seller: party("Lyceum Demo School", &["1 Mill Lane", "London W1J 7NT", "United Kingdom"], "GB123456789"),
            buyer: party("Analytical Works GmbH", &["Ada Lovelace", "Byronstraße 7", "10115 Berlin"], "DE987654321"),
            country: "DE".into(),
            order: 100_042,
            paid_at: at,
            currency: "EUR".into(),
            lines,
            discount_minor: 1979,
            tax_minor: total * 19 / 119,
            tax_rate: Some(1900),
            tax_included: true,
            total_minor: total,
            corrects: None,
        };
        Invoice {
            id: Uuid::nil(),
            series: "INV-2026-".into(),
            number: 128,
            order_id: Id::new(Uuid::nil()),
            refund_id: None,
            issued_at: at,
            content: serde_json::to_value(content).unwrap(),
        }
    }

    #[test]
    fn the_example_in_the_docs_is_current() {
        let made = pdf(&invoice(3)).unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/invoice.pdf");
        if made != include_bytes!("../../../docs/invoice.pdf") {
            std::fs::write(path, &made).unwrap();
            panic!("docs/invoice.pdf is out of date: look at {path} and copy it to docs/");
        }
    }

    #[test]
    fn a_long_invoice_has_several_pages_and_the_sums_are_below_the_last_item() {
        for (lines, pages) in [(1, 1), (3, 1), (6, 1), (8, 2), (20, 2)] {
            let rows = (0..lines).map(|_| Row { title: vec![String::new(); 2], amount: String::new() }).collect();
            let paged = paged(rows);
            assert_eq!(paged.len(), pages, "{lines}");
            assert_eq!(paged.iter().map(Vec::len).sum::<usize>(), lines);
        }
        assert!(pdf(&invoice(20)).is_ok());
    }

    #[test]
    fn a_character_that_the_typeface_lacks_does_not_prevent_an_invoice() {
        let mut chinese = invoice(1);
        chinese.content["buyer"]["name"] = "王小明".into();
        assert!(pdf(&chinese).is_ok());
    }
}
