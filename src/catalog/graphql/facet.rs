//! Facets of lists of courses in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::browse::{Within, limited, read};
use super::category::tree;
use super::course::CourseObject;
use crate::catalog::loader::FacetCounts;
use crate::catalog::model::{Facet, FacetKind, FacetQuery, Which, facets};
use crate::graphql::{Connection, Result, Sequential};

/// A page of courses.
pub(crate) type CourseConnection = Connection<CourseObject, CourseFacets>;

/// The fields that only connections of courses have.
pub(crate) struct CourseFacets {
    within: Within,
    /// The filter of the list; `None` if no course can match.
    which: Option<Which>,
}

impl CourseFacets {
    /// The facets of a list with this filter.
    pub(super) fn new(within: Within, which: Option<Which>) -> CourseFacets {
        CourseFacets { within, which }
    }

    /// The facets of an empty list.
    pub(super) fn of_nothing() -> CourseFacets {
        CourseFacets::new(Within::Catalog, None)
    }
}

/// The facets of a list of courses.
#[Object]
impl CourseFacets {
    /// How many of the courses in the list have each category, level, language, price and rating, for example to show
    /// next to the options of a filter. A facet ignores what the filter says about its own kind, so that it also counts
    /// what other options would find. A list that is found by words counts at most 10,000 courses with these words.
    async fn facets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to count the courses by; the facets are returned in this order, each once.")] kinds: Vec<
            FacetKind,
        >,
    ) -> Result<Vec<Sequential<Facet>>> {
        let FacetQuery { which: everywhere, chosen, kinds } =
            FacetQuery::new(self.which.clone().unwrap_or_default(), &kinds);
        let currency = chosen.price.map(|(currency, ..)| currency);
        let is_possible = self.which.is_some() && !kinds.is_empty();
        let which = limited(ctx, self.within, is_possible.then_some(everywhere)).await?;
        let counts = match which {
            Some(which) => {
                let query = FacetQuery { which, chosen, kinds: kinds.clone() };
                read(ctx, true, FacetCounts(Arc::new(query))).await?.unwrap_or_default()
            }
            None => Arc::default(),
        };
        let below = match self.within {
            Within::Category(id) => Some(id),
            _ => None,
        };
        let facets = facets(&kinds, &counts, &*tree(ctx).await?, below, currency);
        Ok(facets.into_iter().map(Sequential).collect())
    }
}
