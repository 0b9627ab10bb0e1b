//! `@cost`: how objects and lists count for the cost of an operation, which [`super::limits`] computes.

/// The directive. The macro generates undocumented items.
#[allow(missing_docs)]
mod directive {
    use async_graphql::TypeDirective;

    /// How an object or a list counts for the cost of an operation, which is the number of objects that it may return.
    /// An object counts as `weight`, 1 by default. A list without pages counts as `most` items. With `within`, all lists
    /// of this field inside one list `within` have at most `most` items together.
    #[TypeDirective(location = "Object", location = "FieldDefinition")]
    pub fn cost(weight: Option<i32>, most: Option<i32>, within: Option<String>) {}
}
pub use directive::cost;
