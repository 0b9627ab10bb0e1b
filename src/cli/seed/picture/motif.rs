//! Pictures of subjects: each category has colors and a motif of its own.

use bytes::Bytes;

use super::Dice;
use super::canvas::{Canvas, Color, Paint};
use crate::platform::internal_error::InternalError;

const WHITE: Color = Color(0xff_ff_ff);

/// What a category looks like: the colors of the background and of the shapes, and what draws these.
struct Look {
    category: &'static str,
    ground: [u32; 2],
    shapes: [u32; 3],
    motif: fn(&mut Sheet),
}

const LOOKS: [Look; 15] = [
    look("Technology", [0x1e1b4b, 0x6d28d9], [0x818cf8, 0xf472b6, 0x22d3ee], hexagons),
    look("Programming", [0x1e1b4b, 0x4f46e5], [0xa5b4fc, 0xf9a8d4, 0x67e8f9], code),
    look("Data", [0x064e3b, 0x14b8a6], [0x99f6e4, 0xfde68a, 0x34d399], chart),
    look("Operations", [0x0f172a, 0x475569], [0x38bdf8, 0x94a3b8, 0xfb923c], hexagons),
    look("Science", [0x1e3a8a, 0x0891b2], [0x67e8f9, 0xfde047, 0xa5b4fc], orbits),
    look("Mathematics", [0x3b0764, 0x9333ea], [0xe879f9, 0xfde047, 0xc4b5fd], orbits),
    look("Nature", [0x7dd3fc, 0xfef3c7], [0x166534, 0x65a30d, 0xfbbf24], hills),
    look("Arts", [0xbe123c, 0xf59e0b], [0xfecdd3, 0xfef3c7, 0x7c2d12], discs),
    look("Music", [0x701a75, 0xe11d48], [0xfbcfe8, 0xfdba74, 0xf472b6], sound),
    look("Visual Arts", [0xfef3c7, 0xfdba74], [0xef4444, 0x1d4ed8, 0x059669], discs),
    look("Writing", [0x7c2d12, 0xd97706], [0xfffbeb, 0xfcd34d, 0xb45309], pages),
    look("Languages", [0x0c4a6e, 0x0ea5e9], [0xf0f9ff, 0xfde047, 0x7dd3fc], bubbles),
    look("Work and Life", [0x134e4a, 0x65a30d], [0xd9f99d, 0xfef9c3, 0x5eead4], steps),
    look("Business", [0x172554, 0x3b82f6], [0x93c5fd, 0xfcd34d, 0xdbeafe], steps),
    look("Home and Health", [0xffe4e6, 0xfda4af], [0xfb7185, 0xffffff, 0x86efac], petals),
];

const fn look(category: &'static str, ground: [u32; 2], shapes: [u32; 3], motif: fn(&mut Sheet)) -> Look {
    Look { category, ground, shapes, motif }
}

/// A canvas with what a motif needs.
struct Sheet {
    canvas: Canvas,
    dice: Dice,
    ground: [Color; 2],
    shapes: [Color; 3],
}

/// Draws the picture with this number for a category.
pub(super) fn draw(canvas: Canvas, category: &str, number: usize) -> Result<Bytes, InternalError> {
    let unknown = || InternalError::new(format!("{category} has no look"));
    let look = LOOKS.iter().find(|look| look.category == category).ok_or_else(unknown)?;
    let mut sheet =
        Sheet { canvas, dice: Dice::new(number), ground: look.ground.map(Color), shapes: look.shapes.map(Color) };
    let [mut from, mut to] = sheet.ground;
    if sheet.dice.below(2) == 0 {
        (from, to) = (to, from);
        sheet.ground = [from, to];
    }
    let ground = sheet.canvas.paint(from, to);
    sheet.canvas.fill(&ground);
    sheet.backdrop();
    (look.motif)(&mut sheet);
    sheet.canvas.png()
}

impl Sheet {
    /// A gradient around the shape color with this number, more or less mixed with the ground.
    fn shape(&mut self, number: usize, share: f64) -> Paint {
        let color = self.shapes.get(number % 3).copied().unwrap_or(WHITE);
        let [from, to] = self.ground;
        self.canvas.paint(color.mixed(from, share), color.mixed(to, share))
    }

