//! What the people of the demo school ask, answer and review.
//!
//! The courses of `school.json` have questions and reviews of their own; what goes beyond these is put together from
//! patterns. Only who is enrolled in a course writes in it, and the instructor.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::people::People;
use super::picture::Dice;
use super::progress::Progress;
use super::words::pick;
use super::{content, life};
use crate::accounts::UserId;
use crate::catalog::{Course, Lesson, LessonKind, LessonsOf};
use crate::discussions::{self, ImportedPost, ImportedQuestion, ImportedThread, PostKind};
use crate::graphql::loaders::Loaders;
use crate::platform::App;
use crate::platform::internal_error::{Context, InternalError};
use crate::reviews::{self, ImportedReview};

/// What is written.
const TALK: &str = include_str!("talk.json");
/// The number of courses whose questions, or whose reviews, are one transaction.
const CHUNK: usize = 100;
/// The number of questions and of reviews for each enrollment: 40,000 and 60,000 if 50,000 users have 2,000 courses.
const QUESTIONS: f64 = 0.325;
const REVIEWS: f64 = 0.49;
/// How many replies there are to a question that follows a pattern.
const REPLIES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5];
/// How many of the reviews of a pattern, which are in the order of their stars, a course chooses from.
const FAVORABLE: u64 = 7;

#[derive(Deserialize)]
struct Talk {
    /// By the title of the course.
    courses: HashMap<String, Texts>,
    en: Texts,
    de: Texts,
}

#[derive(Default, Deserialize)]
struct Texts {
    questions: Vec<Thread>,
    reviews: Vec<Judged>,
    /// Replies of students to any question.
    #[serde(default)]
    more: Vec<String>,
    /// Responses to favorable reviews.
    #[serde(default)]
    responses: Vec<String>,
}

/// A question. In patterns, `{lesson}` and `{course}` stand for the titles.
#[derive(Deserialize)]
struct Thread {
    /// The number of the lesson in the course, from 1; any lesson if there is none.
    lesson: Option<usize>,
    title: String,
    body: String,
    replies: Vec<Said>,
    /// The place of the accepted reply, from 0.
    accepted: Option<usize>,
}

#[derive(Deserialize)]
struct Said {
    by: By,
    body: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum By {
    Team,
    Asker,
    /// Another student.
    Student,
}

#[derive(Deserialize)]
struct Judged {
    stars: i16,
    body: String,
    response: Option<String>,
}

/// Imports questions, replies and reviews. Courses that have some get no more.
pub(super) async fn import(
    app: &App,
    people: &People,
    courses: &[Course],
    progress: &Progress,
) -> Result<(), InternalError> {
    let talk: Talk = serde_json::from_str(TALK).context("talk.json")?;
    let open: Vec<(usize, &Course)> =
        courses.iter().enumerate().filter(|(_, course)| course.published_at.is_some()).collect();
    let mut enrolled: Vec<Vec<UserId>> = vec![Vec::new(); open.len()];
    for (number, student) in people.students.iter().enumerate() {
        for place in life::choices(number, open.len()).0 {
            enrolled.get_mut(place).into_iter().for_each(|students| students.push(student.id));
        }
    }
    progress.step("talk", open.len())?;
    let rooms: Vec<((usize, &Course), Vec<UserId>)> = open.into_iter().zip(enrolled).collect();
    for chunk in rooms.chunks(CHUNK) {
        let loaders = Loaders::new(app.clone());
        let lessons = chunk.iter().map(|((_, course), _)| loaders.load(LessonsOf(course.id)));
        let (mut threads, mut judged) = (Vec::new(), Vec::new());
        for (((number, course), students), lessons) in chunk.iter().zip(try_join_all(lessons).await?) {
            let published = lessons.iter().flat_map(|lessons| lessons.iter()).filter(|row| row.published_at.is_some());
            let room = Room {
                course,
                lessons: published.cloned().collect(),
                students,
                own: talk.courses.get(&course.title),
                patterns: if content::is_german(*number)? { &talk.de } else { &talk.en },
                now: app.clock.now(),
            };
            let mut dice = Dice::new(number.wrapping_add(1 << 40));
            threads.extend(room.threads(&mut dice));
            judged.extend(room.reviews(&mut dice));
        }
        app.db.transaction(async |tx| discussions::import(tx, app, &threads).await).await?;
        reviews::import(app, &judged).await?;
        progress.done(chunk.len());
    }
    Ok(())
}

/// A course with its people.
struct Room<'a> {
    course: &'a Course,
    /// The published ones.
    lessons: Vec<Arc<Lesson>>,
    students: &'a [UserId],
    /// The texts of the course.
    own: Option<&'a Texts>,
    patterns: &'a Texts,
    now: DateTime<Utc>,
}

