//! The SQL statement that counts courses for facets.
//!
//! It is one pass over the courses, which computes for each of them the chosen conditions that it fails. A facet counts
//! the courses that fail none but its own; those that fail two are in no facet.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{CategoryId, Counted, CourseLevel, FacetKind, FacetQuery, Which};
use crate::graphql::money::CurrencyCode;
use crate::platform::db::RunQueryDsl;

/// The columns of a row: those that the requested kinds count by, of which those of one kind are set, and the count.
type Row =
    (Option<CategoryId>, Option<CourseLevel>, Option<String>, Option<CurrencyCode>, Option<i64>, Option<i32>, i64);
type Columns =
    (Nullable<SqlUuid>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<BigInt>, Nullable<Integer>, BigInt);

/// Counts the courses that `found` selects, which has the columns of each [`FacetKind`].
pub(super) async fn counts<Q>(
    mut conn: &AsyncPgConnection,
    found: Q,
    query: &FacetQuery,
) -> QueryResult<Vec<(Counted, i64)>>
where
    Q: QueryFragment<Pg> + Send,
{
    let rows: Vec<Row> = Counts { found, query }.load(&mut conn).await?;
    let counted = |(category, level, language, currency, price, rating, count): Row| {
        let counted = match (category, level, language, currency.zip(price), rating) {
            (Some(id), ..) => Counted::Category(id),
            (_, Some(level), ..) => Counted::Level(level),
            (_, _, Some(tag), ..) => Counted::Language(tag),
            (.., Some((currency, minor)), _) => Counted::Price(currency, minor),
            (.., Some(rating)) => Counted::Rating(rating),
            // Courses without a level, for example.
            _ => return None,
        };
        (count > 0).then_some((counted, count))
    };
    Ok(rows.into_iter().filter_map(counted).collect())
}

/// What a failed condition of this kind adds to `failed`.
fn bit(kind: FacetKind) -> i32 {
    match kind {
        FacetKind::Category => 1,
        FacetKind::Level => 2,
        FacetKind::Language => 4,
        FacetKind::Price => 8,
        FacetKind::Rating => 16,
    }
}

/// The column that a kind counts by; the price is counted by the currency, too.
fn column(kind: FacetKind) -> &'static str {
    match kind {
        FacetKind::Category => "category_id",
        FacetKind::Level => "level",
        FacetKind::Language => "language",
        FacetKind::Price => "price",
        FacetKind::Rating => "rating_hundredths",
    }
}

fn is_chosen(chosen: &Which, kind: FacetKind) -> bool {
    match kind {
        FacetKind::Category => chosen.categories.is_some(),
        FacetKind::Level => chosen.levels.is_some(),
        FacetKind::Language => chosen.languages.is_some(),
        FacetKind::Price => chosen.price.is_some() || chosen.free.is_some(),
        FacetKind::Rating => chosen.least_rating.is_some(),
    }
}

struct Counts<'a, Q> {
    found: Q,
    query: &'a FacetQuery,
}

impl<Q> Query for Counts<'_, Q> {
    type SqlType = Columns;
}

