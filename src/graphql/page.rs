//! Relay connections with keyset pagination.
//!
//! A cursor contains the sort key of its row and the name of its list. It stays valid when rows are added or removed,
//! and a cursor of another list is rejected.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::connection::EmptyFields;
use async_graphql::{Context, Enum, InputType, Lookahead, Object, ObjectType, SimpleObject, TypeName};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::cost::cost;
use super::error::{Error, Result};
use super::sequential::{Sequential, SequentialList};

/// The page size if neither `first` nor `last` is given.
pub const DEFAULT_PAGE: i32 = 20;
/// The maximum page size.
pub const LARGEST_PAGE: i32 = 100;

/// The four pagination arguments of every connection.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// The page size, counted from the start of the list.
    pub first: Option<i32>,
    /// Only items after this cursor.
    pub after: Option<String>,
    /// The page size, counted from the end of the list.
    pub last: Option<i32>,
    /// Only items before this cursor.
    pub before: Option<String>,
}

/// A checked page request; `K` is the sort key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page<K> {
    /// The page size.
    pub limit: usize,
    /// Whether the page is counted from the end of the list (`last`).
    pub backward: bool,
    /// Only rows after this key.
    pub after: Option<K>,
    /// Only rows before this key.
    pub before: Option<K>,
}

impl PageArgs {
    /// Checks the arguments for the list called `list`.
    ///
    /// # Errors
    /// [`Error::BadInput`] names the argument and what is allowed.
    pub fn page<K: DeserializeOwned>(self, list: &str) -> Result<Page<K>> {
        self.page_up_to(LARGEST_PAGE, list)
    }

    fn page_up_to<K: DeserializeOwned>(self, largest: i32, list: &str) -> Result<Page<K>> {
        let (name, wanted) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::BadInput("Give either first or last, not both.".into())),
            (None, Some(last)) => ("last", last),
            (first, None) => ("first", first.unwrap_or(DEFAULT_PAGE)),
        };
        if !(1..=largest).contains(&wanted) {
            return Err(Error::BadInput(format!("{name} must be between 1 and {largest}; it is {wanted}.")));
        }
        Ok(Page {
            limit: usize::try_from(wanted)?,
            backward: name == "last",
            after: self.after.map(|cursor| decode_cursor(list, "after", &cursor)).transpose()?,
            before: self.before.map(|cursor| decode_cursor(list, "before", &cursor)).transpose()?,
        })
    }

    /// Like [`PageArgs::page`], for a list sorted by time and id. The cursors contain microseconds.
    ///
    /// # Errors
    /// As for [`PageArgs::page`].
    pub fn timed_page(self, list: &str) -> Result<Page<(DateTime<Utc>, Uuid)>> {
        self.page::<(i64, Uuid)>(list)?.try_map(|(micros, id)| Ok((instant(list, micros)?, id)))
    }
}

/// Converts the microseconds of a cursor to an instant.
///
/// Cursors are not signed, and PostgreSQL fails on instants too far in the past, which would also fail the pages of
/// other requests in the same batch.
///
/// # Errors
/// [`Error::BadInput`] if the instant is out of range or before 1970.
pub fn instant(list: &str, micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .filter(|instant| *instant >= DateTime::UNIX_EPOCH)
        .ok_or_else(|| Error::BadInput(format!("The cursor is not one that {list} returned.")))
}

impl<K> Page<K> {
    /// Converts the keys of the page's cursors.
    ///
    /// # Errors
    /// The error of `meaning`.
    pub fn try_map<L>(self, meaning: impl Fn(K) -> Result<L>) -> Result<Page<L>> {
        let Page { limit, backward, after, before } = self;
        Ok(Page { limit, backward, after: after.map(&meaning).transpose()?, before: before.map(&meaning).transpose()? })
    }

    /// Returns how many rows to fetch: one more than the page size, to detect a next page.
    pub fn fetch(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }

    /// Returns what [`Page::fetch`] rows of the page have as keys, out of all keys of a list in descending order.
    pub fn of_descending(&self, keys: &[K]) -> Vec<K>
    where
        K: Ord + Copy,
    {
        let start = self.after.map_or(0, |after| keys.partition_point(|key| *key >= after));
        let end = self.before.map_or(keys.len(), |before| keys.partition_point(|key| *key > before));
        let within = keys.get(start..end).unwrap_or_default();
        let most = self.limit.saturating_add(1);
        if self.backward {
            within.iter().rev().take(most).copied().collect()
        } else {
            within.iter().take(most).copied().collect()
        }
    }

