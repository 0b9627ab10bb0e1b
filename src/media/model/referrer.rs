//! The objects that refer to videos and files.

use uuid::Uuid;

use crate::graphql::{Entity, Id};

/// A lesson, course, category, channel or user that shows a video or refers to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The object type, as the prefix of its encoded id.
    pub kind: &'static str,
    /// The id.
    pub id: Uuid,
}

impl<T: Entity> From<Id<T>> for Referrer {
    fn from(id: Id<T>) -> Referrer {
        Referrer { kind: T::PREFIX, id: id.uuid() }
    }
}
