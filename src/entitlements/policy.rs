//! The authorization rule for content.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::error;
use super::model::{Access, AccessReason, Entitlement, Source};
use crate::graphql::Result;
use crate::platform::auth::Actor;

/// The facts about the requested content that the rule needs.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The course.
    pub course: Uuid,
    /// The course's category and its ancestors.
    pub category_path: &'a [Uuid],
    /// Whether the viewer may edit the course.
    pub staff: bool,
    /// Whether the course is published.
    pub published: bool,
    /// Whether the course is archived.
    pub archived: bool,
    /// The lesson; `None` for the course as a whole.
    pub lesson: Option<LessonContent>,
}

/// The facts about a lesson that the rule needs.
#[derive(Clone, Copy, Debug)]
pub struct LessonContent {
    /// Whether the lesson is published.
    pub published: bool,
    /// Whether it is a free preview.
    pub preview: bool,
    /// When the lesson unlocks for all entitled users.
    pub unlock_at: Option<DateTime<Utc>>,
    /// How many days of 24 hours after the start of the viewer's access the lesson unlocks.
    pub unlock_after_days: Option<i32>,
}

/// Those lessons of a course whose content a viewer may see: what [`access`] decides, for the database to apply to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opening {
    /// Not one.
    None,
    /// Each, published or not.
    All,
    /// Published ones.
    Published {
        /// Whether free previews are among them.
        previews: bool,
        /// The whole days of 24 hours since the viewer's access began: those that are unlocked by then are among them.
        /// `None` without access.
        days: Option<i64>,
        /// Now, when those that unlock at a time must be unlocked.
        now: DateTime<Utc>,
    },
}

/// Decides which lessons of a course `viewer` may see at `now`; `content` is the course as a whole.
pub fn opening(viewer: &Actor, content: &Content<'_>, held: &[Entitlement], now: DateTime<Utc>) -> Opening {
    if content.staff {
        return Opening::All;
    }
    let began = active(viewer, content, held, now).map(|row| row.starts_at).min();
    let days = began.map(|began| (now - began).num_days());
    let previews = content.published;
    match days.is_some() && (content.published || content.archived) || previews {
        true => Opening::Published { previews, days, now },
        false => Opening::None,
    }
}

/// Decides whether `viewer` may see `content` at `now`.
///
/// `held` are the viewer's open and expired entitlements; those that do not cover the course are ignored. This is the
/// only rule: data, files, questions and replies all use it.
pub fn access(viewer: &Actor, content: &Content<'_>, held: &[Entitlement], now: DateTime<Utc>) -> Access {
    if content.staff {
        return Access { source: Some(Source::Staff), ..answer(AccessReason::Staff) };
    }
    let own = || own(viewer, content, held);
    let active = || active(viewer, content, held, now);
    // The one that expires last; among equal ones, a purchase first.
    let best =
        active().max_by_key(|row| (row.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC), std::cmp::Reverse(row.source)));
    let lesson = content.lesson;
    if !content.published && content.archived && best.is_none() {
        return answer(AccessReason::Archived);
    }
    if lesson.is_some_and(|lesson| !lesson.published) || (!content.published && !content.archived) {
        return answer(AccessReason::NotPublished);
    }
    let preview = content.published && lesson.is_some_and(|lesson| lesson.preview);
    if let Some(best) = best {
        let since = active().map(|row| row.starts_at).min().unwrap_or(best.starts_at);
        let unlocks_at = lesson.and_then(|lesson| unlocks_at(lesson, since)).filter(|at| now < *at);
        let reason = match unlocks_at {
            None => AccessReason::Entitled,
            Some(_) if preview => AccessReason::Preview,
            Some(_) => AccessReason::LockedUntil,
        };
        let unlocks_at = unlocks_at.filter(|_| reason == AccessReason::LockedUntil);
        return Access { source: Some(best.source), expires_at: best.expires_at, unlocks_at, ..answer(reason) };
    }
    if preview {
        return answer(AccessReason::Preview);
    }
    if viewer.id().is_none() {
        return answer(AccessReason::SignInRequired);
    }
    match own().filter(|row| row.has_expired(now)).filter_map(|row| row.expires_at).max() {
        Some(end) => Access { expires_at: Some(end), ..answer(AccessReason::Expired) },
        None => answer(AccessReason::NotEnrolled),
    }
}

