//! Who may see content.

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Access, AccessReason, Entitlement, Source};
use crate::catalog::{Course, Lesson, can_edit};
use crate::platform::auth::{Actor, Role};

/// Access is given and taken back by administrators.
pub(super) fn can_administer(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether `viewer` may see the content of `lesson`, or of `course` as a whole, at `now`. `held` is what the ledger has
/// on the viewer and this course. This is the one answer to that question.
pub fn access(
    viewer: &Actor,
    course: &Course,
    lesson: Option<&Lesson>,
    held: &[Entitlement],
    now: DateTime<Utc>,
) -> Access {
    if can_edit(viewer, course) {
        return Access { source: Some(Source::Staff), ..answer(AccessReason::Staff) };
    }
    let active = || held.iter().filter(|row| viewer.is(row.user_id) && row.is_active(now));
    // The one that lasts longest, and of equal ones the one that was paid for.
    let best =
        active().max_by_key(|row| (row.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC), std::cmp::Reverse(row.source)));
    let published = course.published_at.is_some();
    let shown = lesson.is_none_or(|lesson| lesson.published_at.is_some());
    if !published && course.archived_at.is_some() && best.is_none() {
        return answer(AccessReason::Archived);
    }
    if !shown || (!published && course.archived_at.is_none()) {
        return answer(AccessReason::NotPublished);
    }
    let preview = published && lesson.is_some_and(|lesson| lesson.is_preview);
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
    let expired = held.iter().filter(|row| viewer.is(row.user_id) && row.has_expired(now));
    match expired.filter_map(|row| row.expires_at).max() {
        Some(end) => Access { expires_at: Some(end), ..answer(AccessReason::Expired) },
        None => answer(AccessReason::NotEnrolled),
    }
}

/// When a lesson opens for somebody whose access began at `since`. A day is 24 hours, so that daylight saving and time
/// zones move nothing.
fn unlocks_at(lesson: &Lesson, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let after = |days| TimeDelta::try_days(i64::from(days)).and_then(|wait| since.checked_add_signed(wait));
    lesson.unlock_at.or_else(|| lesson.unlock_after_days.and_then(after))
}

