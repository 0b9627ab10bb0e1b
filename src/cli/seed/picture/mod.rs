//! Pictures of courses, categories, channels and people, drawn by the program: the same number gives the same picture.

mod canvas;
mod motif;
mod portrait;

use bytes::Bytes;

use self::canvas::Canvas;
use crate::platform::internal_error::InternalError;

/// Draws the thumbnail of a course: 1280 × 720 pixels.
///
/// # Errors
/// The program is stopping.
pub(super) async fn course(category: &'static str, number: usize) -> Result<Bytes, InternalError> {
    drawn(move || motif::draw(Canvas::new(1280, 720), category, number)).await
}

/// Draws the picture of a category: 960 × 540 pixels.
///
/// # Errors
/// The program is stopping.
pub(super) async fn category(category: &'static str) -> Result<Bytes, InternalError> {
    // Another number than that of any course.
    drawn(move || motif::draw(Canvas::new(960, 540), category, usize::MAX)).await
}

/// Draws the picture of a channel: 480 × 480 pixels.
///
/// # Errors
/// The program is stopping.
pub(super) async fn channel(category: &'static str, number: usize) -> Result<Bytes, InternalError> {
    drawn(move || motif::draw(Canvas::new(480, 480), category, number.wrapping_add(1 << 20))).await
}

/// Draws the picture of a person: 320 × 320 pixels.
///
/// # Errors
/// The program is stopping.
pub(super) async fn person(number: usize) -> Result<Bytes, InternalError> {
    drawn(move || portrait::draw(Canvas::new(320, 320), number)).await
}

async fn drawn(draw: impl FnOnce() -> Result<Bytes, InternalError> + Send + 'static) -> Result<Bytes, InternalError> {
    tokio::task::spawn_blocking(draw).await?
}

/// A deterministic sequence of numbers (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(number: usize) -> Dice {
        Dice((number as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of the numbers below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn pick<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let place = self.below(list.len() as u64) as usize;
        list.get(place).copied().unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pictures_are_deterministic_and_differ() {
        let first = course("Music", 1).await.unwrap();
        assert_eq!(first, course("Music", 1).await.unwrap());
        assert_ne!(first, course("Music", 2).await.unwrap());
        assert_ne!(person(1).await.unwrap(), person(2).await.unwrap());
        let size = image::load_from_memory(&first).unwrap();
        assert_eq!((size.width(), size.height()), (1280, 720));
    }

    /// Writes samples into the folder that `LYCEUM_SAMPLES` names, to be looked at.
    #[tokio::test]
    #[ignore = "for the eye"]
    async fn samples() {
        #[allow(clippy::disallowed_methods, reason = "not part of the program")]
        let folder = std::path::PathBuf::from(std::env::var_os("LYCEUM_SAMPLES").unwrap());
        let names = super::super::content::categories().map(|(name, _)| name);
        for (number, name) in names.enumerate() {
            std::fs::write(folder.join(format!("category-{number:02}.png")), category(name).await.unwrap()).unwrap();
            for course_number in 0..2 {
                let file = folder.join(format!("course-{number:02}-{course_number}.png"));
                std::fs::write(file, course(name, number * 7 + course_number).await.unwrap()).unwrap();
            }
            let file = folder.join(format!("channel-{number:02}.png"));
            std::fs::write(file, channel(name, number).await.unwrap()).unwrap();
        }
        for number in 0..24 {
            std::fs::write(folder.join(format!("person-{number:02}.png")), person(number).await.unwrap()).unwrap();
        }
    }
}