/// The viewer's entitlements that cover the course.
fn own<'a>(viewer: &Actor, content: &Content<'_>, held: &'a [Entitlement]) -> impl Iterator<Item = &'a Entitlement> {
    held.iter().filter(|row| viewer.is(row.user_id) && row.covers(content.course, content.category_path))
}

/// Those of them that are active.
fn active<'a>(
    viewer: &Actor,
    content: &Content<'_>,
    held: &'a [Entitlement],
    now: DateTime<Utc>,
) -> impl Iterator<Item = &'a Entitlement> {
    own(viewer, content, held).filter(move |row| row.is_active(now))
}

/// Returns when a lesson unlocks for a viewer whose access began at `since`.
///
/// A day is 24 hours, regardless of daylight saving time.
fn unlocks_at(lesson: LessonContent, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let after = |days| TimeDelta::try_days(i64::from(days)).and_then(|wait| since.checked_add_signed(wait));
    lesson.unlock_at.or_else(|| lesson.unlock_after_days.and_then(after))
}

fn answer(reason: AccessReason) -> Access {
    let granted = matches!(reason, AccessReason::Staff | AccessReason::Entitled | AccessReason::Preview);
    Access { granted, source: None, reason, unlocks_at: None, expires_at: None }
}

impl Access {
    /// Returns an error if access is not granted.
    ///
    /// # Errors
    /// `FORBIDDEN`, with the reason in `extensions.reason`.
    pub fn require(&self) -> Result<()> {
        if self.granted { Ok(()) } else { Err(error::rejected(self)) }
    }

    /// Returns whether the existence of the content must be hidden from the viewer.
    pub fn is_hidden(&self) -> bool {
        matches!(self.reason, AccessReason::NotPublished | AccessReason::Archived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::UserId;
    use crate::graphql::Id;
    use crate::model::{EndReason, Scope};
    use crate::platform::auth::Role;

    const STUDENT: u128 = 2;

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC, scopes: None }
    }

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    const COURSE: Uuid = Uuid::from_u128(10);
    const SUBCATEGORY: Uuid = Uuid::from_u128(41);
    const CATEGORY: Uuid = Uuid::from_u128(40);