impl Room<'_> {
    /// The questions with their replies: the course's own ones, and patterns if it has many students. A user who replies
    /// is another student than the asker, so there are none with one student.
    fn threads(&self, dice: &mut Dice) -> Vec<ImportedThread> {
        if self.students.len() < 2 || self.lessons.is_empty() {
            return Vec::new();
        }
        let own = self.own.map_or(&[][..], |texts| &texts.questions);
        let more = share(self.students.len(), QUESTIONS).saturating_sub(own.len());
        let from = usize::try_from(dice.below(100)).unwrap_or_default();
        let patterns = (from..from + more).map(|number| (pick(&self.patterns.questions, number), true));
        let all = own.iter().map(|thread| (thread, false)).chain(patterns);
        all.enumerate().map(|(place, (thread, is_pattern))| self.thread(place, thread, is_pattern, dice)).collect()
    }

    /// A question, which the student with this place asks.
    fn thread(&self, place: usize, thread: &Thread, is_pattern: bool, dice: &mut Dice) -> ImportedThread {
        let any = usize::try_from(dice.below(1 << 32)).unwrap_or_default();
        let lesson = thread.lesson.and_then(|number| self.lessons.get(number - 1));
        let lesson = lesson.unwrap_or_else(|| pick(&self.lessons, any));
        let filled = |text: &str| text.replace("{lesson}", &lesson.title).replace("{course}", &self.course.title);
        let mut said: Vec<(By, &str)> = thread.replies.iter().map(|reply| (reply.by, reply.body.as_str())).collect();
        if is_pattern {
            let count = *pick(&REPLIES, any / 7);
            let more =
                (said.len()..count).map(|number| (By::Student, pick(&self.patterns.more, any + number).as_str()));
            said.extend(more.collect::<Vec<_>>());
            said.truncate(count);
        }
        let asker = *pick(self.students, place);
        let most = if is_pattern { 3 } else { self.students.len() as u64 };
        let post = self.post((asker, filled(&thread.body)), self.begin(dice), most, dice);
        let (mut replies, mut at) = (Vec::new(), post.at);
        for (number, (by, body)) in said.into_iter().enumerate() {
            at = self.later(at, dice);
            let author = match by {
                By::Team => self.course.instructor_id,
                By::Asker => asker,
                By::Student => *pick(self.students, place + 1 + number % (self.students.len() - 1)),
            };
            replies.push(self.post((author, body.to_owned()), at, most, dice));
        }
        let seconds = lesson.duration_seconds.filter(|_| lesson.kind == LessonKind::Video && any % 2 == 0);
        let question = ImportedQuestion {
            title: filled(&thread.title),
            at_seconds: seconds.map(|seconds| (f64::from(seconds) * dice.between(0.1, 0.9)) as i32),
            accepted: thread.accepted.filter(|accepted| *accepted < replies.len()),
        };
        ImportedThread {
            kind: PostKind::Question,
            course_id: self.course.id,
            lesson_id: Some(lesson.id),
            post,
            question: Some(question),
            replies,
        }
    }

    /// The reviews, by the students that come last in the list. Courses differ in how favorable they are.
    fn reviews(&self, dice: &mut Dice) -> Vec<ImportedReview> {
        let own = self.own.map_or(&[][..], |texts| &texts.reviews);
        let patterns = &self.patterns.reviews;
        let choice = FAVORABLE + dice.below((patterns.len() as u64).saturating_sub(FAVORABLE) + 1);
        let from = dice.below(choice);
        let pattern = |number: u64| pick(patterns, usize::try_from((from + number) % choice).unwrap_or_default());
        let count = share(self.students.len(), REVIEWS).max(own.len());
        let all = own.iter().chain((0..).map(pattern)).zip(self.students.iter().rev()).take(count);
        let mut made = Vec::new();
        for (judged, author) in all {
            let post = self.post((*author, judged.body.clone()), self.begin(dice), 4, dice);
            let thanks = pick(&self.patterns.responses, made.len());
            let response = judged.response.as_ref().or_else(|| Some(thanks).filter(|_| dice.below(8) == 0));
            let response = response.map(|body| {
                let at = self.later(post.at, dice);
                self.post((self.course.instructor_id, body.clone()), at, 1, dice)
            });
            made.push(ImportedReview { course_id: self.course.id, stars: judged.stars, post, response });
        }
        made
    }

    /// A post with fewer than `most` votes of students.
    fn post(&self, (author_id, body): (UserId, String), at: DateTime<Utc>, most: u64, dice: &mut Dice) -> ImportedPost {
        let [first, count] = [self.students.len() as u64, most].map(|below| dice.below(below) as usize);
        let around = self.students.iter().cycle().skip(first).take(count.min(self.students.len()));
        let voters = around.copied().filter(|user| *user != author_id).collect();
        ImportedPost { author_id, body, is_by_team: author_id == self.course.instructor_id, at, voters }
    }

    /// A time since the course was published.
    fn begin(&self, dice: &mut Dice) -> DateTime<Utc> {
        let published = self.course.published_at.unwrap_or(self.now);
        published + scaled(self.now - published, dice.between(0.03, 0.97))
    }

    /// A time some hours later, but not in the future.
    fn later(&self, at: DateTime<Utc>, dice: &mut Dice) -> DateTime<Utc> {
        at + scaled(self.now - at, 0.3).min(scaled(TimeDelta::hours(30), dice.between(0.01, 1.0)))
    }
}

