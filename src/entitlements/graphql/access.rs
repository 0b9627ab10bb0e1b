//! Access decisions in the schema.

use async_graphql::Object;
use chrono::{DateTime, Utc};

use crate::entitlements::model::{Access, AccessReason, Source};
use crate::graphql::cost::cost;

/// Access in the schema.
#[derive(Clone, Copy)]
pub struct AccessObject(pub Access);

/// Whether the viewer may see content, and why.
#[Object(name = "Access", directive = cost::apply(Some(0), None, None))]
impl AccessObject {
    /// Whether access is granted.
    async fn granted(&self) -> bool {
        self.0.granted
    }

    /// Where the viewer's access to the course comes from; null if there is none.
    async fn source(&self) -> Option<Source> {
        self.0.source
    }

    /// Why access is granted or not.
    async fn reason(&self) -> AccessReason {
        self.0.reason
    }

    /// When the lesson unlocks for the viewer; null unless the reason is LOCKED_UNTIL.
    async fn unlocks_at(&self) -> Option<DateTime<Utc>> {
        self.0.unlocks_at
    }

    /// When the viewer's access to the course expires or expired; null if it is permanent or there was none.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
}
