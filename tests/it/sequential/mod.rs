//! `Sequential` gives what async-graphql itself would give, field for field and error for error.

mod equality;
mod places;

/// The toy schema as async-graphql executes it.
mod plain {
    type Wrap<T> = T;

    fn wrap<T>(value: T) -> Wrap<T> {
        value
    }

    include!("toy.rs");
}

/// The same schema with every object in an `Sequential`.
mod inlined {
    type Wrap<T> = lyceum::graphql::Sequential<T>;

    fn wrap<T>(value: T) -> Wrap<T> {
        lyceum::graphql::Sequential(value)
    }

    include!("toy.rs");
}