fn scaled(time: TimeDelta, by: f64) -> TimeDelta {
    TimeDelta::seconds((time.num_seconds() as f64 * by) as i64)
}

fn share(count: usize, share: f64) -> usize {
    (count as f64 * share).round() as usize
}

#[cfg(test)]
mod tests {
    use super::super::content::Outline;
    use super::*;

    #[test]
    fn each_course_with_texts_of_its_own_is_published_and_its_lessons_are_there() {
        let talk: Talk = serde_json::from_str(TALK).unwrap();
        let written: Vec<Outline> = (0..30).map(|number| Outline::of(number).unwrap()).collect();
        for (title, texts) in &talk.courses {
            let outline = written.iter().find(|outline| outline.title == *title).expect(title);
            assert_eq!(outline.status, content::Status::Published, "{title}");
            let lessons: usize = outline.sections.iter().map(|section| section.lessons.len()).sum();
            for thread in &texts.questions {
                // The last one is a draft.
                assert!(thread.lesson.is_some_and(|number| (1..lessons).contains(&number)), "{title}");
            }
        }
        assert_eq!(talk.courses.len(), 28);
        for texts in talk.courses.values().chain([&talk.en, &talk.de]) {
            for Thread { title, body, replies, accepted, .. } in &texts.questions {
                assert!(title.len() < 100 && !body.is_empty(), "{title}");
                assert!(accepted.is_none_or(|place| replies.get(place).is_some_and(|reply| reply.by != By::Asker)));
            }
            assert!(texts.reviews.iter().all(|review| (1..=5).contains(&review.stars)));
        }
        for patterns in [talk.en, talk.de] {
            assert!(patterns.reviews.len() as u64 >= FAVORABLE && !patterns.more.is_empty());
            assert!(patterns.reviews.is_sorted_by_key(|review| -review.stars), "the favorable ones come first");
        }
    }
}