    /// A published course in a subcategory.
    fn course() -> Content<'static> {
        Content {
            course: COURSE,
            category_path: &[SUBCATEGORY, CATEGORY],
            staff: false,
            published: true,
            archived: false,
            lesson: None,
        }
    }

    fn lesson() -> LessonContent {
        LessonContent { published: true, preview: false, unlock_at: None, unlock_after_days: None }
    }

    /// Returns an entitlement that starts on day 100.
    fn held(source: Source, until: Option<i64>) -> Entitlement {
        Entitlement {
            id: Id::new(Uuid::from_u128(30)),
            user_id: UserId::new(Uuid::from_u128(STUDENT)),
            scope: Scope::Course,
            course_id: Some(COURSE),
            category_id: None,
            source,
            starts_at: day(100),
            expires_at: until.map(day),
            ended_at: None,
            end_reason: None,
            note: String::new(),
            granted_by: None,
        }
    }

    fn ended(row: Entitlement, at: i64, reason: EndReason) -> Entitlement {
        Entitlement { ended_at: Some(day(at)), end_reason: Some(reason), ..row }
    }

    /// Evaluates the rule on day 110.
    fn asked(viewer: &Actor, course: Content<'_>, lesson: Option<LessonContent>, held: &[Entitlement]) -> Access {
        access(viewer, &Content { lesson, ..course }, held, day(110))
    }

    #[test]
    fn what_the_ledger_says_of_a_published_course() {
        use AccessReason::{Entitled, Expired, NotEnrolled};
        let student = actor(STUDENT, Role::Student);
        let forever = || held(Source::Grant, None);
        let of_another = Entitlement { user_id: UserId::new(Uuid::from_u128(3)), ..forever() };
        let later = Entitlement { starts_at: day(111), ..forever() };
        type Line = (&'static str, Vec<Entitlement>, AccessReason, Option<Source>, Option<i64>);
        let table: [Line; 12] = [
            ("nothing", vec![], NotEnrolled, None, None),
            ("for good", vec![forever()], Entitled, Some(Source::Grant), None),
            ("until tomorrow", vec![held(Source::Gift, Some(111))], Entitled, Some(Source::Gift), Some(111)),
            ("until now, not closed yet", vec![held(Source::Gift, Some(110))], Expired, None, Some(110)),
            ("expired", vec![ended(held(Source::Gift, Some(105)), 105, EndReason::Expired)], Expired, None, Some(105)),
            ("revoked", vec![ended(forever(), 105, EndReason::Revoked)], NotEnrolled, None, None),
            (
                "revoked before it would have expired",
                vec![ended(held(Source::Grant, Some(106)), 105, EndReason::Revoked)],
                NotEnrolled,
                None,
                None,
            ),
            ("from tomorrow on", vec![later], NotEnrolled, None, None),
            ("somebody else's", vec![of_another], NotEnrolled, None, None),
            (
                "refunded, and a gift",
                vec![ended(held(Source::Purchase, None), 105, EndReason::Refunded), held(Source::Gift, Some(120))],
                Entitled,
                Some(Source::Gift),
                Some(120),
            ),
            (
                "the one that lasts longer",
                vec![held(Source::Membership, Some(120)), held(Source::Grant, Some(130))],
                Entitled,
                Some(Source::Grant),
                Some(130),
            ),
            (
                "the one that was paid for",
                vec![forever(), held(Source::Purchase, None)],
                Entitled,
                Some(Source::Purchase),
                None,
            ),
        ];
        for (what, rows, reason, source, until) in table {
            for lesson in [None, Some(lesson())] {
                let access = asked(&student, course(), lesson, &rows);
                let expected = Access {
                    granted: reason == Entitled,
                    source,
                    reason,
                    unlocks_at: None,
                    expires_at: until.map(day),
                };
                assert_eq!(access, expected, "{what}, lesson: {}", lesson.is_some());
            }
        }
    }

    #[test]
    fn who_may_see_what_of_a_course_in_each_state() {
        use AccessReason::{Archived, Entitled, NotEnrolled, NotPublished, Preview, SignInRequired, Staff};
        let draft = Content { published: false, ..course() };
        let archived = Content { archived: true, ..draft };
        let states = [("published", course()), ("draft", draft), ("archived", archived)];
        let lessons = [
            ("the course", None),
            ("a lesson", Some(lesson())),
            ("a preview", Some(LessonContent { preview: true, ..lesson() })),
            ("a draft", Some(LessonContent { preview: true, published: false, ..lesson() })),
        ];
        let nothing = [NotPublished; 4];
        let gone = [Archived; 4];
        let table = [
            (
                "anonymous",
                Actor::Anonymous,
                false,
                [[SignInRequired, SignInRequired, Preview, NotPublished], nothing, gone],
            ),
            (
                "a stranger",
                actor(3, Role::Student),
                false,
                [[NotEnrolled, NotEnrolled, Preview, NotPublished], nothing, gone],
            ),
            (
                "a student",
                actor(STUDENT, Role::Student),
                false,
                [[Entitled, Entitled, Entitled, NotPublished], nothing, [Entitled, Entitled, Entitled, NotPublished]],
            ),
            ("who may edit it", actor(1, Role::Instructor), true, [[Staff; 4]; 3]),
        ];
        for (who, actor, staff, expected) in table {
            for ((state, course), expected) in states.iter().zip(expected) {
                for ((what, lesson), reason) in lessons.into_iter().zip(expected) {
                    let course = Content { staff, ..*course };
                    let access = asked(&actor, course, lesson, &[held(Source::Grant, None)]);
                    let granted = [Entitled, Preview, Staff].contains(&reason);
                    assert_eq!((access.granted, access.reason), (granted, reason), "{who}, {state}, {what}");
                }
            }
        }
    }

    #[test]
    fn a_lesson_opens_some_days_after_access_began_or_at_an_instant() {
        use AccessReason::{Entitled, LockedUntil, NotEnrolled, Preview};
        let student = actor(STUDENT, Role::Student);
        let row = || held(Source::Grant, None);
        let after = |days| LessonContent { unlock_after_days: Some(days), ..lesson() };
        let at = |number| LessonContent { unlock_at: Some(day(number)), ..lesson() };
        let preview = LessonContent { preview: true, ..after(30) };
        let longer = Entitlement { starts_at: day(90), ..held(Source::Membership, Some(120)) };
        let over =
            ended(Entitlement { starts_at: day(90), ..held(Source::Membership, Some(95)) }, 95, EndReason::Expired);
        for (what, viewer, lesson, rows, reason, opens) in [
            ("on the day", student, after(10), vec![row()], Entitled, None),
            ("the day before", student, after(11), vec![row()], LockedUntil, Some(111)),
            ("the oldest access counts", student, after(11), vec![row(), longer], Entitled, None),
            ("but not one that is over", student, after(11), vec![row(), over], LockedUntil, Some(111)),
            ("at that instant", student, at(110), vec![row()], Entitled, None),
            ("before it", student, at(111), vec![row()], LockedUntil, Some(111)),
            ("a preview is open", student, preview, vec![row()], Preview, None),
            ("without access", student, at(111), vec![], NotEnrolled, None),
        ] {
            let access = asked(&viewer, course(), Some(lesson), &rows);
            assert_eq!((access.reason, access.unlocks_at), (reason, opens.map(day)), "{what}");
        }
        let summer = DateTime::parse_from_rfc3339("2026-03-28T12:00:00+01:00").unwrap().to_utc();
        let row = Entitlement { starts_at: summer, ..row() };
        let content = Content { lesson: Some(after(1)), ..course() };
        let opens = access(&student, &content, &[row], summer).unlocks_at;
        let expected = DateTime::parse_from_rfc3339("2026-03-29T13:00:00+02:00").unwrap();
        assert_eq!(opens, Some(expected.to_utc()), "24 hours, also where the clocks go forward in between");
    }

    #[test]
    fn an_entitlement_covers_its_course_its_category_or_everything() {
        let student = actor(STUDENT, Role::Student);
        let of = |scope, course_id, category_id| Entitlement {
            scope,
            course_id,
            category_id,
            ..held(Source::Membership, None)
        };
        for (what, row, expected) in [
            ("this course", of(Scope::Course, Some(COURSE), None), true),
            ("another course", of(Scope::Course, Some(Uuid::from_u128(11)), None), false),
            ("a deleted course", of(Scope::Course, None, None), false),
            ("its category", of(Scope::Category, None, Some(SUBCATEGORY)), true),
            ("the category above", of(Scope::Category, None, Some(CATEGORY)), true),
            ("another category", of(Scope::Category, None, Some(Uuid::from_u128(42))), false),
            ("a deleted category", of(Scope::Category, None, None), false),
            ("everything", of(Scope::Everything, None, None), true),
        ] {
            assert_eq!(asked(&student, course(), None, &[row]).granted, expected, "{what}");
        }
    }
}