    /// Large, faint discs behind the motif.
    fn backdrop(&mut self) {
        for number in 0..3 {
            let place = (self.dice.between(-1.0, 17.0), self.dice.between(-1.0, 10.0));
            let paint = self.shape(number, 0.86);
            let radius = self.dice.between(2.0, 4.5);
            self.canvas.circle(place, radius, &paint);
        }
    }
}

/// Lines of code in a window.
fn code(sheet: &mut Sheet) {
    let [dark, _] = sheet.ground;
    let night = Color(0x0b1020);
    let window = sheet.canvas.paint(night.mixed(dark, 0.25), night.mixed(dark, 0.5));
    let (left, top) = (4.1 + sheet.dice.between(-0.3, 0.3), 1.5);
    sheet.canvas.panel((left, top), (7.8, 6.0), 0.45, &window);
    for number in 0..3 {
        let paint = sheet.shape(number, 0.1);
        sheet.canvas.circle((left + 0.6 + 0.5 * number as f64, top + 0.6), 0.16, &paint);
    }
    let mut indent = 0.0;
    for line in 0..6 {
        let mut at = left + 0.6 + indent;
        for _ in 0..1 + sheet.dice.below(3) {
            let length = sheet.dice.between(0.7, 2.1).min(left + 7.2 - at);
            let color = sheet.dice.below(3) as usize;
            let paint = sheet.shape(color, 0.12);
            if length > 0.3 {
                sheet.canvas.panel((at, top + 1.35 + 0.74 * f64::from(line)), (length, 0.34), 0.17, &paint);
            }
            at += length + 0.3;
        }
        indent = (indent + sheet.dice.pick(&[-0.7, 0.0, 0.7, 0.7], 0.0)).clamp(0.0, 2.1);
    }
}

/// A bar chart with a line above.
fn chart(sheet: &mut Sheet) {
    let (mut height, mut points) = (sheet.dice.between(1.0, 2.5), Vec::new());
    for number in 0..7 {
        let left = 3.6 + 1.27 * f64::from(number);
        let paint = sheet.shape(if number % 3 == 2 { 2 } else { 0 }, 0.15 + 0.07 * f64::from(number % 4));
        sheet.canvas.panel((left, 7.9 - height), (0.86, height), 0.2, &paint);
        points.push((left + 0.43, 7.2 - height));
        height = (height + sheet.dice.between(-0.6, 1.4)).clamp(1.0, 5.6);
    }
    let line = sheet.shape(1, 0.05);
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let ((x, y), (to_x, to_y)) = (*from, *to);
        sheet.canvas.polygon(&[(x, y - 0.06), (to_x, to_y - 0.06), (to_x, to_y + 0.06), (x, y + 0.06)], &line);
    }
    for place in points {
        sheet.canvas.circle(place, 0.2, &line);
    }
}

/// A honeycomb.
fn hexagons(sheet: &mut Sheet) {
    let radius = sheet.dice.between(1.0, 1.25);
    for row in 0..4 {
        for column in 0..6 {
            let shift = if row % 2 == 0 { 0.0 } else { 0.5 };
            let x = 8.0 + (f64::from(column) - 2.75 + shift) * radius * 1.78;
            let y = 4.5 + (f64::from(row) - 1.5) * radius * 1.54;
            let distance = ((x - 8.0).powi(2) + (y - 4.5).powi(2)).sqrt();
            if distance > 3.9 || sheet.dice.below(6) == 0 {
                continue;
            }
            let (color, share) = (sheet.dice.below(3) as usize, sheet.dice.between(0.05, 0.55));
            let paint = sheet.shape(color, share);
            sheet.canvas.regular((x, y), radius * 0.94, 6, 0.25, &paint);
        }
    }
}

