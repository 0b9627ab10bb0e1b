//! The schema, composed of all features. The only module of the kernel that depends on features.

use async_graphql::{
    Context, ID, Interface, Json, MergedSubscription, Object, SDLExportOptions, SchemaBuilder, ValidationMode,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::context::{actor, app, loaders};
use super::guard::{Requires, Role, public, requires};
use super::id::{self, Entity};
use super::root::{Root, RootFields, RootKind};
use super::{Error, Result};
use crate::accounts::{self, User, UserById, UserId, UserObject};
use crate::catalog::{
    self, CatalogSubscription, Category, CategoryId, CategoryObject, Course, CourseId, CourseObject, Lesson, LessonId,
    LessonObject, Section, SectionId, SectionObject, category_node, course_node, lesson_node, section_node,
};
use crate::channels::{self, Channel, ChannelId, ChannelObject, channel_node};
use crate::enrollments;
use crate::media::{
    self, FileId, MediaFile, MediaFileObject, MediaSubscription, Video, VideoId, VideoObject, file_node, video_node,
};

/// The root type of queries.
pub struct Queries;

impl RootKind for Queries {
    const NAME: &'static str = "Query";
    const DESCRIPTION: &'static str = "Everything that can be read.";

    fn fields() -> Vec<Box<dyn RootFields>> {
        let own: Vec<Box<dyn RootFields>> = vec![Box::new(NodeQuery), Box::new(ExportQuery)];
        let features =
            [accounts::queries(), catalog::queries(), channels::queries(), enrollments::queries(), media::queries()];
        own.into_iter().chain(features.into_iter().flatten()).collect()
    }
}

/// The root type of mutations.
pub struct Mutations;

impl RootKind for Mutations {
    const NAME: &'static str = "Mutation";
    const DESCRIPTION: &'static str = "Everything that can be done.";

    fn fields() -> Vec<Box<dyn RootFields>> {
        let features = [
            accounts::mutations(),
            catalog::mutations(),
            channels::mutations(),
            enrollments::mutations(),
            media::mutations(),
        ];
        features.into_iter().flatten().collect()
    }
}

/// The root type of subscriptions.
#[derive(Default, MergedSubscription)]
pub struct Subscription(CatalogSubscription, MediaSubscription);

/// The executable schema.
pub type Schema = async_graphql::Schema<Root<Queries>, Root<Mutations>, Subscription>;

/// Returns a schema builder, without extensions: each would cost a future per field.
pub fn builder(mode: ValidationMode) -> SchemaBuilder<Root<Queries>, Root<Mutations>, Subscription> {
    Schema::build(Root::default(), Root::default(), Subscription::default())
        .validation_mode(mode)
        .register_output_type::<Node>()
        // The library's scalar has no description.
        .override_output_type_description::<Decimal>(
            "A decimal number of up to 28 digits: a text, so that no JSON library rounds it. A number is taken, too.",
        )
}

/// Returns the schema definition (SDL), in the format of `schema.graphql`.
pub fn print(schema: &Schema) -> String {
    let options = SDLExportOptions::new().sorted_arguments().sorted_enum_items().include_specified_by();
    let mut sdl = schema.sdl_with_options(options).trim_end().to_owned();
    sdl.push('\n');
    sdl
}

/// An object with a globally unique id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The globally unique id of the object."))]
pub enum Node {
    /// A user.
    User(UserObject),
    /// A course.
    Course(CourseObject),
    /// A section.
    Section(SectionObject),
    /// A lesson.
    Lesson(LessonObject),
    /// A category.
    Category(CategoryObject),
    /// A channel.
    Channel(ChannelObject),
    /// A video.
    Video(VideoObject),
    /// A picture or other file.
    MediaFile(MediaFileObject),
}

/// The node queries.
#[derive(Default)]
struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null if it does not exist or is not visible to the viewer.
    #[graphql(directive = public::apply())]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of any object that implements `Node`.")] id: ID,
    ) -> Result<Option<Node>> {
        find(ctx, &id).await
    }

    /// The objects with these ids, in the same order; an item is null if `node` would be.
    #[graphql(directive = public::apply())]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the objects, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > 100 {
            return Err(Error::BadInput(format!("ids has {} ids; at most 100 are allowed.", ids.len())));
        }
        let found = futures_util::future::join_all(ids.iter().map(|id| find(ctx, id))).await;
        found.into_iter().collect()
    }
}

/// The data export queries.
#[derive(Default)]
struct ExportQuery;

#[Object]
impl ExportQuery {
    /// All data that the platform stores about the viewer, by feature. For each kind of data, contains the latest 1,000
    /// `items`; `complete` says whether those are all.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn my_data(&self, ctx: &Context<'_>) -> Result<Json<Value>> {
        let (app, actor) = (app(ctx), actor(ctx));
        Ok(Json(json!({
            "exportedAt": app.clock.now(),
            "accounts": accounts::my_data(app, actor).await?,
            "catalog": catalog::my_data(app, actor).await?,
            "channels": channels::my_data(app, actor).await?,
            "enrollments": enrollments::my_data(app, actor).await?,
            "media": media::my_data(app, actor).await?,
        })))
    }
}

async fn find(ctx: &Context<'_>, text: &str) -> Result<Option<Node>> {
    let wrong = || {
        let known = [
            User::PREFIX,
            Course::PREFIX,
            Section::PREFIX,
            Lesson::PREFIX,
            Category::PREFIX,
            Channel::PREFIX,
            Video::PREFIX,
            MediaFile::PREFIX,
        ]
        .join(", ");
        Error::BadInput(format!("{text:?} is not an id; expected one that begins with {known} and an underscore."))
    };
    let (prefix, uuid) = id::split(text).ok_or_else(wrong)?;
    Ok(match prefix {
        User::PREFIX => {
            loaders(ctx).load(UserById(UserId::new(uuid))).await?.map(|user| Node::User(UserObject::new(user)))
        }
        Course::PREFIX => course_node(ctx, CourseId::new(uuid)).await?.map(Node::Course),
        Section::PREFIX => section_node(ctx, SectionId::new(uuid)).await?.map(Node::Section),
        Lesson::PREFIX => lesson_node(ctx, LessonId::new(uuid)).await?.map(Node::Lesson),
        Category::PREFIX => category_node(ctx, CategoryId::new(uuid)).await?.map(Node::Category),
        Channel::PREFIX => channel_node(ctx, ChannelId::new(uuid)).await?.map(Node::Channel),
        Video::PREFIX => video_node(ctx, VideoId::new(uuid)).await?.map(Node::Video),
        MediaFile::PREFIX => file_node(ctx, FileId::new(uuid)).await?.map(Node::MediaFile),
        _ => return Err(wrong()),
    })
}
