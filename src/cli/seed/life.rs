//! Who is enrolled in which courses and follows which channels.

use std::collections::BTreeSet;

use super::actor;
use super::people::People;
use super::picture::Dice;
use super::progress::Progress;
use crate::accounts::{User, UserId};
use crate::catalog::Course;
use crate::channels::{self, ChannelId};
use crate::cli::explain;
use crate::enrollments;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of students whose enrollments are one transaction.
const CHUNK: usize = 5000;
/// The number of courses that the demo student is enrolled in.
const DEMO_STUDENT: usize = 6;
/// The number of students who have learned something, and how much of their courses, in percent. The first gets a
/// certificate.
const LEARNERS: usize = 8;
const LEARNED: [usize; 4] = [100, 60, 30, 15];
/// The largest number of courses that another student is enrolled in.
const STUDENT: u64 = 5;

/// Enrolls the students and lets them follow channels. What is there already stays as it is.
pub(super) async fn import(
    app: &App,
    people: &People,
    courses: &[Course],
    progress: &Progress,
) -> Result<(), InternalError> {
    let open: Vec<&Course> = courses.iter().filter(|course| course.published_at.is_some()).collect();
    progress.step("students", people.students.len())?;
    let numbered: Vec<(usize, &User)> = people.students.iter().enumerate().collect();
    for chunk in numbered.chunks(CHUNK) {
        let mut enrolled: Vec<(UserId, &Course)> = Vec::new();
        let mut follows: Vec<(ChannelId, UserId)> = Vec::new();
        for (number, student) in chunk {
            let (chosen, liked) = choices(*number, open.len());
            enrolled.extend(chosen.iter().filter_map(|place| Some((student.id, *open.get(*place)?))));
            let channels = liked.iter().filter_map(|place| open.get(*place)?.channel_id);
            let distinct: BTreeSet<_> = channels.map(|id| id.uuid()).collect();
            follows.extend(distinct.into_iter().map(|id| (ChannelId::new(id), student.id)));
        }
        if !enrolled.is_empty() {
            enrollments::import(app, people.admin.id, "Demo", &enrolled).await?;
        }
        if !follows.is_empty() {
            channels::import_followers(app, &follows).await?;
        }
        for (number, student) in chunk.iter().filter(|(number, _)| *number < LEARNERS) {
            for (place, share) in choices(*number, open.len()).0.into_iter().zip(LEARNED) {
                let Some(course) = open.get(place) else { continue };
                let lessons = usize::try_from(course.lesson_count)? * share / 100;
                enrollments::import_progress(app, &actor(student), course.id, lessons).await.map_err(explain)?;
            }
        }
        progress.done(chunk.len());
    }
    Ok(())
}

/// The courses that a student is enrolled in, and those whose channels they follow. The first courses are more popular.
pub(super) fn choices(number: usize, courses: usize) -> (BTreeSet<usize>, BTreeSet<usize>) {
    if number == 0 {
        // The demo student: spread over the first courses.
        let all: BTreeSet<usize> = (0..DEMO_STUDENT).map(|place| place * 4).collect();
        let liked = all.iter().copied().take(DEMO_STUDENT / 2).collect();
        return (all, liked);
    }
    let mut dice = Dice::new(number);
    let count = dice.below(STUDENT + 1);
    let place = |dice: &mut Dice| (dice.between(0.0, 1.0).powf(1.7) * courses as f64) as usize;
    let all: BTreeSet<usize> = (0..count).map(|_| place(&mut dice)).collect();
    let liked = (0..dice.below(3)).map(|_| place(&mut dice)).collect();
    (all, liked)
}
