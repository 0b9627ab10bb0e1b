//! The schema, composed of all features. The only module of the kernel that depends on features.

use async_graphql::{Context, Json, MergedSubscription, Object, SDLExportOptions, SchemaBuilder, ValidationMode};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Result;
use super::context::{actor, app, bearer};
use super::guard::{Requires, Role, public, requires};
use super::node::{NodeFields, NodeType};
use super::root::{Root, RootFields, RootKind};
use super::sequential::Sequential;
use crate::catalog::CatalogSubscription;
use crate::discussions::{DiscussionSubscription, PostType};
use crate::live::LiveSubscription;
use crate::media::MediaSubscription;
use crate::notifications::NotificationSubscription;
use crate::orders::OrderSubscription;
use crate::{
    accounts, catalog, channels, discussions, enrollments, entitlements, live, media, memberships, notifications,
    orders, reviews,
};

/// The root type of queries.
pub struct Queries;

impl RootKind for Queries {
    const NAME: &'static str = "Query";
    const DESCRIPTION: &'static str = "The root type of queries.";
    const MUTATIONS: bool = false;

    fn fields() -> Vec<Box<dyn RootFields>> {
        let own: Vec<Box<dyn RootFields>> = vec![Box::new(NodeFields(nodes())), Box::new(ViewerQuery::default())];
        let features = [
            accounts::queries(),
            catalog::queries(),
            channels::queries(),
            discussions::queries(post_types()),
            enrollments::queries(),
            live::queries(),
            media::queries(),
            memberships::queries(),
            notifications::queries(),
            orders::queries(),
        ];
        own.into_iter().chain(features.into_iter().flatten()).collect()
    }
}

/// The root type of mutations.
pub struct Mutations;

impl RootKind for Mutations {
    const NAME: &'static str = "Mutation";
    const DESCRIPTION: &'static str = "The root type of mutations.";
    const MUTATIONS: bool = true;

    fn fields() -> Vec<Box<dyn RootFields>> {
        let features = [
            accounts::mutations(),
            catalog::mutations(),
            channels::mutations(),
            discussions::mutations(),
            enrollments::mutations(),
            live::mutations(),
            media::mutations(),
            memberships::mutations(),
            notifications::mutations(),
            orders::mutations(),
            reviews::mutations(),
        ];
        features.into_iter().flatten().collect()
    }
}

/// The type of `Query.viewer`, to which each feature adds what it has of the viewer's.
struct Viewer;

impl RootKind for Viewer {
    const NAME: &'static str = "Viewer";
    const DESCRIPTION: &'static str = "The signed-in user and the data that belongs to them. A field that the session or API token may not access is \
        null, with an error; other fields are not affected.";
    const MUTATIONS: bool = false;

    fn fields() -> Vec<Box<dyn RootFields>> {
        let features = [
            accounts::viewer_fields(),
            enrollments::viewer_fields(),
            catalog::viewer_fields(),
            channels::viewer_fields(),
            live::viewer_fields(),
            media::viewer_fields(),
            memberships::viewer_fields(),
            notifications::viewer_fields(),
            orders::viewer_fields(),
        ];
        features.into_iter().flatten().chain([Box::new(ViewerExport) as Box<dyn RootFields>]).collect()
    }
}

/// The root type of subscriptions.
#[derive(Default, MergedSubscription)]
pub struct Subscription(
    CatalogSubscription,
    DiscussionSubscription,
    LiveSubscription,
    MediaSubscription,
    NotificationSubscription,
    OrderSubscription,
);

/// Returns the types that implement `Node`.
fn nodes() -> Vec<NodeType> {
    [
        accounts::nodes(),
        catalog::nodes(),
        channels::nodes(),
        discussions::nodes(),
        enrollments::nodes(),
        entitlements::nodes(),
        live::nodes(),
        media::nodes(),
        memberships::nodes(),
        notifications::nodes(),
        orders::nodes(),
        reviews::nodes(),
    ]
    .concat()
}

/// Returns the types that implement `Post`.
fn post_types() -> Vec<PostType> {
    [discussions::post_types(), reviews::post_types()].concat()
}

/// The executable schema.
pub type Schema = async_graphql::Schema<Root<Queries>, Root<Mutations>, Subscription>;

/// Returns a schema builder, without extensions: each would cost a future per field.
pub fn builder() -> SchemaBuilder<Root<Queries>, Root<Mutations>, Subscription> {
    // The `DateTime` of outputs is chrono's, that of inputs ours (`time.rs`).
    Schema::build_with_ignore_name_conflicts(Root::default(), Root::default(), Subscription::default(), ["DateTime"])
        // `validation.rs` validates by all rules.
        .validation_mode(ValidationMode::Fast)
        .data(nodes())
        .data(post_types())
        // The library's own descriptions are for Rust developers, or missing.
        .override_output_type_description::<DateTime<Utc>>(
            "A time (RFC 3339), such as `2026-11-20T09:00:00Z`, with a year from 1 to 9999.",
        )
        .override_output_type_description::<Decimal>(
            "A decimal number with up to 28 digits, serialized as a string to avoid rounding. Input may be a string or a number.",
        )
}

/// Returns the schema definition (SDL), in the format of `schema.graphql`.
pub fn print(schema: &Schema) -> String {
    let options = SDLExportOptions::new().sorted_arguments().sorted_enum_items().include_specified_by();
    let mut sdl = schema.sdl_with_options(options).trim_end().to_owned();
    sdl.push('\n');
    sdl
}

/// The query for the viewer.
#[derive(Default)]
struct ViewerQuery(Root<Viewer>);

#[Object]
impl ViewerQuery {
    /// The signed-in user and their data; null for anonymous requests.
    #[graphql(directive = public::apply())]
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Sequential<&Root<Viewer>>> {
        bearer(ctx).id().map(|_| Sequential(&self.0))
    }
}

/// The data export of the viewer.
#[derive(Default)]
struct ViewerExport;

#[Object]
impl ViewerExport {
    /// All data that the platform stores about the user, by feature. For each kind of data, contains the latest 1,000
    /// `items`; `complete` says whether those are all.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn data_export(&self, ctx: &Context<'_>) -> Result<Option<Json<Value>>> {
        let (app, actor) = (app(ctx), actor(ctx));
        Ok(Some(Json(json!({
            "exportedAt": app.clock.now(),
            "accounts": accounts::my_data(app, actor).await?,
            "catalog": catalog::my_data(app, actor).await?,
            "channels": channels::my_data(app, actor).await?,
            "discussions": discussions::my_data(app, actor).await?,
            "enrollments": enrollments::my_data(app, actor).await?,
            "live": live::my_data(app, actor).await?,
            "media": media::my_data(app, actor).await?,
            "memberships": memberships::my_data(app, actor).await?,
            "notifications": notifications::my_data(app, actor).await?,
            "orders": orders::my_data(app, actor).await?,
            "reviews": reviews::my_data(app, actor).await?,
        }))))
    }
}
