//! The certificate as a document (PDF) of one page.

use super::certificate::Shown;
use crate::platform::internal_error::InternalError;
use crate::platform::pdf::{A4_LANDSCAPE, Align, Canvas, Color, Document, Style, Type};

const PAPER: Color = [251, 250, 246];
const NAVY: Color = [31, 58, 95];
const GOLD: Color = [176, 141, 62];
const BLACK: Color = [17, 17, 17];
const GRAY: Color = [85, 85, 85];
const RED: Color = [179, 38, 30];

/// The width of the lines in the middle.
const WIDTH: f32 = 680.0;
/// The size of the QR code.
const CODE: f32 = 66.0;

/// Writes the document.
///
/// # Errors
/// The typeface lacks a character of a text.
pub(super) fn pdf(shown: &Shown) -> Result<Vec<u8>, InternalError> {
    let mut document = Document::new(&format!("Certificate {}", shown.code), shown.issued_at)?;
    document.page(A4_LANDSCAPE, |canvas| draw(canvas, shown))?;
    document.finish()
}

fn draw(canvas: &mut Canvas<'_>, shown: &Shown) {
    let (width, height) = A4_LANDSCAPE;
    let middle = width / 2.0;
    border(canvas);
    let mut line = |text: &str, style, size, color, y| {
        let look = Type { style, size, width: WIDTH, spacing: 0.0, align: Align::Center, color };
        canvas.text(text, look, (middle, y));
    };
    match &shown.name {
        Some(name) => {
            line("This certifies that", Style::Italic, 18.0, GRAY, 246.0);
            line(name, Style::Regular, 46.0, BLACK, 299.0);
            line("has completed the course", Style::Italic, 18.0, GRAY, 342.0);
        }
        None => line("The holder of this certificate has completed the course", Style::Italic, 20.0, GRAY, 300.0),
    }
    line(&shown.title, Style::Regular, 30.0, NAVY, 386.0);
    line("Certificate of Completion", Style::Regular, 46.0, NAVY, 166.0);
    let school = Type { spacing: 0.08, ..look(Style::Regular, 17.0, Align::Center, NAVY) };
    canvas.text(&shown.school, school, (middle, 104.0));
    canvas.rectangle([middle - 90.0, 191.6, middle + 90.0, 192.4], GOLD);
    canvas.turned(45.0, (middle, 192.0), |canvas| {
        canvas.rectangle([middle - 7.0, 185.0, middle + 7.0, 199.0], PAPER);
        canvas.rectangle([middle - 4.0, 188.0, middle + 4.0, 196.0], GOLD);
    });
    foot(canvas, shown, (width, height));
    if let Some(revoked) = shown.revoked_at {
        let text = format!("Revoked on {}", revoked.format("%-d %B %Y"));
        canvas.turned(-7.0, (middle, 448.0), |canvas| {
            let stamp = [middle - 180.0, 418.0, middle + 180.0, 478.0];
            canvas.rectangle(stamp, [255, 255, 255]);
            canvas.frame(stamp, 3.0, RED);
            let inside = Type { width: 330.0, ..look(Style::Regular, 32.0, Align::Center, RED) };
            canvas.text(&text, inside, (middle, 458.0));
        });
    }
}

fn border(canvas: &mut Canvas<'_>) {
    let (width, height) = A4_LANDSCAPE;
    let inside = |margin: f32| [margin, margin, width - margin, height - margin];
    canvas.rectangle(inside(0.0), PAPER);
    canvas.frame(inside(22.0), 2.4, NAVY);
    canvas.frame(inside(29.0), 0.8, GOLD);
    for (x, y) in [(29.0, 29.0), (width - 29.0, 29.0), (29.0, height - 29.0), (width - 29.0, height - 29.0)] {
        canvas.turned(45.0, (x, y), |canvas| canvas.rectangle([x - 4.0, y - 4.0, x + 4.0, y + 4.0], GOLD));
    }
}

/// The date on the left, and how to verify the certificate on the right.
fn foot(canvas: &mut Canvas<'_>, shown: &Shown, (width, height): (f32, f32)) {
    let (left, right, bottom) = (72.0, width - 72.0, height - 66.0);
    let issued = shown.issued_at.format("%-d %B %Y").to_string();
    canvas.text("Issued on", look(Style::Italic, 13.0, Align::Left, GRAY), (left, bottom - 20.0));
    canvas.text(&issued, look(Style::Regular, 17.0, Align::Left, BLACK), (left, bottom));
    let corner = (right - CODE, bottom - CODE + 4.0);
    canvas.qr_code(&shown.url, corner, CODE, NAVY);
    let beside = corner.0 - 14.0;
    let told = Type { width: 330.0, ..look(Style::Regular, 12.0, Align::Right, NAVY) };
    let code = Type { spacing: 0.08, ..look(Style::Regular, 17.0, Align::Right, BLACK) };
    canvas.text("Verify this certificate", look(Style::Italic, 13.0, Align::Right, GRAY), (beside, bottom - 41.0));
    canvas.text(&shown.code, code, (beside, bottom - 20.0));
    canvas.text(&shown.url, told, (beside, bottom));
    canvas.link([beside - 330.0, corner.1, right, bottom + 4.0], &shown.url);
}

fn look(style: Style, size: f32, align: Align, color: Color) -> Type {
    Type { style, size, width: WIDTH, spacing: 0.0, align, color }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn shown() -> Shown {
        let issued_at: DateTime<Utc> = "2026-11-20T09:00:00Z".parse().unwrap();
        Shown {
            school: "Lyceum Demo School".into(),
            name: Some("Ada Lovelace".into()),
            title: "Analytical Engines: From Punched Cards to Programs".into(),
            issued_at,
            revoked_at: None,
            code: "7K3M9QX2VDBA".into(),
            url: "https://school.example/certificates/7K3M9QX2VDBA.svg".into(),
        }
    }

    #[test]
    fn the_example_in_the_docs_is_current() {
        let made = pdf(&shown()).unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/target/certificate.pdf");
        if made != include_bytes!("../../../docs/certificate.pdf") {
            std::fs::write(path, &made).unwrap();
            panic!("docs/certificate.pdf is out of date: look at {path} and copy it to docs/");
        }
    }

    #[test]
    fn what_the_typeface_lacks_is_not_printed_as_a_box() {
        let chinese = Shown { name: Some("王小明".into()), ..shown() };
        assert!(!chinese.is_printable());
        assert!(pdf(&chinese).unwrap_err().report().contains("NotDef"));
        assert!(Shown { name: None, ..chinese }.is_printable(), "what is not shown does not matter");
    }
}