    /// Converts the fetched rows, which are in the direction of the page, into a connection.
    pub fn connection<R, T>(
        &self,
        rows: Vec<R>,
        node: impl Fn(R) -> T,
        cursor: impl Fn(&T) -> String + Send + Sync + 'static,
    ) -> Connection<T> {
        let more = rows.len() > self.limit;
        let mut nodes: Vec<T> = rows.into_iter().take(self.limit).map(node).collect();
        if self.backward {
            nodes.reverse();
        }
        Connection {
            nodes,
            cursor: Arc::new(cursor),
            has_next_page: if self.backward { self.before.is_some() } else { more },
            has_previous_page: if self.backward { more } else { self.after.is_some() },
            total_count: 0,
            fields: EmptyFields,
        }
    }
}

/// The direction in which a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum SortDirection {
    /// Ascending: from A to Z, from the oldest to the newest.
    Asc,
    /// Descending: from Z to A, from the newest to the oldest.
    Desc,
}

/// Encodes a cursor of the list called `list` at the sort key `key`.
pub fn encode_cursor<K: Serialize>(list: &str, key: &K) -> String {
    let bytes = serde_json::to_vec(&(list, key)).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a cursor of the list called `list`.
///
/// # Errors
/// [`Error::BadInput`] if it is not a cursor, or a cursor of another list.
pub fn decode_cursor<K: DeserializeOwned>(list: &str, argument: &str, cursor: &str) -> Result<K> {
    let bad = || Error::BadInput(format!("{argument} is not a cursor; use one that {list} returned."));
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let (own, key): (String, serde_json::Value) = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    if own != list {
        let message = format!("{argument} is a cursor of {own}; use one that {list} returned.");
        return Err(Error::BadInput(message));
    }
    serde_json::from_value(key).map_err(|_| bad())
}

/// Returns whether the selection includes `totalCount`, which needs another SQL statement.
pub fn wants_total(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// Returns the arguments of a list that is selected further down; `None` unless it is selected exactly once.
pub fn page_selected(list: Lookahead<'_>) -> Option<PageArgs> {
    let [field] = list.selection_fields().try_into().ok()?;
    let mut args = PageArgs::default();
    for (name, value) in field.arguments().ok()? {
        match (name.as_str(), value) {
            ("first", value) => args.first = InputType::parse(Some(value)).ok()?,
            ("last", value) => args.last = InputType::parse(Some(value)).ok()?,
            ("after", value) => args.after = InputType::parse(Some(value)).ok()?,
            ("before", value) => args.before = InputType::parse(Some(value)).ok()?,
            _ => return None,
        }
    }
    Some(args)
}

/// One page of a list; `F` has the fields of the connection that belong to its list alone.
///
/// All lists of one type of items have the same `F`, because their connections are one type in the schema.
pub struct Connection<T, F = EmptyFields> {
    nodes: Vec<T>,
    cursor: Arc<dyn Fn(&T) -> String + Send + Sync>,
    has_next_page: bool,
    has_previous_page: bool,
    total_count: i64,
    fields: F,
}

impl<T, F> Connection<T, F> {
    /// Sets `totalCount`; see [`wants_total`].
    pub fn with_total(mut self, total: i64) -> Connection<T, F> {
        self.total_count = total;
        self
    }

    /// Sets the fields that only this list has.
    pub fn with_fields<G>(self, fields: G) -> Connection<T, G> {
        let Connection { nodes, cursor, has_next_page, has_previous_page, total_count, fields: _ } = self;
        Connection { nodes, cursor, has_next_page, has_previous_page, total_count, fields }
    }
}

impl<T: ObjectType, F: ObjectType> TypeName for Connection<T, F> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// One page of a list. To fetch the next page, pass `pageInfo.endCursor` as `after`.
#[Object(name_type)]
impl<T: ObjectType + Clone, F: ObjectType> Connection<T, F> {
    /// The items of this page with their cursors.
    async fn edges(&self) -> SequentialList<Edge<T>> {
        let edge = |node: &T| Edge { node: node.clone(), cursor: (self.cursor)(node) };
        SequentialList(self.nodes.iter().map(edge).collect())
    }

    /// The items of this page.
    async fn nodes(&self) -> SequentialList<T> {
        SequentialList(self.nodes.clone())
    }

    /// Information about the position of this page in the list.
    async fn page_info(&self) -> Sequential<PageInfo> {
        Sequential(PageInfo {
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            start_cursor: self.nodes.first().map(|node| (self.cursor)(node)),
            end_cursor: self.nodes.last().map(|node| (self.cursor)(node)),
        })
    }

    /// The total number of items in the list. Counted only if selected.
    async fn total_count(&self) -> i64 {
        self.total_count
    }

    #[graphql(flatten)]
    async fn fields(&self) -> &F {
        &self.fields
    }
}

/// An item of a page, with its cursor.
#[derive(Clone)]
pub struct Edge<T> {
    node: T,
    cursor: String,
}

impl<T: ObjectType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// An item of a page and its cursor.
#[Object(name_type)]
impl<T: ObjectType + Clone> Edge<T> {
    /// The item.
    async fn node(&self) -> Sequential<T> {
        Sequential(self.node.clone())
    }

    /// The cursor of the item, to pass as `after` or `before`.
    async fn cursor(&self) -> &str {
        &self.cursor
    }
}

/// The position of a page in its list.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(directive = cost::apply(Some(0), None, None))]
pub struct PageInfo {
    /// Whether there are items after this page.
    has_next_page: bool,
    /// Whether there are items before this page.
    has_previous_page: bool,
    /// The cursor of the first item, to pass as `before`; null if the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last item, to pass as `after`; null if the page is empty.
    end_cursor: Option<String>,
}

/// Paginates a short list that is completely in memory, such as the sections of a course.
///
/// # Errors
/// As for [`PageArgs::page`].
pub fn slice<T: Clone, K: Serialize + DeserializeOwned + Ord>(
    args: PageArgs,
    list: &'static str,
    all: Vec<T>,
    key: impl Fn(&T) -> K + Send + Sync + 'static,
) -> Result<Connection<T>> {
    slice_up_to(LARGEST_PAGE, args, list, all, key)
}

/// Like [`slice()`], for a list whose largest page is its greatest length.
///
/// # Errors
/// As for [`PageArgs::page`].
pub fn slice_up_to<T: Clone, K: Serialize + DeserializeOwned + Ord>(
    largest: i32,
    args: PageArgs,
    list: &'static str,
    all: Vec<T>,
    key: impl Fn(&T) -> K + Send + Sync + 'static,
) -> Result<Connection<T>> {
    let page = args.page_up_to::<K>(largest, list)?;
    let total = i64::try_from(all.len())?;
    let mut rows: Vec<T> = all
        .into_iter()
        .filter(|row| page.after.as_ref().is_none_or(|after| key(row) > *after))
        .filter(|row| page.before.as_ref().is_none_or(|before| key(row) < *before))
        .collect();
    if page.backward {
        rows.reverse();
    }
    rows.truncate(page.limit + 1);
    Ok(page.connection(rows, |row| row, move |row| encode_cursor(list, &key(row))).with_total(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(first: Option<i32>, last: Option<i32>) -> PageArgs {
        PageArgs { first, last, ..PageArgs::default() }
    }

    #[test]
    fn the_size_of_a_page_is_checked() {
        assert_eq!(args(None, None).page::<i64>("courses").unwrap().limit, 20);
        assert!(args(None, Some(100)).page::<i64>("courses").unwrap().backward);
        for (first, last) in [(Some(0), None), (Some(101), None), (None, Some(-1)), (Some(1), Some(1))] {
            assert!(matches!(args(first, last).page::<i64>("courses"), Err(Error::BadInput(_))), "{first:?} {last:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = encode_cursor("courses", &(17_i64, "x"));
        assert_eq!(decode_cursor::<(i64, String)>("courses", "after", &cursor).unwrap(), (17, "x".to_owned()));
        let Err(Error::BadInput(message)) = decode_cursor::<(i64, String)>("newVideos", "after", &cursor) else {
            panic!("accepted")
        };
        assert_eq!(message, "after is a cursor of courses; use one that newVideos returned.");
        assert!(decode_cursor::<i64>("courses", "after", "💥").is_err());
        assert!(decode_cursor::<i64>("courses", "after", &cursor).is_err());
    }
}
