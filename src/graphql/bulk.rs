//! Mutations that do to many objects what another mutation does to one.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::{Object, ObjectType, TypeName};

use super::cost::cost;
use super::error::{Error, Result, UserError, UserErrorCode, payload};
use super::id::{Entity, Id};
use super::sequential::Sequential;

/// The maximum number of ids in one input.
const MOST: u8 = 100;

const NOT_TRIED: &str = "This was not tried, because the server failed at one before. Try it again.";

/// What was done with one id of the input.
pub struct Done<E, T> {
    /// The id.
    pub id: Id<E>,
    /// What the command returned; `None` if there are user errors.
    pub value: Option<T>,
    /// Why the command did nothing.
    pub user_errors: Vec<Sequential<UserError>>,
}

/// Runs a command for each of the ids in the list `field` of an input, such as `userIds`, one after another.
///
/// Each run has a transaction of its own, so that one that fails leaves the others. What would be a GraphQL error of
/// the command is a user error of its id; after a failure of the server, the rest is not tried.
///
/// # Errors
/// There are no ids, too many, or the same one twice; then nothing was done.
pub async fn for_each<E: Entity, T, F: Future<Output = Result<T>>>(
    field: &'static str,
    ids: Vec<Id<E>>,
    command: impl Fn(Id<E>) -> F,
) -> Result<Vec<Done<E, T>>> {
    check(field, &ids)?;
    let mut done = Vec::with_capacity(ids.len());
    let mut failed = false;
    for (place, id) in ids.into_iter().enumerate() {
        let place = place.to_string();
        if failed {
            let error = UserError::new(UserErrorCode::TryAgain, &[field, &place], NOT_TRIED);
            done.push(Done { id, value: None, user_errors: vec![Sequential(error)] });
            continue;
        }
        let (value, errors) = match command(id).await {
            Ok(value) => (Some(value), Vec::new()),
            Err(error) => {
                failed = is_failure(&error);
                (None, user_errors(field, &place, error))
            }
        };
        done.push(Done { id, value, user_errors: errors.into_iter().map(Sequential).collect() });
    }
    Ok(done)
}

