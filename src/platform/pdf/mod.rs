//! PDF documents: lines of text, boxes and QR codes on pages.
//!
//! The typeface is EB Garamond (SIL Open Font License, `OFL.txt`). It has the Latin, Greek and Cyrillic scripts;
//! [`can_print`] says whether it has all characters of a text. Documents are PDF/A-2b, which embeds the fonts and forbids
//! missing glyphs, so [`Document::finish`] fails instead of printing a box. The same input gives the same bytes.
//!
//! Coordinates are in points, 1/72 inch, from the upper left corner of the page.

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::SerializeSettings;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::{DateTime as PdfDate, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use qrcodegen::{QrCode, QrCodeEcc};
use rustybuzz::{Face, UnicodeBuffer};

use super::internal_error::InternalError;

mod text;

pub use text::{lines, printable};

const REGULAR: &[u8] = include_bytes!("EBGaramond-Regular.ttf");
const ITALIC: &[u8] = include_bytes!("EBGaramond-Italic.ttf");

/// A4 in landscape format: width and height.
pub const A4_LANDSCAPE: (f32, f32) = (841.89, 595.28);

/// A4 in portrait format: width and height.
pub const A4: (f32, f32) = (595.28, 841.89);

/// A style of the typeface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Upright.
    Regular,
    /// Italic.
    Italic,
}

impl Style {
    fn data(self) -> &'static [u8] {
        match self {
            Style::Regular => REGULAR,
            Style::Italic => ITALIC,
        }
    }
}

/// Where a line of text is, relative to its x coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// It begins there.
    Left,
    /// It is centered there.
    Center,
    /// It ends there.
    Right,
}

/// A color: red, green and blue.
pub type Color = [u8; 3];

/// How a line of text looks.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// The style.
    pub style: Style,
    /// The size of the font.
    pub size: f32,
    /// The width that the line may have; a longer line is set smaller.
    pub width: f32,
    /// The space after each letter, in parts of the size.
    pub spacing: f32,
    /// The alignment.
    pub align: Align,
    /// The color.
    pub color: Color,
}

/// Returns whether the typeface has all characters of a text.
pub fn can_print(text: &str) -> bool {
    [REGULAR, ITALIC].into_iter().filter_map(|data| Face::from_slice(data, 0)).all(|face| {
        let glyphs = rustybuzz::shape(&face, &[], buffer(text));
        glyphs.glyph_infos().iter().all(|glyph| glyph.glyph_id != 0)
    })
}

/// A document that is being written.
pub struct Document {
    document: krilla::Document,
    fonts: Fonts,
}

struct Fonts {
    regular: Printed,
    italic: Printed,
}

/// A font, to embed and to shape text with.
struct Printed {
    font: Font,
    face: Face<'static>,
}

impl Document {
    /// Begins a document. Its language is English.
    ///
    /// # Errors
    /// A font is unreadable.
    pub fn new(title: &str, created: DateTime<Utc>) -> Result<Document, InternalError> {
        let archival = ConfigurationBuilder::new().with_archival_validator(Archival::A2_B).finish();
        let configuration = archival.map_err(|error| InternalError::new(format!("PDF/A: {error:?}")))?;
        let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
        let mut document = krilla::Document::new_with(settings);
        let metadata = Metadata::new().title(title.to_owned()).language("en".to_owned());
        document.set_metadata(metadata.creator("Lyceum".to_owned()).creation_date(date(created)?));
        let fonts = Fonts { regular: printed(REGULAR)?, italic: printed(ITALIC)? };
        Ok(Document { document, fonts })
    }

    /// Adds a page.
    ///
    /// # Errors
    /// The page has no size.
    pub fn page(
        &mut self,
        (width, height): (f32, f32),
        draw: impl FnOnce(&mut Canvas<'_>),
    ) -> Result<(), InternalError> {
        let settings =
            PageSettings::from_wh(width, height).ok_or_else(|| InternalError::new("a page without a size"))?;
        let mut page = self.document.start_page_with(settings);
        let links = {
            let mut canvas = Canvas { surface: page.surface(), fonts: &self.fonts, links: Vec::new() };
            draw(&mut canvas);
            canvas.links
        };
        for link in links {
            page.add_annotation(link.into());
        }
        page.finish();
        Ok(())
    }

    /// Returns the file.
    ///
    /// # Errors
    /// A text has characters that the typeface lacks.
    pub fn finish(self) -> Result<Vec<u8>, InternalError> {
        self.document.finish().map_err(|error| InternalError::new(format!("cannot write a PDF: {error:?}")))
    }
}

/// A page that is being drawn.
pub struct Canvas<'a> {
    surface: Surface<'a>,
    fonts: &'a Fonts,
    links: Vec<LinkAnnotation>,
}

