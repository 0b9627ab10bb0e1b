//! Categories in the schema.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::browse::{Within, count_within, matching};
use super::facet::CourseConnection;
use crate::catalog::command;
use crate::catalog::loader::{Categories, CategoryDescriptionOf, Html};
use crate::catalog::model::{
    ArchiveCategoryInput, Category, CategoryId, CategoryTree, CourseFilter, CourseSort, CreateCategoryInput,
    DeleteCategoryInput, MoveCategoryInput, SetCategoryImageInput, UnarchiveCategoryInput, UpdateCategoryInput,
};
use crate::graphql::caching::cache_control;
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::{Edit, edit_payload, payload};
use crate::graphql::guard::{Requires, Role, public, requires};
use crate::graphql::id::Name;
use crate::graphql::{Connection, ImageObject, PageArgs, Result, Sequential, UserError, page};
use crate::media::image;
use crate::memberships::{PlanObject, plans_of_category};

/// A category in the schema.
#[derive(Clone)]
pub struct CategoryObject(pub Arc<Category>);

/// A category of courses; categories form a tree.
#[Object(name = "Category")]
impl CategoryObject {
    /// The id of the category.
    pub async fn id(&self) -> CategoryId {
        self.0.id
    }

    /// The URL slug; unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The description in Markdown; may be empty.
    async fn description(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(CategoryDescriptionOf(self.0.id)).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// The description as sanitized HTML that a page can embed: without scripts, styles, forms and frames, and with
    /// links to `http`, `https` and `mailto` only.
    async fn description_html(&self, ctx: &Context<'_>) -> Result<String> {
        let text = loaders(ctx).load(Html(CategoryDescriptionOf(self.0.id))).await?;
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    /// The image; null if there is none. See `setCategoryImage`.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ImageObject>>> {
        let Some(id) = self.0.image_id else { return Ok(None) };
        image(ctx, id, &self.0.name).await
    }

    /// When the category was archived: it is not offered anymore, and its courses stay as they are; null otherwise.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// When the category was last edited, moved, archived or unarchived.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The version, incremented by each edit, but not when it is moved, archived or unarchived. Pass it to updates: an
    /// update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The position among its siblings, from 1. Archived ones have their positions, too.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// The parent; null for a root category.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CategoryObject>>> {
        let Some(parent) = self.0.parent_id else { return Ok(None) };
        Ok(category_node(ctx, parent).await?.map(Sequential))
    }

    /// The direct subcategories, in order.
    #[allow(clippy::too_many_arguments)]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(default, desc = "Whether to list archived subcategories, too.")] include_archived: bool,
    ) -> Result<Sequential<Connection<CategoryObject>>> {
        let args = PageArgs { first, after, last, before };
        listed(ctx, Some(self.0.id), include_archived, "children", args).await
    }

    /// The categories above this one, from the root to the parent; empty for a root category.
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<Sequential<CategoryObject>>> {
        let tree = tree(ctx).await?;
        let path = tree.path(self.0.parent_id).into_iter().rev();
        Ok(path.filter_map(|id| tree.get(CategoryId::new(id))).map(|row| Sequential(CategoryObject(row))).collect())
    }

    /// The number of published courses in the category and all its subcategories.
    async fn course_count(&self, ctx: &Context<'_>) -> Result<i64> {
        count_within(ctx, &tree(ctx).await?.within(self.0.id)).await
    }

    /// The plans for this very category that are sold, latest first.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<PlanObject>>> {
        plans_of_category(ctx, self.0.id, PageArgs { first, after, last, before }).await
    }

    /// The published courses in the category and all its subcategories, newest first unless they are sorted otherwise.
    #[allow(clippy::too_many_arguments)]
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which courses to return; defaults to all.")] filter: Option<CourseFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<CourseSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<CourseConnection>> {
        let args = PageArgs { first, after, last, before };
        matching(ctx, Within::Category(self.0.id), filter, sort, args).await.map(Sequential)
    }
}

/// Returns all categories.
pub(super) async fn tree(ctx: &Context<'_>) -> Result<Arc<CategoryTree>> {
    Ok(loaders(ctx).load(Categories).await?.unwrap_or_default())
}

async fn listed(
    ctx: &Context<'_>,
    parent: Option<CategoryId>,
    with_archived: bool,
    list: &'static str,
    args: PageArgs,
) -> Result<Sequential<Connection<CategoryObject>>> {
    let tree = tree(ctx).await?;
    let categories = tree.children(parent).iter().filter(|row| with_archived || row.archived_at.is_none());
    let categories = categories.cloned().map(CategoryObject).collect();
    Ok(Sequential(page::slice(args, list, categories, |CategoryObject(category)| category.position)?))
}

/// Returns the category with this id.
///
/// # Errors
/// The database failed.
pub async fn category_node(ctx: &Context<'_>, id: CategoryId) -> Result<Option<CategoryObject>> {
    Ok(tree(ctx).await?.get(id).map(CategoryObject))
}

