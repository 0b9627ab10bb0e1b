//! Lists of notifications.

use std::sync::Arc;

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Audiences, NotificationKind};

/// The name of the list in cursors.
pub const LIST: &str = "notifications";

/// Whether a user has read or archived a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum NotificationState {
    /// Something has happened since the user read it last, and it is not archived.
    Unread,
    /// The user has read it, and it is not archived.
    Read,
    /// The user has archived it; it returns when something happens again.
    Archived,
}

/// A filter for notifications; its conditions are combined with AND. Omitted fields restrict nothing, except that archived
/// notifications are only in the list with the state ARCHIVED.
#[derive(Clone, Debug, Default, InputObject)]
pub struct NotificationFilter {
    /// Notifications of any of these kinds.
    pub kinds: Option<Vec<NotificationKind>>,
    /// Notifications in this state.
    pub state: Option<NotificationState>,
}

/// The position of a notification in a list: its latest event and its id.
pub(crate) type NotificationPlace = (DateTime<Utc>, Uuid);

/// The notifications in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Feed {
    /// Whose they are.
    pub audiences: Arc<Audiences>,
    /// Their kinds; any if `None`.
    pub kinds: Option<Vec<NotificationKind>>,
    /// Their state; all but archived ones if `None`.
    pub state: Option<NotificationState>,
}

impl Feed {
    /// The stored texts of the kinds. Kinds that only a newer version of the program knows are in no list.
    pub fn kinds(&self) -> Vec<&'static str> {
        let all = || NotificationKind::ALL.to_vec();
        self.kinds.clone().unwrap_or_else(all).into_iter().map(NotificationKind::as_str).collect()
    }
}
