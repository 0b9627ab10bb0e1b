//! Enums that are stored as text.

/// Implements the conversions of an enum that is stored as the given texts.
///
/// These are `as_str`, `FromStr`, `ToSql<Text>` and `FromSql<Text>`. The texts are also the names of the enum's values
/// in the GraphQL schema. The enum must derive `AsExpression` and `FromSqlRow` with `#[diesel(sql_type = Text)]`.
#[macro_export]
macro_rules! stored_as_text {
    ($ty:ident { $($item:ident = $text:literal),* $(,)? }) => {
        impl $ty {
            /// Returns the stored text.
            pub fn as_str(self) -> &'static str {
                match self { $($ty::$item => $text),* }
            }
        }

        impl std::str::FromStr for $ty {
            type Err = String;

            fn from_str(text: &str) -> Result<$ty, String> {
                match text {
                    $($text => Ok($ty::$item),)*
                    _ => Err(format!("{text:?} is not a {}", stringify!($ty))),
                }
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $ty {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg>>::to_sql(self.as_str(), out)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $ty {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<$ty> {
                type Text = diesel::sql_types::Text;
                Ok(<String as diesel::deserialize::FromSql<Text, diesel::pg::Pg>>::from_sql(value)?.parse()?)
            }
        }
    };
}

pub use stored_as_text;