fn check<E: Entity>(field: &str, ids: &[Id<E>]) -> Result<()> {
    if ids.is_empty() {
        return Err(Error::invalid(UserErrorCode::Blank, &[field], "Give at least one id."));
    }
    if ids.len() > usize::from(MOST) {
        let message = format!("There are {} ids; at most {MOST} are allowed.", ids.len());
        return Err(Error::invalid(UserErrorCode::TooLong, &[field], message));
    }
    let mut seen = HashSet::new();
    let again = ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id));
    let errors: Vec<UserError> = again
        .map(|(place, id)| {
            let message = format!("{} is in the list already.", id.encode());
            UserError::new(UserErrorCode::Invalid, &[field, &place.to_string()], message)
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Whether the server failed, so that the next id would probably fail, too.
fn is_failure(error: &Error) -> bool {
    matches!(error, Error::Internal(_) | Error::Timeout | Error::RateLimited { .. } | Error::TooMuch(..))
}

/// Converts the error of one id. What a user error says about `userId` is about an item of `userIds` here.
fn user_errors(field: &str, place: &str, error: Error) -> Vec<UserError> {
    let code = match error {
        Error::Invalid(mut errors) => {
            let singular = field.strip_suffix('s').unwrap_or(field);
            for error in &mut errors {
                if error.field.first().is_some_and(|first| first == singular) {
                    error.field.splice(0..1, [field.to_owned(), place.to_owned()]);
                }
            }
            return errors;
        }
        Error::Forbidden(_) | Error::NoAccess { .. } | Error::Unauthenticated(_) => UserErrorCode::NotAllowed,
        _ if is_failure(&error) => UserErrorCode::TryAgain,
        _ => UserErrorCode::Invalid,
    };
    // The conversion logs an internal error, and says nothing of it.
    let message = async_graphql::Error::from(error).message;
    vec![UserError::new(code, &[field, place], message)]
}

/// The payload of a bulk mutation; `R` is the result for one id.
pub struct BulkPayload<R> {
    results: Option<Vec<Sequential<R>>>,
    user_errors: Vec<Sequential<UserError>>,
}

impl<R> BulkPayload<R> {
    /// Returns the payload with a result for each id.
    ///
    /// # Errors
    /// Errors other than user errors are returned as they are.
    pub fn of<E, T>(
        outcome: Result<Vec<Done<E, T>>>,
        result: impl Fn(Done<E, T>) -> R,
    ) -> Result<Option<Sequential<BulkPayload<R>>>> {
        let (done, user_errors) = payload(outcome)?;
        let results = done.map(|done| done.into_iter().map(|one| Sequential(result(one))).collect());
        Ok(Some(Sequential(BulkPayload { results, user_errors })))
    }
}

impl<R: ObjectType> TypeName for BulkPayload<R> {
    fn type_name() -> Cow<'static, str> {
        let result = R::type_name();
        format!("{}Payload", result.strip_suffix("Result").unwrap_or(&result)).into()
    }
}

/// The payload of a bulk mutation.
#[Object(name_type)]
impl<R: ObjectType> BulkPayload<R> {
    /// What was done with each id, in the order of the input; null if there are `userErrors`. Some may have succeeded
    /// and others not. The cost of an operation counts it as 100 items.
    #[graphql(directive = cost::apply(None, Some(MOST.into()), None))]
    async fn results(&self) -> Option<&Vec<Sequential<R>>> {
        self.results.as_ref()
    }

    /// Errors in the input as a whole: no ids, too many, or the same one twice. Then nothing was done.
    async fn user_errors(&self) -> &Vec<Sequential<UserError>> {
        &self.user_errors
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use uuid::Uuid;

    use super::*;
    use crate::platform::internal_error::InternalError;

    #[derive(Debug)]
    struct User;
    impl Entity for User {
        const PREFIX: &'static str = "user";
    }

    fn id(number: u128) -> Id<User> {
        Id::new(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn each_id_has_its_own_outcome() {
        let done = for_each("userIds", vec![id(1), id(2), id(3), id(4)], |user| async move {
            match user.uuid().as_u128() {
                1 => Ok("done"),
                2 => Err(Error::Forbidden("Not yours.".into())),
                3 => Err(Error::Invalid(vec![
                    UserError::new(UserErrorCode::NotFound, &["userId"], "No such user."),
                    UserError::new(UserErrorCode::Blank, &["reason"], "No reason."),
                ])),
                _ => Ok("done, too"),
            }
        })
        .await
        .unwrap();
        let codes: Vec<Vec<(UserErrorCode, String)>> = done
            .iter()
            .map(|one| one.user_errors.iter().map(|error| (error.code, error.field.join("."))).collect())
            .collect();
        let expected = [
            vec![],
            vec![(UserErrorCode::NotAllowed, "userIds.1".to_owned())],
            vec![(UserErrorCode::NotFound, "userIds.2".to_owned()), (UserErrorCode::Blank, "reason".to_owned())],
            vec![],
        ];
        assert_eq!(codes, expected);
        let values: Vec<Option<&str>> = done.iter().map(|one| one.value).collect();
        assert_eq!(values, [Some("done"), None, None, Some("done, too")]);
    }

    #[tokio::test]
    async fn after_a_failure_of_the_server_the_rest_is_not_tried() {
        let tried = Cell::new(0);
        let done = for_each("userIds", vec![id(1), id(2), id(3)], |user| {
            tried.set(tried.get() + 1);
            let failed = Err(Error::from(InternalError::new("password=hunter2")));
            std::future::ready(if user == id(2) { failed } else { Ok(()) })
        })
        .await
        .unwrap();
        assert_eq!(tried.get(), 2);
        assert!(done[0].value.is_some());
        for one in &done[1..] {
            assert_eq!(one.user_errors[0].code, UserErrorCode::TryAgain);
            assert!(!one.user_errors[0].message.contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn an_input_that_is_wrong_as_a_whole_does_nothing() {
        for (ids, code) in [
            (vec![], UserErrorCode::Blank),
            ((0..=MOST as u128).map(id).collect(), UserErrorCode::TooLong),
            (vec![id(1), id(2), id(1)], UserErrorCode::Invalid),
        ] {
            let run = |_| async { panic!("it ran") };
            let outcome: Result<Vec<Done<User, ()>>> = for_each("userIds", ids, run).await;
            let Err(Error::Invalid(errors)) = outcome else { panic!("accepted") };
            assert_eq!(errors[0].code, code);
        }
    }
}
