//! The jobs of live sessions: their end, reminders, what is old, and what follows from memberships, extra hours, and
//! deleted users and courses.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use super::query::attendance::ATTENDANCES;
use crate::accounts::UserDeleted;
use crate::catalog::CourseDeleted;
use crate::memberships::{ExtraHoursChanged, FamilyJoined, FamilyLeft, MembershipChange, MembershipChanged};
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;
use crate::platform::retention::{self, delete};

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let (short, long) = (Duration::from_secs(300), Duration::from_secs(600));
    vec![
        Handler::scheduled("live.settle", "* * * * *", long, |app, _| {
            async move { command::settle_all(&app).await }.boxed()
        }),
        Handler::scheduled("live.remind", "* * * * *", long, |app, _| {
            async move { command::remind(&app).await }.boxed()
        }),
        Handler::scheduled("live.forget_attendances", "55 3 * * *", retention::TIMEOUT, |app, _| {
            async move {
                let age = app.config.live.attendance_age;
                match age {
                    Some(age) => delete(app, &ATTENDANCES, age).await,
                    None => Ok(()),
                }
            }
            .boxed()
        }),
        Handler::reaction("live.review_places", MembershipChanged::KIND, short, |app, payload| {
            async move {
                let changed: MembershipChanged = serde_json::from_value(payload)?;
                match changed.change {
                    MembershipChange::Canceled => command::review_family(&app, changed.member).await,
                    MembershipChange::Ended | MembershipChange::Paused => {
                        command::review_family(&app, changed.member).await?;
                        command::follow_membership(&app, &changed).await
                    }
                    MembershipChange::TrialStarted
                    | MembershipChange::Started
                    | MembershipChange::Renewed
                    | MembershipChange::PlanChanged
                    | MembershipChange::Resumed
                    | MembershipChange::Restored => command::follow_membership(&app, &changed).await,
                    MembershipChange::Ordered
                    | MembershipChange::PaymentFailed
                    | MembershipChange::ChangePlanned
                    | MembershipChange::RenewsSoon => Ok(()),
                }
            }
            .boxed()
        }),
        Handler::reaction("live.count_extra", ExtraHoursChanged::KIND, short, |app, payload| {
            async move {
                let ExtraHoursChanged { member, month } = serde_json::from_value(payload)?;
                command::count_extra(&app, member, month).await
            }
            .boxed()
        }),
        Handler::reaction("live.review_places_of_family", FamilyLeft::KIND, short, |app, payload| {
            async move {
                let FamilyLeft { member } = serde_json::from_value(payload)?;
                command::review_places(&app, member).await?;
                command::tell_member(&app, member).await
            }
            .boxed()
        }),
        Handler::reaction("live.tell_family_member", FamilyJoined::KIND, short, |app, payload| {
            async move {
                let FamilyJoined { member } = serde_json::from_value(payload)?;
                command::tell_member(&app, member).await
            }
            .boxed()
        }),
        Handler::reaction("live.forget_course", CourseDeleted::KIND, short, |app, payload| {
            async move {
                let CourseDeleted { course_id } = serde_json::from_value(payload)?;
                command::forget_course(&app, course_id).await
            }
            .boxed()
        }),
        Handler::reaction("live.forget_user", UserDeleted::KIND, short, |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
    ]
}