/// Circles around a center, with bodies on them.
fn orbits(sheet: &mut Sheet) {
    let center = (8.0 + sheet.dice.between(-0.8, 0.8), 4.5);
    let corners = 3 + sheet.dice.below(4) as u32;
    for number in 0..4 {
        let radius = 1.5 + 0.85 * number as f64;
        let paint = sheet.shape(number, 0.3 + 0.1 * number as f64);
        sheet.canvas.ring(center, (radius, 0.09), (0.0, 9.0), &paint);
        let angle = sheet.dice.between(0.0, std::f64::consts::TAU);
        let place = (center.0 + (radius - 0.04) * angle.cos(), center.1 + (radius - 0.04) * angle.sin());
        let (paint, size) = (sheet.shape(number + 1, 0.05), sheet.dice.between(0.22, 0.45));
        sheet.canvas.circle(place, size, &paint);
    }
    let (outer, inner, turn) = (sheet.shape(1, 0.05), sheet.shape(0, 0.2), sheet.dice.between(0.0, 1.0));
    sheet.canvas.regular(center, 1.05, corners, turn, &outer);
    sheet.canvas.regular(center, 0.55, corners, turn + 0.5 / f64::from(corners), &inner);
}

/// Hills under a sun.
fn hills(sheet: &mut Sheet) {
    let (x, y) = (sheet.dice.between(5.0, 11.0), sheet.dice.between(2.0, 3.2));
    for (radius, share) in [(1.9, 0.8), (1.5, 0.55), (1.1, 0.0)] {
        let paint = sheet.shape(2, share);
        sheet.canvas.circle((x, y), radius, &paint);
    }
    for layer in 0..4_u8 {
        let base = 4.6 + 1.05 * f64::from(layer);
        let (wave, shift) = (sheet.dice.between(0.3, 0.6), sheet.dice.between(0.0, 6.0));
        let height = sheet.dice.between(0.5, 0.95);
        let mut corners = vec![(-1.0, 9.0)];
        for step in 0..=90 {
            let x = -1.0 + 0.2 * f64::from(step);
            let y = base - height * (x * wave + shift).sin() - 0.2 * (x * wave * 2.3 + shift).cos();
            corners.push((x, y.min(9.0)));
        }
        corners.push((17.0, 9.0));
        let paint = sheet.shape(1 - usize::from(layer % 2), 0.5 - 0.16 * f64::from(layer));
        sheet.canvas.polygon(&corners, &paint);
    }
}

/// Overlapping discs, rings and half discs.
fn discs(sheet: &mut Sheet) {
    for number in 0..6 {
        let place = (sheet.dice.between(4.6, 11.4), sheet.dice.between(2.2, 6.8));
        let (radius, share) = (sheet.dice.between(0.7, 2.0), sheet.dice.between(0.0, 0.45));
        let paint = sheet.shape(number, share);
        match sheet.dice.below(4) {
            0 => sheet.canvas.ring(place, (radius, radius * 0.35), (0.0, 9.0), &paint),
            1 => sheet.canvas.ellipse(place, (radius, radius), (place.1, 9.0), &paint),
            2 => {
                let turn = sheet.dice.between(0.0, 1.0);
                sheet.canvas.regular(place, radius, 3, turn, &paint);
            }
            _ => sheet.canvas.circle(place, radius, &paint),
        }
    }
}

/// The bars of an equalizer.
fn sound(sheet: &mut Sheet) {
    let (wave, shift) = (sheet.dice.between(0.35, 0.8), sheet.dice.between(0.0, 6.0));
    for number in 0..19_u8 {
        let at = f64::from(number) - 9.0;
        let around = (1.0 - (at / 10.0).powi(2)).max(0.1);
        let half = around * (1.5 + 1.1 * (at * wave + shift).sin() + sheet.dice.between(0.0, 0.7));
        let paint = sheet.shape(usize::from(number % 3), 0.1 + 0.03 * at.abs());
        sheet.canvas.panel((8.0 + at * 0.52 - 0.16, 4.5 - half), (0.32, 2.0 * half), 0.16, &paint);
    }
}

