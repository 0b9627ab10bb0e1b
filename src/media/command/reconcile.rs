//! Comparing the store with the database, both ways.
//!
//! An object is safe while a row refers to its folder: the one of its video or file, or of an upload that one may come
//! of. As such a row is there before its first object is, and an object is looked at again before it goes, what comes
//! to be in between is never taken for an orphan.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::media::model::{UploadId, UploadPurpose, owner_of};
use crate::media::query::reconcile::{self as query, Original};
use crate::media::query::upload;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::storage::Listed;

/// Findings that a report names one by one; the rest is counted.
const NAMED: usize = 1000;
/// No younger object is looked at, whatever is asked for: somebody may be at work on it.
const YOUNGEST: TimeDelta = TimeDelta::hours(1);

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many objects were looked at.
    pub objects: usize,
    /// The keys of objects that nothing refers to, the first 1,000 of them.
    pub orphans: Vec<String>,
    /// How many there are.
    pub orphan_count: usize,
    /// Their bytes.
    pub orphan_bytes: i64,
    /// Uploads in parts that nobody will end, as `key id`; `None` if the store can't tell.
    pub open_parts: Option<Vec<String>>,
    /// Videos and files whose object is not there, with its key, the first 1,000 of them.
    pub missing: Vec<(Uuid, String)>,
    /// How many there are.
    pub missing_count: usize,
    /// How many objects and uploads in parts were removed.
    pub removed: usize,
}

/// Finds objects of ours that no row refers to, and videos and files whose object is not there; of what is older than
/// `age`, and no younger than an hour. Removes the former if `remove`; of the latter a person has to make something.
///
/// # Errors
/// The database or the store failed; what was removed until then stays removed.
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

/// Below what our objects are.
fn prefixes() -> BTreeSet<&'static str> {
    UploadPurpose::ALL.into_iter().flat_map(|purpose| [purpose.drafts(), purpose.folders()]).collect()
}

/// What rows refer to.
struct Known {
    open: HashSet<UploadId>,
    originals: HashMap<UploadId, String>,
}

impl Known {
    async fn of(app: &App, ids: &[UploadId]) -> Result<Known, InternalError> {
        let (open, originals) = query::known(&mut *app.db.read().await?, ids).await?;
        Ok(Known { open: open.into_iter().collect(), originals: originals.into_iter().collect() })
    }

    /// Everything of a video or file is its own, but for copies that an attempt to complete it has left behind.
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
    // Keys that are not ours are nobody's business here.
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
        // Ids are never given out twice, so that one that is known to nobody now stays so; asked once more all the same,
        // because the page may be old by now.
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
            // The row of what came of it does not need parts that were left over.
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
            // Deleted in the meantime, row and all.
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

/// Looks once a week and tells the log; removes nothing.
///
/// # Errors
/// As for [`reconcile`].
pub(crate) async fn report_orphans(app: &App) -> Result<(), InternalError> {
    let Report { objects, orphan_count, orphan_bytes, missing_count, open_parts, .. } =
        reconcile(app, TimeDelta::days(1), false).await?;
    let open_parts = open_parts.map(|open| open.len());
    if orphan_count + missing_count + open_parts.unwrap_or_default() == 0 {
        tracing::info!(objects, "the object store and the database agree");
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
