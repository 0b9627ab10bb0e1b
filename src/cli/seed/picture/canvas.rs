//! A canvas for shapes that are filled with color gradients.
//!
//! Shapes are filled by copying rows of a prepared gradient, which is fast even in a debug build. The canvas has twice
//! the width and height of the picture, so that edges are smooth.

use std::f64::consts::TAU;

use bytes::Bytes;
use image::{DynamicImage, RgbImage};

use crate::platform::internal_error::{Context, InternalError};

/// The pixels of the canvas per pixel of the picture, in each direction.
const OVERSAMPLED: u32 = 2;

/// A color: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Color(pub(super) u32);

impl Color {
    fn channels(self) -> [f64; 3] {
        [16, 8, 0].map(|shift| f64::from((self.0 >> shift) & 0xff))
    }

    /// Returns the mixture with another color, of which `share` is between 0 and 1.
    pub(super) fn mixed(self, other: Color, share: f64) -> Color {
        let mixed = self.channels().iter().zip(other.channels()).fold(0, |color, (own, other)| {
            let channel = (own + (other - own) * share).round().clamp(0.0, 255.0);
            color << 8 | channel as u32
        });
        Color(mixed)
    }
}

/// A diagonal gradient that fills shapes.
pub(super) struct Paint {
    strip: Vec<u8>,
}

/// A canvas that is nine units high.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// The pixels of one unit.
    unit: f64,
    /// Where the horizontal center is, in units.
    center: f64,
}

impl Canvas {
    /// Creates a canvas for a picture of this size in pixels. Its center is at (8, 4.5), whatever its width.
    pub(super) fn new(width: u32, height: u32) -> Canvas {
        let (width, height) = ((width * OVERSAMPLED) as usize, (height * OVERSAMPLED) as usize);
        let unit = height as f64 / 9.0;
        Canvas { width, height, pixels: vec![0; width * height * 3], unit, center: 8.0 - width as f64 / unit / 2.0 }
    }

    /// Prepares a gradient from the top left to the bottom right of the whole canvas.
    pub(super) fn paint(&self, from: Color, to: Color) -> Paint {
        let length = self.width + self.height;
        let (start, end) = (from.channels(), to.channels());
        let mut strip = Vec::with_capacity(length * 3);
        for place in 0..length {
            let share = place as f64 / length as f64;
            strip.extend(start.iter().zip(end).map(|(start, end)| (start + (end - start) * share) as u8));
        }
        Paint { strip }
    }

    pub(super) fn fill(&mut self, paint: &Paint) {
        for row in 0..self.height {
            self.span(row, 0.0, self.width as f64, paint);
        }
    }

    /// Fills a row from `start` to `end`, which are in pixels.
    fn span(&mut self, row: usize, start: f64, end: f64, paint: &Paint) {
        let limit = |at: f64| at.round().clamp(0.0, self.width as f64) as usize;
        let (start, end) = (limit(start), limit(end));
        if row >= self.height || start >= end {
            return;
        }
        let (place, first) = ((row * self.width + start) * 3, (row + start) * 3);
        let length = (end - start) * 3;
        let target = self.pixels.get_mut(place..place + length);
        if let (Some(target), Some(source)) = (target, paint.strip.get(first..first + length)) {
            target.copy_from_slice(source);
        }
    }

    /// The rows between two heights in units, each with its own height in units.
    fn rows(&self, top: f64, bottom: f64) -> impl Iterator<Item = (usize, f64)> + use<> {
        let unit = self.unit;
        let limit = |at: f64| (at * unit).round().clamp(0.0, self.height as f64) as usize;
        (limit(top)..limit(bottom)).map(move |row| (row, (row as f64 + 0.5) / unit))
    }

    fn x(&self, at: f64) -> f64 {
        (at - self.center) * self.unit
    }

    pub(super) fn circle(&mut self, (x, y): (f64, f64), radius: f64, paint: &Paint) {
        self.ellipse((x, y), (radius, radius), (y - radius, y + radius), paint);
    }