/// Written pages.
fn pages(sheet: &mut Sheet) {
    let (under, page, ink) = (sheet.shape(1, 0.35), sheet.shape(0, 0.04), sheet.shape(2, 0.35));
    let left = 5.1 + sheet.dice.between(-0.3, 0.3);
    sheet.canvas.panel((left + 0.9, 1.1), (5.0, 6.6), 0.25, &under);
    sheet.canvas.panel((left, 1.5), (5.0, 6.6), 0.25, &page);
    let heading = sheet.shape(1, 0.1);
    let length = sheet.dice.between(1.6, 3.2);
    sheet.canvas.panel((left + 0.6, 2.2), (length, 0.42), 0.21, &heading);
    for line in 0..6 {
        let length = if line % 3 == 2 { sheet.dice.between(1.2, 2.8) } else { sheet.dice.between(3.2, 3.8) };
        sheet.canvas.panel((left + 0.6, 3.15 + 0.72 * f64::from(line)), (length, 0.22), 0.11, &ink);
    }
    let (x, y) = (left + 4.6, sheet.dice.between(5.4, 6.6));
    let (pen, tip) = (sheet.shape(1, 0.0), sheet.shape(0, 0.2));
    sheet.canvas.polygon(&[(x, y), (x + 0.55, y + 0.35), (x + 2.5, y - 2.6), (x + 1.95, y - 2.95)], &pen);
    sheet.canvas.polygon(&[(x, y), (x + 0.55, y + 0.35), (x - 0.15, y + 0.85)], &tip);
}

/// Two speech bubbles.
fn bubbles(sheet: &mut Sheet) {
    let shift = sheet.dice.between(-0.4, 0.4);
    let (first, second, dark) = (sheet.shape(0, 0.03), sheet.shape(1, 0.03), sheet.shape(0, 0.75));
    let (x, y) = (4.2 + shift, 1.5);
    sheet.canvas.panel((x, y), (5.4, 3.1), 0.8, &first);
    sheet.canvas.polygon(&[(x + 0.9, y + 2.8), (x + 2.2, y + 2.8), (x + 0.7, y + 4.2)], &first);
    for line in 0..2 {
        let length = sheet.dice.between(2.2, 3.9);
        sheet.canvas.panel((x + 0.8, y + 0.85 + 0.8 * f64::from(line)), (length, 0.38), 0.19, &dark);
    }
    let (x, y) = (6.8 + shift, 4.3);
    sheet.canvas.panel((x, y), (4.8, 2.6), 0.8, &second);
    sheet.canvas.polygon(&[(x + 2.8, y + 2.3), (x + 4.1, y + 2.3), (x + 4.3, y + 3.6)], &second);
    for number in 0..3 {
        sheet.canvas.circle((x + 1.4 + f64::from(number), y + 1.3), 0.28, &dark);
    }
}

/// Steps up to a disc.
fn steps(sheet: &mut Sheet) {
    let mut top = 7.4;
    for number in 0..5 {
        let left = 3.9 + 1.6 * f64::from(number);
        let paint = sheet.shape(if number % 2 == 0 { 0 } else { 2 }, 0.5 - 0.1 * f64::from(number));
        sheet.canvas.panel((left, top), (1.6, 9.5 - top), 0.12, &paint);
        top -= sheet.dice.between(0.7, 1.25);
    }
    let (halo, disc) = (sheet.shape(1, 0.6), sheet.shape(1, 0.0));
    sheet.canvas.circle((11.1, top + 0.1), 1.0, &halo);
    sheet.canvas.circle((11.1, top + 0.1), 0.68, &disc);
}

/// A flower.
fn petals(sheet: &mut Sheet) {
    let (count, turn) = (5 + sheet.dice.below(4), sheet.dice.between(0.0, 1.0));
    let leaf = sheet.shape(2, 0.05);
    for side in [-1.0, 1.0] {
        let (x, y) = (8.0 + side * 2.9, 6.3);
        sheet.canvas.polygon(&[(8.0, 5.0), (x, y - 1.3), (x + side * 1.2, y), (x - side * 0.4, y + 0.3)], &leaf);
    }
    for (distance, size, share) in [(1.75, 1.15, 0.35), (1.2, 0.95, 0.1)] {
        for number in 0..count {
            let angle = std::f64::consts::TAU * (number as f64 / count as f64 + turn + share);
            let place = (8.0 + distance * angle.cos(), 4.4 + distance * angle.sin());
            let paint = sheet.shape(number as usize % 2, share);
            sheet.canvas.circle(place, size, &paint);
        }
    }
    let (edge, heart) = (sheet.shape(1, 0.05), sheet.canvas.paint(Color(0xfcd34d), Color(0xf59e0b)));
    sheet.canvas.circle((8.0, 4.4), 0.95, &edge);
    sheet.canvas.circle((8.0, 4.4), 0.75, &heart);
}
