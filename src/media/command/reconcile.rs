//! Reconciles the object store with the database, in both directions.
//!
//! An object is retained while a row refers to its folder: the row of a video, of a file, or of an upload in progress.
//! The row is created before the first object, and each object is checked again before it is deleted, so new objects
//! are never taken for orphans.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::media::model::{UploadId, UploadPurpose, owner_of};
use crate::media::query::reconcile::{self as query, Original};
use crate::media::query::upload;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::storage::Listed;

/// The maximum number of findings that a report lists; the others are only counted.
const NAMED: usize = 1000;
/// The minimum age of objects to check, because newer ones may still be in use by a command.
const YOUNGEST: TimeDelta = TimeDelta::hours(1);

/// The result of a reconciliation.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of objects checked.
    pub objects: usize,
    /// The keys of the first 1,000 orphans: objects that no row refers to.
    pub orphans: Vec<String>,
    /// Their total number.
    pub orphan_count: usize,
    /// Their total size in bytes.
    pub orphan_bytes: i64,
    /// Abandoned multipart uploads, as `key id`; `None` if the store cannot list them.
    pub open_parts: Option<Vec<String>>,
    /// The first 1,000 videos and files whose object is missing, with its key.
    pub missing: Vec<(Uuid, String)>,
    /// Their total number.
    pub missing_count: usize,
    /// The number of deleted objects and aborted multipart uploads.
    pub removed: usize,
}

/// Finds orphaned objects, and videos and files whose object is missing.
///
/// Considers only what is older than `age` and than one hour. If `remove`, deletes the orphans; missing objects need
/// manual intervention.
///
/// # Errors
/// The database or the store failed; objects may already have been deleted.
pub async fn reconcile(app: &App, age: TimeDelta, remove: bool) -> Result<Report, InternalError> {
    let mut report = Report::default();
    for prefix in prefixes() {
        let mut after = String::new();
        loop {
            let page = app.storage.list(prefix, &after).await?;
            let Some(last) = page.last() else { break };
            after = last.key.clone();
            objects(app, &page, age, remove, &mut report).await?;
        }
    }
    open_parts(app, age, remove, &mut report).await?;
    missing(app, age, &mut report).await?;
    Ok(report)
}

/// Returns the key prefixes of all media objects.
fn prefixes() -> BTreeSet<&'static str> {
    UploadPurpose::ALL.into_iter().flat_map(|purpose| [purpose.drafts(), purpose.folders()]).collect()
}

/// What the rows of the given ids refer to.
struct Known {
    open: HashSet<UploadId>,
    originals: HashMap<UploadId, String>,
}

impl Known {
    async fn of(app: &App, ids: &[UploadId]) -> Result<Known, InternalError> {
        let (open, originals) = query::known(&mut *app.db.read().await?, ids).await?;
        Ok(Known { open: open.into_iter().collect(), originals: originals.into_iter().collect() })
    }

    /// Returns whether a row refers to the object. Drafts, and copies other than the original, are leftovers of
    /// attempts.
    fn has(&self, id: UploadId, key: &str) -> bool {
        let is_draft = || UploadPurpose::ALL.into_iter().any(|purpose| key.starts_with(purpose.drafts()));
        let own = |original: &String| original == key || !(is_draft() || key.contains("/original-"));
        self.open.contains(&id) || self.originals.get(&id).is_some_and(own)
    }
}

async fn objects(
    app: &App,
    page: &[Listed],
    age: TimeDelta,
    remove: bool,
    report: &mut Report,
) -> Result<(), InternalError> {
    report.objects += page.len();
    let before = app.clock.now() - age.max(YOUNGEST);
    // Objects that do not belong to uploads are ignored.
    let old: HashMap<&str, UploadId> = page
        .iter()
        .filter(|object| object.modified < before)
        .filter_map(|object| Some((object.key.as_str(), owner_of(&object.key)?)))
        .collect();
    let ids: HashSet<UploadId> = old.values().copied().collect();
    let ids: Vec<UploadId> = ids.into_iter().collect();
    let known = Known::of(app, &ids).await?;
    for object in page {
        let Some(id) = old.get(object.key.as_str()).filter(|id| !known.has(**id, &object.key)) else { continue };
        report.orphan_count += 1;
        report.orphan_bytes += object.size;
        if report.orphans.len() < NAMED {
            report.orphans.push(object.key.clone());
        }
        // Ids are never reused, so an unknown id stays unknown. It is checked again because the page may be stale.
        if remove && !Known::of(app, &[*id]).await?.has(*id, &object.key) {
            app.storage.delete(&object.key).await?;
            report.removed += 1;
        }
    }
    Ok(())
}

async fn open_parts(app: &App, age: TimeDelta, remove: bool, report: &mut Report) -> Result<(), InternalError> {
    let before = app.clock.now() - age.max(YOUNGEST);
    let mut found = Vec::new();
    for folders in UploadPurpose::ALL.map(UploadPurpose::folders).into_iter().collect::<BTreeSet<_>>() {
        let Some(open) = app.storage.open_parts(folders).await? else { return Ok(()) };
        for parts in open.into_iter().filter(|parts| parts.begun < before) {
            let Some(id) = owner_of(&parts.key) else { continue };
            // The resulting video or file does not need leftover parts.
            let upload = upload::find(&mut *app.db.read().await?, id).await?;
            if upload.is_some_and(|upload| upload.ended_at.is_none()) {
                continue;
            }
            if remove {
                app.storage.abort_parts(&parts.key, &parts.id).await?;
                report.removed += 1;
            }
            found.push(format!("{} {}", parts.key, parts.id));
        }
    }
    report.open_parts = Some(found);
    Ok(())
}

async fn missing(app: &App, age: TimeDelta, report: &mut Report) -> Result<(), InternalError> {
    let before = app.clock.now() - age.max(YOUNGEST);
    let mut after = UploadId::new(Uuid::nil());
    loop {
        let page = query::originals(&mut *app.db.read().await?, before, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for Original { id, object_key } in page {
            if app.storage.head(&object_key).await?.is_some() {
                continue;
            }
            // The row was deleted in the meantime, too.
            if !Known::of(app, &[id]).await?.has(id, &object_key) {
                continue;
            }
            report.missing_count += 1;
            if report.missing.len() < NAMED {
                report.missing.push((id.uuid(), object_key));
            }
        }
    }
}

/// Logs the findings of a reconciliation, once a week; deletes nothing.
///
/// # Errors
/// As for [`reconcile`].
pub(crate) async fn report_orphans(app: &App) -> Result<(), InternalError> {
    let Report { objects, orphan_count, orphan_bytes, missing_count, open_parts, .. } =
        reconcile(app, TimeDelta::days(1), false).await?;
    let open_parts = open_parts.map(|open| open.len());
    if orphan_count + missing_count + open_parts.unwrap_or_default() == 0 {
        tracing::debug!(objects, "the object store and the database agree");
    } else {
        tracing::warn!(
            objects,
            orphan_count,
            orphan_bytes,
            ?open_parts,
            missing_count,
            "the object store and the database disagree; see `lyceum reconcile`"
        );
    }
    Ok(())
}
