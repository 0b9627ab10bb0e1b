//! The courses whose teams a user is in.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::UserId;
use crate::catalog::model::CourseId;
use crate::catalog::query::course::{self, TeamCourse};
use crate::channels::EditableSince;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of a user's own courses, and of those of a channel.
const MOST: i64 = 500;

/// The courses that a user teaches, or may edit as a member of their channel, with the times since when: of their own
/// and of each channel the latest 500; missing if there are none. Administrators, who may edit every course, are in no
/// team because of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TeamCoursesOf(pub UserId);

impl Load for TeamCoursesOf {
    type Value = Arc<Vec<(CourseId, DateTime<Utc>)>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let editable: Vec<EditableSince> = users.iter().copied().map(EditableSince).collect();
        let editable = EditableSince::load(app, &editable).await?;
        let members = editable.iter().flat_map(|(EditableSince(user), channels)| {
            channels.iter().map(|(channel, since)| (*user, *channel, *since))
        });
        let members: Vec<_> = members.collect();
        let mut found: HashMap<Self, Vec<(CourseId, DateTime<Utc>)>> = HashMap::new();
        for row in course::of_teams(&mut *app.db.read().await?, &users, &members, MOST).await? {
            let TeamCourse { user_id, course_id, since } = row;
            found.entry(TeamCoursesOf(user_id)).or_default().push((course_id, since));
        }
        Ok(found.into_iter().map(|(key, courses)| (key, Arc::new(courses))).collect())
    }
}
