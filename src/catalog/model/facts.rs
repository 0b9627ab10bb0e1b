//! What a catalog tells about a course beside its texts.

use async_graphql::{InputObject, MaybeUndefined};
use diesel::{AsChangeset, Insertable, Queryable, Selectable};

use super::{CategoryId, Level};
use crate::channels::ChannelId;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::platform::db::schema::courses;

/// What a catalog tells about a course; what is left out stays as it is, or, in a new course, empty.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CourseFacts {
    /// How much one has to know before; null: it does not say.
    pub level: MaybeUndefined<Level>,
    /// The language that is spoken, a BCP 47 tag: `de`, `pt-BR`. Null: it does not say.
    pub language: MaybeUndefined<String>,
    /// Key words, at most 20 of 40 characters; lower case, each once.
    pub tags: Option<Vec<String>>,
    /// What one can do afterwards: at most 20 sentences of 200 characters.
    pub benefits: Option<Vec<String>>,
    /// What one needs before: at most 20 sentences of 200 characters.
    pub prerequisites: Option<Vec<String>>,
    /// Under which subject; null: none.
    pub category_id: MaybeUndefined<CategoryId>,
    /// From which channel: one in which the course's instructor teaches. A new course is from the instructor's own one if
    /// this is left out.
    pub channel_id: Option<ChannelId>,
    /// What it costs; 0: nothing. A new course costs nothing if this is left out.
    pub price: Option<MoneyInput>,
    /// What it cost before or elsewhere, in the currency of the price; only shown. Null: nothing is shown.
    pub estimated_price: MaybeUndefined<MoneyInput>,
}

/// The facts of a new course.
#[derive(Insertable)]
#[diesel(table_name = courses)]
pub(in crate::catalog) struct NewFacts {
    pub(in crate::catalog) level: Option<Level>,
    pub(in crate::catalog) language: Option<String>,
    pub(in crate::catalog) tags: Vec<String>,
    pub(in crate::catalog) benefits: Vec<String>,
    pub(in crate::catalog) prerequisites: Vec<String>,
    pub(in crate::catalog) category_id: Option<CategoryId>,
    pub(in crate::catalog) channel_id: ChannelId,
    pub(in crate::catalog) price_minor: i64,
    pub(in crate::catalog) estimated_price_minor: Option<i64>,
    pub(in crate::catalog) currency: CurrencyCode,
}

/// Checked changes: `None` stays as it is.
#[derive(AsChangeset, Clone, Default)]
#[diesel(table_name = courses)]
pub(in crate::catalog) struct FactChanges {
    pub(in crate::catalog) level: Option<Option<Level>>,
    pub(in crate::catalog) language: Option<Option<String>>,
    pub(in crate::catalog) tags: Option<Vec<String>>,
    pub(in crate::catalog) benefits: Option<Vec<String>>,
    pub(in crate::catalog) prerequisites: Option<Vec<String>>,
    pub(in crate::catalog) category_id: Option<Option<CategoryId>>,
    pub(in crate::catalog) channel_id: Option<ChannelId>,
    pub(in crate::catalog) price_minor: Option<i64>,
    pub(in crate::catalog) estimated_price_minor: Option<Option<i64>>,
    pub(in crate::catalog) currency: Option<CurrencyCode>,
}

impl FactChanges {
    /// As the facts of a course that has none yet, and that is from `own` if no channel is chosen.
    pub(in crate::catalog) fn into_new(self, own: ChannelId) -> NewFacts {
        NewFacts {
            level: self.level.flatten(),
            language: self.language.flatten(),
            tags: self.tags.unwrap_or_default(),
            benefits: self.benefits.unwrap_or_default(),
            prerequisites: self.prerequisites.unwrap_or_default(),
            category_id: self.category_id.flatten(),
            channel_id: self.channel_id.unwrap_or(own),
            price_minor: self.price_minor.unwrap_or_default(),
            estimated_price_minor: self.estimated_price_minor.flatten(),
            currency: self.currency.unwrap_or(CurrencyCode::USD),
        }
    }
}

/// The lists of a course. They are not part of the row: a catalog does not show them.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = courses, check_for_backend(diesel::pg::Pg))]
pub(in crate::catalog) struct CourseLists {
    /// Key words.
    pub(in crate::catalog) tags: Vec<String>,
    /// What one can do afterwards.
    pub(in crate::catalog) benefits: Vec<String>,
    /// What one needs before.
    pub(in crate::catalog) prerequisites: Vec<String>,
}
