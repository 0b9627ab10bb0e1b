//! The category tree, and the inputs that change it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::InputObject;
use uuid::Uuid;

use super::{Category, CategoryId};
use crate::graphql::Idempotency;
use crate::media::FileId;

/// The input of `createCategory`. The new category is the last child of its parent.
#[derive(Clone, Debug, InputObject)]
pub struct CreateCategoryInput {
    /// The name, 1 to 80 characters.
    pub name: String,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters. Defaults to one made from
    /// the name.
    pub slug: Option<String>,
    /// The parent. If null or omitted, the category is a root category.
    pub parent_id: Option<CategoryId>,
    /// The description in Markdown, at most 5,000 characters.
    #[graphql(default)]
    pub description: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `updateCategory`. Omitted fields stay unchanged.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateCategoryInput {
    /// The category.
    pub category_id: CategoryId,
    /// The version that the changes are based on. If it is stale, nothing is changed and the error is CONFLICT.
    pub version: i32,
    /// The name, 1 to 80 characters.
    pub name: Option<String>,
    /// The URL slug: lower-case letters, digits and single hyphens, at most 80 characters.
    pub slug: Option<String>,
    /// The description in Markdown, at most 5,000 characters.
    pub description: Option<String>,
}

/// The input of `setCategoryImage`.
#[derive(Clone, Debug, InputObject)]
pub struct SetCategoryImageInput {
    /// The category.
    pub category_id: CategoryId,
    /// The version of the category that the change is based on. If it is stale, nothing is changed and the error is
    /// CONFLICT.
    pub version: i32,
    /// An upload with the purpose IMAGE, of any user. If null or omitted, the category has no image.
    pub file_id: Option<FileId>,
}

/// The input of `moveCategory`.
#[derive(Clone, Debug, InputObject)]
pub struct MoveCategoryInput {
    /// The category to move.
    pub category_id: CategoryId,
    /// The new parent. If null or omitted, the category becomes a root category.
    pub parent_id: Option<CategoryId>,
    /// The position among its new siblings, from 1. Defaults to the last.
    pub position: Option<i32>,
}

/// The input of `deleteCategory`.
#[derive(Clone, Debug, InputObject)]
pub struct DeleteCategoryInput {
    /// The category to delete.
    pub category_id: CategoryId,
}

/// The input of `archiveCategory`.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveCategoryInput {
    /// The category to archive.
    pub category_id: CategoryId,
}

/// The input of `unarchiveCategory`.
#[derive(Clone, Debug, InputObject)]
pub struct UnarchiveCategoryInput {
    /// The category to bring back.
    pub category_id: CategoryId,
}

/// All categories as a tree.
///
/// They are loaded at once, because they are few and a page that shows one also shows its relatives.
#[derive(Debug, Default)]
pub struct CategoryTree {
    by_id: HashMap<CategoryId, Arc<Category>>,
    /// By current and earlier slugs.
    by_slug: HashMap<String, CategoryId>,
    /// In the order of their positions.
    children: HashMap<Option<CategoryId>, Vec<Arc<Category>>>,
}

impl CategoryTree {
    pub(crate) fn new(mut rows: Vec<Category>) -> CategoryTree {
        rows.sort_by_key(|category| category.position);
        let mut tree = CategoryTree::default();
        for row in rows {
            let row = Arc::new(row);
            tree.by_id.insert(row.id, row.clone());
            tree.by_slug.insert(row.slug.clone(), row.id);
            tree.children.entry(row.parent_id).or_default().push(row);
        }
        tree
    }

    /// Creates a tree in which categories are also found by their earlier slugs.
    pub(crate) fn with_slugs(rows: Vec<(Category, Vec<String>)>) -> CategoryTree {
        let (rows, slugs): (Vec<Category>, Vec<Vec<String>>) = rows.into_iter().unzip();
        let slugs: Vec<(String, CategoryId)> =
            rows.iter().zip(slugs).flat_map(|(row, slugs)| slugs.into_iter().map(|slug| (slug, row.id))).collect();
        let mut tree = CategoryTree::new(rows);
        for (slug, id) in slugs {
            // The current slug of another category, made by the previous version of the program, takes precedence.
            tree.by_slug.entry(slug).or_insert(id);
        }
        tree
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns the category with this id.
    pub fn get(&self, id: CategoryId) -> Option<Arc<Category>> {
        self.by_id.get(&id).cloned()
    }

    /// Returns the category that has or had this slug.
    pub fn by_slug(&self, slug: &str) -> Option<Arc<Category>> {
        self.get(*self.by_slug.get(slug)?)
    }

    /// Returns all categories, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Category>> {
        self.by_id.values()
    }

    /// Returns the children of a category, or the root categories, in order.
    pub fn children(&self, parent: Option<CategoryId>) -> &[Arc<Category>] {
        self.children.get(&parent).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the ids of a category and its ancestors, from the category up to the root.
    pub fn path(&self, id: Option<CategoryId>) -> Vec<Uuid> {
        let parent = |category: &Arc<Category>| self.by_id.get(&category.parent_id?).cloned();
        // Moves keep the tree free of cycles; the limit is only a safeguard.
        let above = std::iter::successors(id.and_then(|id| self.get(id)), parent).take(self.len());
        above.map(|category| category.id.uuid()).collect()
    }

    /// Returns the category and all its descendants.
    pub fn within(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            found.extend(self.children(Some(parent)).iter().map(|child| child.id));
            next += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(id: u128, parent: Option<u128>, position: i32) -> Category {
        let id_of = |id| CategoryId::new(Uuid::from_u128(id));
        Category {
            id: id_of(id),
            parent_id: parent.map(id_of),
            slug: format!("c{id}"),
            name: "x".into(),
            position,
            version: 1,
            image_id: None,
            updated_at: chrono::DateTime::UNIX_EPOCH,
            archived_at: None,
        }
    }

    #[test]
    fn a_tree_knows_who_is_part_of_what() {
        let rows = vec![category(1, None, 2), category(2, None, 1), category(3, Some(1), 1), category(4, Some(3), 1)];
        let tree = CategoryTree::new(rows);
        let ids = |ids: Vec<CategoryId>| ids.into_iter().map(|id| id.uuid().as_u128()).collect::<Vec<_>>();
        let roots = tree.children(None).iter().map(|category| category.id).collect();
        assert_eq!(ids(roots), [2, 1]);
        assert_eq!(ids(tree.within(CategoryId::new(Uuid::from_u128(1)))), [1, 3, 4]);
        assert_eq!(ids(tree.within(CategoryId::new(Uuid::from_u128(4)))), [4]);
        let path = |id: u128| tree.path(Some(CategoryId::new(Uuid::from_u128(id))));
        assert_eq!(path(4), [4, 3, 1].map(Uuid::from_u128));
        assert_eq!((path(9), tree.path(None)), (vec![], vec![]));
        assert_eq!(tree.by_slug("c3").unwrap().position, 1);
        assert!(tree.by_slug("c9").is_none());
    }
}