    /// Fills the part of an ellipse between two heights.
    pub(super) fn ellipse(
        &mut self,
        (x, y): (f64, f64),
        (across, down): (f64, f64),
        (top, bottom): (f64, f64),
        paint: &Paint,
    ) {
        for (row, at) in self.rows(top.max(y - down), bottom.min(y + down)) {
            let half = across * (1.0 - ((at - y) / down).powi(2)).max(0.0).sqrt();
            self.span(row, self.x(x - half), self.x(x + half), paint);
        }
    }

    /// Draws the part of a ring between two heights; `radius` is the outer one.
    pub(super) fn ring(
        &mut self,
        (x, y): (f64, f64),
        (radius, width): (f64, f64),
        (top, bottom): (f64, f64),
        paint: &Paint,
    ) {
        for (row, at) in self.rows(top.max(y - radius), bottom.min(y + radius)) {
            let half = |radius: f64| (radius * radius - (at - y).powi(2)).max(0.0).sqrt();
            let (outer, inner) = (half(radius), half(radius - width));
            self.span(row, self.x(x - outer), self.x(x - inner), paint);
            self.span(row, self.x(x + inner), self.x(x + outer), paint);
        }
    }

    /// Fills a rectangle with rounded corners.
    pub(super) fn panel(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), radius: f64, paint: &Paint) {
        let radius = radius.min(width / 2.0).min(height / 2.0);
        for (row, at) in self.rows(y, y + height) {
            let into_corner = (radius - (at - y).min(y + height - at)).max(0.0);
            let inset = radius - (radius * radius - into_corner * into_corner).max(0.0).sqrt();
            self.span(row, self.x(x + inset), self.x(x + width - inset), paint);
        }
    }

    /// Fills a polygon.
    pub(super) fn polygon(&mut self, corners: &[(f64, f64)], paint: &Paint) {
        let bounds = |pick: fn(f64, f64) -> f64, first: f64| corners.iter().fold(first, |most, (_, y)| pick(most, *y));
        let next = corners.iter().skip(1).chain(corners.first());
        let edges: Vec<_> = corners.iter().zip(next).collect();
        for (row, at) in self.rows(bounds(f64::min, 9.0).max(0.0), bounds(f64::max, 0.0).min(9.0)) {
            let crossed = edges.iter().filter(|((_, from), (_, to))| (*from <= at) != (*to <= at));
            let mut places: Vec<f64> =
                crossed.map(|((x, from), (to_x, to))| x + (at - from) / (to - from) * (to_x - x)).collect();
            places.sort_by(f64::total_cmp);
            for pair in places.chunks_exact(2) {
                if let [start, end] = pair {
                    self.span(row, self.x(*start), self.x(*end), paint);
                }
            }
        }
    }

    /// Fills a regular polygon whose first corner is at `turn`, a share of a full turn.
    pub(super) fn regular(&mut self, (x, y): (f64, f64), radius: f64, corners: u32, turn: f64, paint: &Paint) {
        let corner = |number: u32| {
            let angle = TAU * (f64::from(number) / f64::from(corners) + turn);
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        self.polygon(&(0..corners).map(corner).collect::<Vec<_>>(), paint);
    }

    /// Returns the picture as a PNG file.
    ///
    /// # Errors
    /// It cannot be encoded, which is a bug.
    pub(super) fn png(self) -> Result<Bytes, InternalError> {
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let large = RgbImage::from_raw(width, height, self.pixels);
        let large = DynamicImage::from(large.ok_or_else(|| InternalError::new("a canvas of another size"))?);
        let picture = lyceum_pixels::resize(&large, (width / OVERSAMPLED, height / OVERSAMPLED));
        let file = lyceum_pixels::png(&picture.context("resize a drawn picture")?);
        Ok(file.context("encode a drawn picture")?.into())
    }
}