impl Canvas<'_> {
    /// Writes a line of text with its baseline at `y`.
    pub fn text(&mut self, text: &str, look: Type, (x, y): (f32, f32)) {
        let printed = match look.style {
            Style::Regular => &self.fonts.regular,
            Style::Italic => &self.fonts.italic,
        };
        let glyphs = shaped(&printed.face, text, look.spacing);
        // The space after the last letter is not seen.
        let width = (glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() - look.spacing).max(f32::MIN_POSITIVE);
        let size = look.size.min(look.width / width);
        let start = match look.align {
            Align::Left => x,
            Align::Center => x - size * width / 2.0,
            Align::Right => x - size * width,
        };
        self.fill(look.color);
        self.surface.draw_glyphs(Point::from_xy(start, y), &glyphs, printed.font.clone(), text, size, false);
    }

    /// Fills a rectangle, given by its left, top, right and bottom.
    pub fn rectangle(&mut self, edges: [f32; 4], color: Color) {
        self.fill(color);
        self.draw(&[edges]);
    }

    /// Draws the outline of a rectangle.
    pub fn frame(&mut self, edges: [f32; 4], width: f32, color: Color) {
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke { paint: paint(color), width, ..Stroke::default() }));
        self.draw(&[edges]);
    }

    /// Draws a QR code in a square; nothing if the text is too long for one, which is some 2,000 characters.
    pub fn qr_code(&mut self, text: &str, (x, y): (f32, f32), size: f32, color: Color) {
        let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return };
        let module = size / code.size() as f32;
        let dark = (0..code.size()).flat_map(|row| (0..code.size()).map(move |column| (column, row)));
        let dark = dark.filter(|(column, row)| code.get_module(*column, *row));
        let squares = dark.map(|(column, row)| {
            let (left, top) = (x + column as f32 * module, y + row as f32 * module);
            [left, top, left + module, top + module]
        });
        self.fill(color);
        self.draw(&squares.collect::<Vec<_>>());
    }

    /// Makes a rectangle a link.
    pub fn link(&mut self, [left, top, right, bottom]: [f32; 4], url: &str) {
        let target = Target::Action(Action::Link(LinkAction::new(url.to_owned())));
        self.links.extend(Rect::from_ltrb(left, top, right, bottom).map(|area| LinkAnnotation::new(area, target)));
    }

    /// Draws something that is turned clockwise around a point, by an angle in degrees.
    pub fn turned(&mut self, degrees: f32, (x, y): (f32, f32), draw: impl FnOnce(&mut Self)) {
        self.surface.push_transform(&Transform::from_rotate_at(degrees, x, y));
        draw(self);
        self.surface.pop();
    }

    fn fill(&mut self, color: Color) {
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(Fill { paint: paint(color), opacity: NormalizedF32::ONE, ..Fill::default() }));
    }

    fn draw(&mut self, rectangles: &[[f32; 4]]) {
        let mut path = PathBuilder::new();
        for [left, top, right, bottom] in rectangles {
            if let Some(area) = Rect::from_ltrb(*left, *top, *right, *bottom) {
                path.push_rect(area);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }
}

fn paint([red, green, blue]: Color) -> krilla::paint::Paint {
    rgb::Color::new(red, green, blue).into()
}

fn printed(data: &'static [u8]) -> Result<Printed, InternalError> {
    let font = Font::new(data.into(), 0).zip(Face::from_slice(data, 0));
    let (font, face) = font.ok_or_else(|| InternalError::new("an embedded font is unreadable"))?;
    Ok(Printed { font, face })
}

fn buffer(text: &str) -> UnicodeBuffer {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer
}

/// The glyphs of a text, measured in parts of the font's size.
fn shaped(face: &Face<'_>, text: &str, spacing: f32) -> Vec<KrillaGlyph> {
    let part = |units: i32| units as f32 / face.units_per_em() as f32;
    let shaped = rustybuzz::shape(face, &[], buffer(text));
    let starts: Vec<usize> = shaped.glyph_infos().iter().filter_map(|glyph| glyph.cluster.try_into().ok()).collect();
    let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).zip(&starts);
    let glyphs = glyphs.map(|((glyph, position), start)| {
        let end = starts.iter().copied().filter(|other| other > start).min().unwrap_or(text.len());
        KrillaGlyph::new(
            GlyphId::new(glyph.glyph_id),
            part(position.x_advance) + spacing,
            part(position.x_offset),
            part(position.y_offset),
            part(position.y_advance),
            *start..end,
            None,
        )
    });
    glyphs.collect()
}

fn date(at: DateTime<Utc>) -> Result<PdfDate, InternalError> {
    let small = |number: u32| u8::try_from(number);
    let date = PdfDate::new(u16::try_from(at.year())?).month(small(at.month())?).day(small(at.day())?);
    Ok(date.hour(small(at.hour())?).minute(small(at.minute())?).second(small(at.second())?).utc_offset_hour(0))
}
