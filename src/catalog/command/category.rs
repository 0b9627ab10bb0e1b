//! Commands for the category tree.

use serde_json::json;

use super::course::LONGEST_SLUG;
use super::file::show_picture;
use crate::accounts::viewer;
use crate::catalog::event::CategoryArchived;
use crate::catalog::model::{
    ArchiveCategoryInput, Category, CategoryId, CategoryTree, CreateCategoryInput, DeleteCategoryInput,
    MoveCategoryInput, SetCategoryImageInput, UnarchiveCategoryInput, UpdateCategoryInput,
};
use crate::catalog::query::category::{self as query, CategoryChanges};
use crate::catalog::{error, policy};
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::{Error, Result};
use crate::media::{self, FileId};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::{self, Tx};
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// The maximum number of categories; all are loaded at once.
const MOST_CATEGORIES: i32 = 1000;
const LONGEST_NAME: usize = 80;
const LONGEST_DESCRIPTION: usize = 5000;

/// Adds a category.
///
/// # Errors
/// The input is invalid; the slug is taken; there are too many categories; the actor is not an administrator.
pub async fn create_category(app: &App, actor: &Actor, input: CreateCategoryInput) -> Result<Category> {
    permit(actor)?;
    let mut check = Check::new();
    let name = check.required("name", &input.name, LONGEST_NAME);
    let description = check.text("description", &input.description, LONGEST_DESCRIPTION);
    let slug = match &input.slug {
        Some(slug) => check.slug("slug", slug, LONGEST_SLUG),
        None => made_of(&mut check, &name),
    };
    check.finish()?;
    let user = viewer(actor)?.uuid();
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, user, "createCategory", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::lock_one(tx, id).await?.ok_or_else(idempotency::gone),
            };
            let tree = CategoryTree::new(query::lock(tx).await?);
            if tree.len() >= usize::try_from(MOST_CATEGORIES)? {
                return Err(error::too_many("categories", MOST_CATEGORIES, "school"));
            }
            if let Some(parent) = input.parent_id {
                let parent = tree.get(parent).ok_or_else(error::no_such_parent)?;
                if parent.archived_at.is_some() {
                    return Err(error::archived_parent());
                }
            }
            let position = i32::try_from(tree.children(input.parent_id).len())? + 1;
            let place = (input.parent_id, position);
            let id = CategoryId::new(app.clock.uuid());
            claimed.keep(tx, id.uuid()).await?;
            if !query::take_slug(tx, &app.clock, &slug, id).await? {
                return Err(error::category_slug_taken());
            }
            query::insert(tx, &app.clock, id, (&name, &slug, &description), place).await.map_err(taken_slug)
        })
        .await
}

/// Changes the name, the slug or the description of a category.
///
/// # Errors
/// The input is invalid; the slug is taken; the actor is not an administrator.
pub async fn update_category(app: &App, actor: &Actor, input: UpdateCategoryInput) -> Result<Edit<Category>> {
    permit(actor)?;
    let mut check = Check::new();
    let changes = CategoryChanges {
        name: input.name.map(|name| check.required("name", &name, LONGEST_NAME)),
        slug: input.slug.map(|slug| check.slug("slug", &slug, LONGEST_SLUG)),
        description: input.description.map(|text| check.text("description", &text, LONGEST_DESCRIPTION)),
        updated_at: app.clock.now(),
    };
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let category = query::lock_one(tx, input.category_id).await?.ok_or_else(|| error::no_such("category"))?;
            if category.version != input.version {
                return Ok(Edit::Conflict { version: category.version, current: category });
            }
            if let Some(slug) = changes.slug.as_ref().filter(|slug| **slug != category.slug) {
                // The previous version of the program does not reserve the slugs of new categories.
                query::take_slug(tx, &app.clock, &category.slug, category.id).await?;
                if !query::take_slug(tx, &app.clock, slug, category.id).await? {
                    return Err(error::category_slug_taken());
                }
            }
            query::update(tx, category.id, changes.clone()).await.map(Edit::Saved).map_err(taken_slug)
        })
        .await
}

/// Sets or removes the image of a category.
///
/// A file that is no longer referenced is deleted after the grace period.
///
/// # Errors
/// The file does not exist or was not uploaded as an image; the actor is not an administrator.
pub async fn set_category_image(app: &App, actor: &Actor, input: SetCategoryImageInput) -> Result<Edit<Category>> {
    app.db
        .transaction(async |tx| {
            let category = editable_category(tx, actor, input.category_id).await?;
            if category.version != input.version {
                return Ok(Edit::Conflict { version: category.version, current: category });
            }
            if category.image_id == input.file_id {
                return Ok(Edit::Saved(category));
            }
            set_image(tx, app, &category, input.file_id).await.map(Edit::Saved)
        })
        .await
}

/// Like [`set_category_image`], in the transaction of an administrator and whatever the version of the category, which
/// is locked.
pub(super) async fn set_image(
    tx: &mut Tx,
    app: &App,
    category: &Category,
    file_id: Option<FileId>,
) -> Result<Category> {
    show_picture(tx, app, category.id.into(), (category.image_id, file_id), |_| true).await?;
    Ok(query::set_image(tx, category.id, file_id, app.clock.now()).await?)
}

/// Returns a locked category that the actor may change.
pub(super) async fn editable_category(tx: &mut Tx, actor: &Actor, id: CategoryId) -> Result<Category> {
    permit(actor)?;
    query::lock_one(tx, id).await?.ok_or_else(|| error::no_such("category"))
}