fn answer(reason: AccessReason) -> Access {
    let granted = matches!(reason, AccessReason::Staff | AccessReason::Entitled | AccessReason::Preview);
    Access { granted, source: None, reason, unlocks_at: None, expires_at: None }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::accounts::UserId;
    use crate::enrollments::model::EndReason;
    use crate::graphql::Id;
    use crate::graphql::money::CurrencyCode;

    const STUDENT: u128 = 2;

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC, scopes: None }
    }

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    /// Of instructor 1.
    fn course() -> Course {
        Course {
            id: Id::new(Uuid::from_u128(10)),
            slug: "rust".into(),
            title: "Rust".into(),
            subtitle: String::new(),
            instructor_id: Id::new(Uuid::from_u128(1)),
            category_id: None,
            channel_id: None,
            level: None,
            language: None,
            thumbnail_key: None,
            thumbnail_id: None,
            demo_video_id: None,
            price_minor: 0,
            estimated_price_minor: None,
            currency: CurrencyCode::USD,
            rating_hundredths: 0,
            rating_count: 0,
            student_count: 0,
            lesson_count: 0,
            duration_seconds: 0,
            published_at: Some(day(0)),
            publish_at: None,
            archived_at: None,
            version: 1,
            created_at: day(0),
            updated_at: day(0),
        }
    }

    fn lesson() -> Lesson {
        Lesson {
            id: Id::new(Uuid::from_u128(20)),
            course_id: Id::new(Uuid::from_u128(10)),
            section_id: Id::new(Uuid::from_u128(15)),
            position: 1,
            title: "Ownership".into(),
            duration_seconds: 60,
            video_id: None,
            is_preview: false,
            published_at: Some(day(0)),
            publish_at: None,
            unlock_after_days: None,
            unlock_at: None,
            version: 1,
        }
    }

    /// From day 100 on.
    fn held(source: Source, until: Option<i64>) -> Entitlement {
        Entitlement {
            id: Id::new(Uuid::from_u128(30)),
            user_id: UserId::new(Uuid::from_u128(STUDENT)),
            course_id: Some(Id::new(Uuid::from_u128(10))),
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

    /// On day 110.
    fn asked(viewer: &Actor, course: &Course, lesson: Option<&Lesson>, held: &[Entitlement]) -> Access {
        access(viewer, course, lesson, held, day(110))
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
            for lesson in [None, Some(&lesson())] {
                let access = asked(&student, &course(), lesson, &rows);
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
        let draft = Course { published_at: None, ..course() };
        let archived = Course { archived_at: Some(day(1)), ..draft.clone() };
        let states = [("published", course()), ("draft", draft), ("archived", archived)];
        let lessons = [
            ("the course", None),
            ("a lesson", Some(lesson())),
            ("a preview", Some(Lesson { is_preview: true, ..lesson() })),
            ("a draft", Some(Lesson { is_preview: true, published_at: None, ..lesson() })),
        ];
        let nothing = [NotPublished; 4];
        let gone = [Archived; 4];
        let table = [
            ("anonymous", Actor::Anonymous, [[SignInRequired, SignInRequired, Preview, NotPublished], nothing, gone]),
            ("a stranger", actor(3, Role::Student), [[NotEnrolled, NotEnrolled, Preview, NotPublished], nothing, gone]),
            (
                "another instructor",
                actor(3, Role::Instructor),
                [[NotEnrolled, NotEnrolled, Preview, NotPublished], nothing, gone],
            ),
            (
                "a student",
                actor(STUDENT, Role::Student),
                [[Entitled, Entitled, Entitled, NotPublished], nothing, [Entitled, Entitled, Entitled, NotPublished]],
            ),
            (
                "its instructor, now a student",
                actor(1, Role::Student),
                [[NotEnrolled, NotEnrolled, Preview, NotPublished], nothing, gone],
            ),
            ("its instructor", actor(1, Role::Instructor), [[Staff; 4]; 3]),
            ("an administrator", actor(4, Role::Admin), [[Staff; 4]; 3]),
        ];
        for (who, actor, expected) in table {
            for ((state, course), expected) in states.iter().zip(expected) {
                for ((what, lesson), reason) in lessons.iter().zip(expected) {
                    let access = asked(&actor, course, lesson.as_ref(), &[held(Source::Grant, None)]);
                    let granted = [Entitled, Preview, Staff].contains(&reason);
                    assert_eq!((access.granted, access.reason), (granted, reason), "{who}, {state}, {what}");
                }
            }
        }
    }

    #[test]
    fn a_lesson_opens_some_days_after_access_began_or_at_an_instant() {
        use AccessReason::{Entitled, LockedUntil, NotEnrolled, Preview, Staff};
        let student = actor(STUDENT, Role::Student);
        let row = || held(Source::Grant, None);
        let after = |days| Lesson { unlock_after_days: Some(days), ..lesson() };
        let at = |number| Lesson { unlock_at: Some(day(number)), ..lesson() };
        let preview = Lesson { is_preview: true, ..after(30) };
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
            ("for staff", actor(4, Role::Admin), at(111), vec![], Staff, None),
        ] {
            let access = asked(&viewer, &course(), Some(&lesson), &rows);
            assert_eq!((access.reason, access.unlocks_at), (reason, opens.map(day)), "{what}");
        }
        let summer = DateTime::parse_from_rfc3339("2026-03-28T12:00:00+01:00").unwrap().to_utc();
        let row = Entitlement { starts_at: summer, ..row() };
        let opens = access(&student, &course(), Some(&after(1)), &[row], summer).unlocks_at;
        let expected = DateTime::parse_from_rfc3339("2026-03-29T13:00:00+02:00").unwrap();
        assert_eq!(opens, Some(expected.to_utc()), "24 hours, also where the clocks go forward in between");
    }
}
