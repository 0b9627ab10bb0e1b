//! Typed ids: `course_01jx…` in the API, `uuid` in the database, `Id<Course>` in Rust.
//!
//! The public form is a TypeID: a prefix and a UUIDv7 in Crockford's base 32.
//!
//! Source: the TypeID specification, version 0.3.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned, ServerResult, Value,
};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::Error;

/// An entity type with typed ids.
pub trait Entity: Send + Sync + 'static {
    /// The prefix of its ids, for instance `course`.
    const PREFIX: &'static str;
}

/// The id of a `T`: a UUID with a static type.
#[derive(AsExpression, FromSqlRow, Serialize, Deserialize)]
#[diesel(sql_type = sql_types::Uuid)]
#[serde(transparent)]
pub struct Id<T>(Uuid, #[serde(skip)] PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// Creates a typed id from a UUID.
    pub const fn new(uuid: Uuid) -> Id<T> {
        Id(uuid, PhantomData)
    }

    /// Returns the UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<T> Id<T> {
    /// Creates the id of what has no row of its own, from the rows that it connects. Always the same for the same rows.
    pub fn connecting(one: Uuid, other: Uuid) -> Id<T> {
        let digest = Sha256::new().chain_update(one).chain_update(other).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
        // UUID version 8 (RFC 9562, 5.8).
        Id::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl<T> From<Id<T>> for Uuid {
    fn from(id: Id<T>) -> Uuid {
        id.0
    }
}

impl<T: Entity> From<Id<T>> for ID {
    fn from(id: Id<T>) -> ID {
        ID(id.encode())
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> ToSql<sql_types::Uuid, Pg> for Id<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <Uuid as ToSql<sql_types::Uuid, Pg>>::to_sql(&self.0, out)
    }
}

impl<T> FromSql<sql_types::Uuid, Pg> for Id<T> {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Self> {
        <Uuid as FromSql<sql_types::Uuid, Pg>>::from_sql(value).map(Id::new)
    }
}

impl<T: Entity> Id<T> {
    /// Encodes the id in its public form, such as `course_01h455vb4pex5vsknk084sn02q`.
    pub fn encode(self) -> String {
        encode(T::PREFIX, self.0)
    }
}

/// Encodes an id whose type is known by its prefix only.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    encode_suffix(uuid, &mut text);
    text
}

/// The error for a text that is not an id of the expected type.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongId {
    text: String,
    expected: &'static str,
}

impl fmt::Display for WrongId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongId { text, expected } = self;
        match text.rsplit_once('_') {
            Some((prefix, _)) if prefix != *expected => {
                write!(f, "{text:?} is the id of {}", named(prefix))?;
            }
            _ => write!(f, "{text:?} is not an id")?,
        }
        write!(f, "; expected the id of {}, like {expected}_01j…", named(expected))
    }
}

/// Returns the noun of a prefix with its article, such as "an email change".
fn named(prefix: &str) -> String {
    let article = if prefix.starts_with(['a', 'e', 'i', 'o']) || prefix == "upload" { "an" } else { "a" };
    format!("{article} {}", prefix.replace("api", "API").replace('_', " "))
}

impl<T: Entity> FromStr for Id<T> {
    type Err = WrongId;

    fn from_str(text: &str) -> Result<Id<T>, WrongId> {
        let uuid = text.strip_prefix(T::PREFIX).and_then(|rest| rest.strip_prefix('_')).and_then(decode_suffix);
        let wrong = || WrongId { text: text.chars().take(64).collect(), expected: T::PREFIX };
        uuid.map(Id::new).ok_or_else(wrong)
    }
}

// Implemented by hand because every `Id<T>` maps to the built-in `ID` scalar.
impl<T: Entity> InputType for Id<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => text.parse().map_err(|wrong: WrongId| InputValueError::custom(wrong)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.encode())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T: Entity> OutputType for Id<T> {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.encode()))
    }
}

/// Splits any public id into its prefix and its UUID.
pub fn split(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    Some((prefix, decode_suffix(suffix)?))
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Appends the 128 bits as 26 characters of five bits each. The first one holds only three bits.
fn encode_suffix(uuid: Uuid, text: &mut String) {
    let bits = uuid.as_u128();
    for place in (0..26).rev() {
        let index = (bits >> (5 * place)) & 31;
        let letter = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or(b'0');
        text.push(char::from(letter));
    }
}

fn decode_suffix(suffix: &str) -> Option<Uuid> {
    let first_fits = matches!(suffix.as_bytes().first()?, b'0'..=b'7');
    if suffix.len() != 26 || !first_fits {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in suffix.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits = (bits << 5) | u128::try_from(value).ok()?;
    }
    Some(Uuid::from_u128(bits))
}

/// How an argument identifies an object.
pub enum Name<T> {
    /// By id.
    Id(Id<T>),
    /// By URL slug.
    Slug(String),
}

impl<T> Name<T> {
    /// Returns whichever of the two arguments was given.
    ///
    /// # Errors
    /// [`Error::BadInput`] if neither or both were given.
    pub fn of(id: Option<Id<T>>, slug: Option<String>) -> Result<Name<T>, Error> {
        match (id, slug) {
            (Some(id), None) => Ok(Name::Id(id)),
            (None, Some(slug)) => Ok(Name::Slug(slug)),
            _ => Err(Error::BadInput("Give either id or slug.".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Course;
    impl Entity for Course {
        const PREFIX: &'static str = "course";
    }

    #[test]
    fn the_specifications_example_round_trips() {
        // TypeID spec, valid.json: "valid-uuidv7"
        let id = Id::<Course>::new("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap());
        assert_eq!(id.encode(), "course_01h455vb4pex5vsknk084sn02q");
        assert_eq!(id.encode().parse::<Id<Course>>(), Ok(id));
    }

    #[test]
    fn a_wrong_id_is_told_what_was_expected() {
        let foreign = "user_01h455vb4pex5vsknk084sn02q".parse::<Id<Course>>().unwrap_err().to_string();
        assert!(foreign.contains("is the id of a user; expected the id of a course"), "{foreign}");
        for text in [
            "",
            "17",
            "course_",
            "course_81h455vb4pex5vsknk084sn02q",
            "course_01h455vb4pex5vsknk084sn0",
            "course_01h455vb4pex5vsknk084sn02u",
        ] {
            assert!(text.parse::<Id<Course>>().unwrap_err().to_string().contains("is not an id"), "{text}");
        }
    }

    #[test]
    fn messages_have_the_right_article() {
        let names = ["user", "upload", "identity", "api_token", "email_change"].map(named);
        assert_eq!(names, ["a user", "an upload", "an identity", "an API token", "an email change"]);
    }
}