impl<Q> QueryId for Counts<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Counts<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let FacetQuery { chosen, kinds, .. } = self.query;
        out.push_sql("WITH found AS (");
        self.found.walk_ast(out.reborrow())?;
        // No band has a limit beyond this one, in any currency, so that there are not too many groups.
        out.push_sql("), judged AS (SELECT *, LEAST(price_minor, 100000) AS price, 0");
        self.failed(out.reborrow())?;
        let wants = |kind, column: &'static str, none: &'static str| if kinds.contains(&kind) { column } else { none };
        let columns = [
            wants(FacetKind::Category, "category_id", "NULL::uuid"),
            wants(FacetKind::Level, "level", "NULL::text"),
            wants(FacetKind::Language, "language", "NULL::text"),
            wants(FacetKind::Price, "currency", "NULL::text"),
            wants(FacetKind::Price, "price", "NULL::bigint"),
            wants(FacetKind::Rating, "rating_hundredths", "NULL::integer"),
        ];
        let own: Vec<FacetKind> = kinds.iter().copied().filter(|kind| is_chosen(chosen, *kind)).collect();
        let (mut count, mut condition) = ("count(*)".to_owned(), String::new());
        if *chosen != Which::default() {
            let bits: Vec<String> = own.iter().map(|kind| format!(", {}", bit(*kind))).collect();
            condition = format!(" WHERE failed IN (0{})", bits.concat());
            let failed = own.iter().map(|kind| {
                let (column, bit) = (column(*kind), bit(*kind));
                format!(" + CASE WHEN {column} IS NULL THEN 0 ELSE count(*) FILTER (WHERE failed = {bit}) END")
            });
            count = format!("count(*) FILTER (WHERE failed = 0){}", failed.collect::<String>());
        }
        let sets: Vec<&str> = kinds
            .iter()
            .map(|kind| match kind {
                FacetKind::Price => "(currency, price)",
                kind => column(*kind),
            })
            .collect();
        // `OFFSET 0` makes PostgreSQL compute `failed` once for each course, and not again for each set.
        out.push_sql(&format!(
            " AS failed FROM found OFFSET 0) SELECT {}, {count} FROM judged{condition} GROUP BY GROUPING SETS ({})",
            columns.join(", "),
            sets.join(", "),
        ));
        Ok(())
    }
}

impl<Q> Counts<'_, Q> {
    /// Adds up what each condition that fails adds to `failed`.
    fn failed<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let chosen = &self.query.chosen;
        let fail = |kind| format!(") THEN 0 ELSE {} END", bit(kind));
        if let Some(categories) = &chosen.categories {
            out.push_sql(" + CASE WHEN category_id = ANY (");
            out.push_bind_param::<Array<SqlUuid>, _>(categories)?;
            out.push_sql(&fail(FacetKind::Category));
        }
        if let Some(levels) = &chosen.levels {
            out.push_sql(" + CASE WHEN level = ANY (");
            out.push_bind_param::<Array<Text>, _>(levels)?;
            out.push_sql(&fail(FacetKind::Level));
        }
        if let Some(languages) = &chosen.languages {
            // Tags are normalized, so that only those with several parts need more than a comparison.
            out.push_sql(" + CASE WHEN language = ANY (");
            out.push_bind_param::<Array<Text>, _>(languages)?;
            out.push_sql(") OR strpos(language, '-') > 0 AND (lower(language) = ANY (");
            out.push_bind_param::<Array<Text>, _>(languages)?;
            out.push_sql(") OR lower(split_part(language, '-', 1)) = ANY (");
            out.push_bind_param::<Array<Text>, _>(languages)?;
            out.push_sql(")");
            out.push_sql(&fail(FacetKind::Language));
        }
        if chosen.price.is_some() || chosen.free.is_some() {
            out.push_sql(" + CASE WHEN (true");
            if let Some((currency, least, most)) = &chosen.price {
                out.push_sql(" AND (price_minor BETWEEN ");
                out.push_bind_param::<BigInt, _>(least)?;
                out.push_sql(" AND 0 OR currency = ");
                out.push_bind_param::<Text, _>(currency)?;
                out.push_sql(" AND price_minor BETWEEN ");
                out.push_bind_param::<BigInt, _>(least)?;
                out.push_sql(" AND ");
                out.push_bind_param::<BigInt, _>(most)?;
                out.push_sql(")");
            }
            if let Some(free) = &chosen.free {
                out.push_sql(" AND (price_minor = 0) = ");
                out.push_bind_param::<Bool, _>(free)?;
            }
            out.push_sql(&fail(FacetKind::Price));
        }
        if let Some(rating) = &chosen.least_rating {
            out.push_sql(" + CASE WHEN (rating_hundredths >= ");
            out.push_bind_param::<Integer, _>(rating)?;
            out.push_sql(&fail(FacetKind::Rating));
        }
        Ok(())
    }
}