/// Moves a category with all its subcategories.
///
/// # Errors
/// The new parent does not exist or is within the category; the position is invalid; the actor is not an administrator.
pub async fn move_category(app: &App, actor: &Actor, input: MoveCategoryInput) -> Result<Category> {
    permit(actor)?;
    if input.position.is_some_and(|position| position < 1) {
        return Err(Error::invalid(UserErrorCode::OutOfRange, &["position"], "Places are counted from 1."));
    }
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let tree = CategoryTree::new(query::lock(tx).await?);
            let moved = tree.get(input.category_id).ok_or_else(|| error::no_such("category"))?;
            if let Some(parent) = input.parent_id {
                let above = tree.get(parent).ok_or_else(error::no_such_parent)?;
                if tree.within(moved.id).contains(&parent) {
                    return Err(error::part_of_itself());
                }
                if above.archived_at.is_some() && moved.archived_at.is_none() {
                    return Err(error::archived_parent());
                }
            }
            let mut siblings = others(&tree, input.parent_id, moved.id);
            let place = input.position.map_or(siblings.len(), |position| usize::try_from(position - 1).unwrap_or(0));
            siblings.insert(place.min(siblings.len()), moved.id);
            query::place(tx, input.parent_id, &siblings, now).await?;
            if moved.parent_id != input.parent_id {
                query::place(tx, moved.parent_id, &others(&tree, moved.parent_id, moved.id), now).await?;
            }
            reread(tx, moved.id).await
        })
        .await
}

/// Archives a category: it is not offered anymore. Its courses stay as they are, and the plans for it are archived in
/// the background. Archiving it again changes nothing.
///
/// # Errors
/// It has subcategories that are not archived; the actor is not an administrator.
pub async fn archive_category(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: ArchiveCategoryInput,
) -> Result<Category> {
    permit(actor)?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let tree = CategoryTree::new(query::lock(tx).await?);
            let category = tree.get(input.category_id).ok_or_else(|| error::no_such("category"))?;
            if category.archived_at.is_some() {
                return Ok(Category::clone(&category));
            }
            if tree.children(Some(category.id)).iter().any(|part| part.archived_at.is_none()) {
                return Err(error::has_parts());
            }
            let archived = query::set_archived(tx, category.id, Some(now), now).await?;
            record(tx, app, (actor, client), (Action::CategoryArchived, &archived)).await?;
            outbox::record(tx, &app.clock, &CategoryArchived { category_id: archived.id }).await?;
            Ok(archived)
        })
        .await
}

/// Brings an archived category back. Plans that were archived with it stay archived. Nothing changes if it is not
/// archived.
///
/// # Errors
/// Its parent is archived; the actor is not an administrator.
pub async fn unarchive_category(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: UnarchiveCategoryInput,
) -> Result<Category> {
    permit(actor)?;
    app.db
        .transaction(async |tx| {
            let tree = CategoryTree::new(query::lock(tx).await?);
            let category = tree.get(input.category_id).ok_or_else(|| error::no_such("category"))?;
            if category.archived_at.is_none() {
                return Ok(Category::clone(&category));
            }
            let parent = category.parent_id.and_then(|id| tree.get(id));
            if parent.is_some_and(|parent| parent.archived_at.is_some()) {
                return Err(error::below_archived());
            }
            let back = query::set_archived(tx, category.id, None, app.clock.now()).await?;
            record(tx, app, (actor, client), (Action::CategoryUnarchived, &back)).await?;
            Ok(back)
        })
        .await
}

/// Records in the audit trail what an administrator has done with a category.
async fn record(
    tx: &mut Tx,
    app: &App,
    (actor, client): (&Actor, &Client),
    (action, category): (Action, &Category),
) -> std::result::Result<(), InternalError> {
    let details = json!({ "categoryId": category.id.encode(), "name": category.name, "slug": category.slug });
    let entry = Entry { action, actor: actor.id(), subject: None, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await
}

/// Deletes a category without subcategories and courses; returns its last state.
///
/// # Errors
/// The category has subcategories or courses; the actor is not an administrator.
pub async fn delete_category(app: &App, actor: &Actor, input: DeleteCategoryInput) -> Result<Category> {
    permit(actor)?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let tree = CategoryTree::new(query::lock(tx).await?);
            let deleted = tree.get(input.category_id).ok_or_else(|| error::no_such("category"))?;
            if !tree.children(Some(deleted.id)).is_empty() {
                return Err(error::category_in_use("parts"));
            }
            if query::has_courses(tx, deleted.id).await? {
                return Err(error::category_in_use("courses"));
            }
            query::delete(tx, deleted.id).await?;
            media::release(tx, app, &[deleted.id.uuid()]).await?;
            query::place(tx, deleted.parent_id, &others(&tree, deleted.parent_id, deleted.id), now).await?;
            Ok(Category::clone(&deleted))
        })
        .await
}

fn permit(actor: &Actor) -> Result<()> {
    if policy::can_sort(actor) { Ok(()) } else { Err(error::only_administrators()) }
}

/// Returns the children of a category in order, except for one.
fn others(tree: &CategoryTree, parent: Option<CategoryId>, without: CategoryId) -> Vec<CategoryId> {
    tree.children(parent).iter().map(|category| category.id).filter(|id| *id != without).collect()
}

async fn reread(tx: &mut Tx, id: CategoryId) -> Result<Category> {
    let tree = CategoryTree::new(query::lock(tx).await?);
    tree.get(id).map(|category| Category::clone(&category)).ok_or_else(|| error::no_such("category"))
}

fn made_of(check: &mut Check, name: &str) -> String {
    let slug = slug::slugify(name);
    if slug.is_empty() && !name.is_empty() {
        check.error(UserErrorCode::Blank, "slug", "No slug can be made of this name; choose one.");
    }
    slug
}

fn taken_slug(failed: diesel::result::Error) -> Error {
    if db::is_taken(&failed, "categories_slug_key") { error::category_slug_taken() } else { failed.into() }
}