/// The category queries.
#[derive(Default)]
pub(super) struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// The root categories, in order.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    #[allow(clippy::too_many_arguments)]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(default, desc = "Whether to list archived categories, too.")] include_archived: bool,
    ) -> Result<Sequential<Connection<CategoryObject>>> {
        listed(ctx, None, include_archived, "categories", PageArgs { first, after, last, before }).await
    }

    /// A category by its id or its slug, archived or not; null if there is none. Earlier slugs of the category work,
    /// too: if its `slug` is not the one that you passed, a site can redirect to it.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category's id; pass either this or `slug`.")] id: Option<CategoryId>,
        #[graphql(desc = "The category's URL slug; pass either this or `id`.")] slug: Option<String>,
    ) -> Result<Option<Sequential<CategoryObject>>> {
        let tree = tree(ctx).await?;
        let category = match Name::of(id, slug)? {
            Name::Id(id) => tree.get(id),
            Name::Slug(slug) => tree.by_slug(&slug),
        };
        Ok(category.map(|category| Sequential(CategoryObject(category))))
    }
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
pub(super) struct Create;
pub(super) struct Update;
pub(super) struct Move;
pub(super) struct SetImage;
pub(super) struct Archive;
pub(super) struct Unarchive;

/// The payload of a mutation of a category.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateCategoryPayload", params(Create)))]
#[graphql(concrete(name = "UpdateCategoryPayload", params(Update)))]
#[graphql(concrete(name = "MoveCategoryPayload", params(Move)))]
#[graphql(concrete(name = "SetCategoryImagePayload", params(SetImage)))]
#[graphql(concrete(name = "ArchiveCategoryPayload", params(Archive)))]
#[graphql(concrete(name = "UnarchiveCategoryPayload", params(Unarchive)))]
pub(super) struct CategoryPayload<M: Send + Sync> {
    /// The category in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    category: Option<Sequential<CategoryObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `deleteCategory`.
#[derive(SimpleObject)]
pub(super) struct DeleteCategoryPayload {
    /// The id of the deleted category; null if there are `userErrors`.
    deleted_category_id: Option<CategoryId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The category mutations.
#[derive(Default)]
pub(super) struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Adds a category.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn create_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new category.")] input: CreateCategoryInput,
    ) -> Result<Option<Sequential<CategoryPayload<Create>>>> {
        category(command::create_category(app(ctx), actor(ctx), input).await)
    }

    /// Changes the name, the slug or the description of a category.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn update_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category and the fields to change.")] input: UpdateCategoryInput,
    ) -> Result<Option<Sequential<CategoryPayload<Update>>>> {
        edited(command::update_category(app(ctx), actor(ctx), input).await)
    }

    /// Sets or removes the image of a category. A file that is no longer used is deleted after a grace period.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn set_category_image(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category and the image file.")] input: SetCategoryImageInput,
    ) -> Result<Option<Sequential<CategoryPayload<SetImage>>>> {
        edited(command::set_category_image(app(ctx), actor(ctx), input).await)
    }

    /// Moves a category with all its subcategories.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn move_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category, its new parent and its new position.")] input: MoveCategoryInput,
    ) -> Result<Option<Sequential<CategoryPayload<Move>>>> {
        category(command::move_category(app(ctx), actor(ctx), input).await)
    }

    /// Archives a category: it is not offered anymore, neither in lists nor as a filter nor for more courses. Its
    /// courses stay as they are, and are found and bought as before. Plans for the category are archived in the
    /// background; their members keep their access until their periods end. Its subcategories must be archived first.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn archive_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: ArchiveCategoryInput,
    ) -> Result<Option<Sequential<CategoryPayload<Archive>>>> {
        category(command::archive_category(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Brings an archived category back. The plans that were archived with it stay archived.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn unarchive_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: UnarchiveCategoryInput,
    ) -> Result<Option<Sequential<CategoryPayload<Unarchive>>>> {
        category(command::unarchive_category(app(ctx), actor(ctx), client(ctx), input).await)
    }

    /// Deletes a category that has neither subcategories nor courses, including drafts.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn delete_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: DeleteCategoryInput,
    ) -> Result<Option<Sequential<DeleteCategoryPayload>>> {
        let (deleted, user_errors) = payload(command::delete_category(app(ctx), actor(ctx), input).await)?;
        let deleted_category_id = deleted.map(|category| category.id);
        Ok(Some(Sequential(DeleteCategoryPayload { deleted_category_id, user_errors })))
    }
}

fn category<M: Send + Sync>(outcome: Result<Category>) -> Result<Option<Sequential<CategoryPayload<M>>>> {
    edited(outcome.map(Edit::Saved))
}

fn edited<M: Send + Sync>(outcome: Result<Edit<Category>>) -> Result<Option<Sequential<CategoryPayload<M>>>> {
    let (row, user_errors) = edit_payload(outcome)?;
    let category = row.map(|row| Sequential(CategoryObject(Arc::new(row))));
    Ok(Some(Sequential(CategoryPayload { category, user_errors, mutation: PhantomData })))
}
