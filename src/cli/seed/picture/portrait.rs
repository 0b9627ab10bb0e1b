//! Pictures of people, who do not exist.

use bytes::Bytes;

use super::Dice;
use super::canvas::{Canvas, Color, Paint};
use crate::platform::internal_error::InternalError;

const GROUNDS: [[u32; 2]; 8] = [
    [0xc7d2fe, 0x818cf8],
    [0xa7f3d0, 0x34d399],
    [0xfde68a, 0xfbbf24],
    [0xfecdd3, 0xfb7185],
    [0xbae6fd, 0x38bdf8],
    [0xe9d5ff, 0xc084fc],
    [0xfed7aa, 0xfb923c],
    [0xcbd5e1, 0x94a3b8],
];
const SKINS: [u32; 6] = [0xf8d5bd, 0xeab896, 0xd29b73, 0xb0764d, 0x8a5638, 0x5f3a26];
const HAIRS: [u32; 8] = [0x1f1a17, 0x3b2418, 0x5c3a21, 0x8b5a2b, 0xc28e4a, 0x9a3412, 0x6b7280, 0x272136];
const SHIRTS: [u32; 8] = [0x1e3a8a, 0x0f766e, 0x9f1239, 0x6d28d9, 0x374151, 0xb45309, 0x166534, 0xf5f5f4];

/// Draws the person with this number.
pub(super) fn draw(mut canvas: Canvas, number: usize) -> Result<Bytes, InternalError> {
    let mut dice = Dice::new(number);
    let [from, to] = dice.pick(&GROUNDS, [0xcbd5e1, 0x94a3b8]).map(Color);
    let ground = canvas.paint(from, to);
    canvas.fill(&ground);
    let (skin, hair, shirt) = (dice.pick(&SKINS, 0), dice.pick(&HAIRS, 0), dice.pick(&SHIRTS, 0));
    let (skin, hair, shirt) = (shades(&canvas, skin, 0.12), shades(&canvas, hair, 0.25), shades(&canvas, shirt, 0.2));
    let style = dice.below(6);
    behind(&mut canvas, style, &hair);
    canvas.panel((4.7, 7.0), (6.6, 4.0), 1.9, &shirt);
    canvas.panel((7.2, 5.2), (1.6, 2.4), 0.8, &skin);
    canvas.ellipse((8.0, 7.25), (1.25, 0.75), (7.0, 9.0), &skin);
    for side in [-1.0, 1.0] {
        canvas.circle((8.0 + side * 1.72, 4.35), 0.32, &skin);
    }
    canvas.ellipse((8.0, 4.2), (1.75, 2.1), (0.0, 9.0), &skin);
    above(&mut canvas, style, &mut dice, &hair);
    face(&mut canvas, style, &mut dice, &hair);
    canvas.png()
}

/// A gradient around a color.
fn shades(canvas: &Canvas, color: u32, contrast: f64) -> Paint {
    let color = Color(color);
    canvas.paint(color.mixed(Color(0xff_ff_ff), contrast), color.mixed(Color(0), contrast * 0.6))
}

/// The hair that is behind the head.
fn behind(canvas: &mut Canvas, style: u64, hair: &Paint) {
    match style {
        0 => canvas.panel((5.75, 1.8), (4.5, 5.6), 2.1, hair),
        1 => canvas.circle((8.0, 3.6), 2.6, hair),
        2 => {
            canvas.circle((8.0, 1.5), 0.95, hair);
            canvas.circle((8.0, 3.7), 2.1, hair);
        }
        3 => canvas.panel((5.95, 1.9), (4.1, 3.9), 1.9, hair),
        _ => canvas.ellipse((8.0, 3.8), (1.95, 2.15), (0.0, 4.4), hair),
    }
}

/// The hair that is in front of the head.
fn above(canvas: &mut Canvas, style: u64, dice: &mut Dice, hair: &Paint) {
    let line = dice.between(2.75, 3.1);
    match style {
        // Bald on top.
        5 => {}
        0 | 3 => {
            canvas.ellipse((8.0, 4.0), (1.95, 2.15), (0.0, line), hair);
            let side = dice.pick(&[-1.0, 1.0], 1.0);
            canvas.polygon(&[(8.0 + side * 1.8, line - 0.1), (8.0 + side * 1.5, 4.3), (8.0, line - 0.1)], hair);
        }
        _ => canvas.ellipse((8.0, 4.0), (1.9, 2.1), (0.0, line), hair),
    }
}

fn face(canvas: &mut Canvas, style: u64, dice: &mut Dice, hair: &Paint) {
    let dark = canvas.paint(Color(0x2b2320), Color(0x1c1715));
    let has_glasses = dice.below(4) == 0;
    for side in [-1.0, 1.0] {
        let eye = (8.0 + side * 0.68, 4.25);
        canvas.circle(eye, 0.16, &dark);
        if has_glasses {
            canvas.ring(eye, (0.52, 0.1), (0.0, 9.0), &dark);
        } else {
            canvas.panel((eye.0 - 0.32, 3.72), (0.64, 0.13), 0.06, hair);
        }
    }
    if has_glasses {
        canvas.panel((7.8, 4.2), (0.4, 0.1), 0.05, &dark);
    }
    // A beard, with short hair.
    if style > 2 && dice.below(3) == 0 {
        canvas.ellipse((8.0, 4.5), (1.5, 1.78), (5.35, 9.0), hair);
    }
    let smile = canvas.paint(Color(0x9f3b3b), Color(0x7f2d2d));
    canvas.ring((8.0, 4.75), (0.7, 0.14), (5.1, 9.0), &smile);
}
