//! The loader of facets.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};

use crate::catalog::model::{Counted, FacetQuery, facts_key, lists_key};
use crate::catalog::query::browse;
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;

/// The size of a key in the cache, in rows.
const KEY: usize = 4;
/// The number of counts that take as much space as a row.
const COUNTS: usize = 10;

/// How many of the courses that match a filter have which category, level, language, price and rating.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FacetCounts(pub Arc<FacetQuery>);

impl Load for FacetCounts {
    type Value = Arc<Vec<(Counted, i64)>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    /// Drafts are created and scheduled without a change to lists.
    fn may_be_cached(&self) -> bool {
        self.0.which.statuses.is_none()
    }

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![lists_key(), facts_key()]
    }

    fn rows(counts: &Self::Value) -> usize {
        KEY + counts.len() / COUNTS
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| browse::facet_counts(conn, &key.0).map_ok(Arc::new).boxed()).await
    }
}
