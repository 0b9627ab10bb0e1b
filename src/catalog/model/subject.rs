//! What courses are sorted by.

use std::str::FromStr;

use async_graphql::Enum;
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};

use crate::graphql::{Entity, Id};
use crate::platform::db::schema::categories;

/// A category's id: `category_01j…`.
pub type CategoryId = Id<Category>;

/// A subject; subjects are a tree.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
pub struct Category {
    /// The id.
    pub id: CategoryId,
    /// The subject that it is part of.
    pub parent_id: Option<CategoryId>,
    /// The name in addresses; unique.
    pub slug: String,
    /// The name.
    pub name: String,
    /// Its place below its parent, from 1.
    pub position: i32,
    /// Counts the edits of its names.
    pub version: i32,
}

impl Entity for Category {
    const PREFIX: &'static str = "category";
}

/// How much one has to know before a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Level {
    /// Nothing.
    Beginner,
    /// The basics.
    Intermediate,
    /// A good deal.
    Advanced,
}

impl Level {
    pub(in crate::catalog) fn as_str(self) -> &'static str {
        match self {
            Level::Beginner => "BEGINNER",
            Level::Intermediate => "INTERMEDIATE",
            Level::Advanced => "ADVANCED",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        [Level::Beginner, Level::Intermediate, Level::Advanced]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a level"))
    }
}

impl ToSql<Text, Pg> for Level {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

impl FromSql<Text, Pg> for Level {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Level> {
        Ok(<String as FromSql<Text, Pg>>::from_sql(value)?.parse()?)
    }
}
