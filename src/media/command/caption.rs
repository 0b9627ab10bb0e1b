//! Commands for captions.

use bytes::Bytes;

use super::{Leftovers, manageable, remove_once};
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::media::error;
use crate::media::model::{Caption, RemoveVideoCaptionsInput, SetVideoCaptionsInput, Video, VideoId, check_webvtt};
use crate::media::query::caption as query;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::language;

/// The maximum size of the captions in one language, in bytes.
const LARGEST: usize = 1_000_000;
const MOST_LANGUAGES: usize = 50;

/// Sets the captions of a video in a language, replacing existing ones.
///
/// # Errors
/// The input is invalid (errors in the text include the line number); the video does not exist.
pub async fn set_captions(app: &App, actor: &Actor, input: SetVideoCaptionsInput) -> Result<Video> {
    let video_id = input.video_id;
    let mut caption = check(input.video_id, &input)?;
    // Authorization comes before anything is stored.
    app.db.transaction(async |tx| manageable(tx, actor, video_id).await).await?;
    // Each version has a new key, because players may cache the old one. If the transaction fails, the object is
    // deleted together with the video.
    caption.object_key =
        format!("{}captions/{}-{}.vtt", Video::folder(video_id), caption.language, app.clock.uuid().simple());
    app.storage.put(&caption.object_key, "text/vtt; charset=utf-8", Bytes::from(input.text)).await?;
    app.db
        .transaction(async |tx| {
            let video = manageable(tx, actor, video_id).await?;
            let languages = query::languages(tx, video_id).await?;
            if languages.len() >= MOST_LANGUAGES && !languages.contains(&caption.language) {
                return Err(error::too_many_captions(MOST_LANGUAGES));
            }
            if let Some(old) = query::replace(tx, &caption, app.clock.now()).await? {
                delete_later(tx, app, old).await?;
            }
            Ok(video)
        })
        .await
}

fn check(video_id: VideoId, input: &SetVideoCaptionsInput) -> Result<Caption> {
    let mut check = Check::new();
    let language = language::tag(input.language.trim());
    if language.is_none() {
        check.malformed("language", &input.language, "is not a language tag; write it like en, de-CH or pt-BR");
    }
    let language = language.unwrap_or_default();
    let label = check.line("label", input.label.as_deref().unwrap_or(&language), 60);
    if input.text.len() > LARGEST {
        let message = format!("The captions have {} bytes; at most {LARGEST} are allowed.", input.text.len());
        check.error(UserErrorCode::TooLong, "text", message);
    } else if let Err(wrong) = check_webvtt(&input.text) {
        check.error(UserErrorCode::Invalid, "text", wrong);
    }
    check.finish()?;
    let label = if label.is_empty() { language.clone() } else { label };
    Ok(Caption { video_id, language, label, object_key: String::new() })
}

/// Removes the captions of a video in a language.
///
/// # Errors
/// The video has no captions in the language; the video does not exist.
pub async fn remove_captions(app: &App, actor: &Actor, input: RemoveVideoCaptionsInput) -> Result<Video> {
    let language = language::tag(input.language.trim()).ok_or_else(error::no_such_captions)?;
    app.db
        .transaction(async |tx| {
            let video = manageable(tx, actor, input.video_id).await?;
            let old = query::delete(tx, video.id, &language).await?.ok_or_else(error::no_such_captions)?;
            delete_later(tx, app, old).await?;
            Ok(video)
        })
        .await
}

async fn delete_later(tx: &mut Tx, app: &App, key: String) -> std::result::Result<(), InternalError> {
    remove_once(tx, app, &key.clone(), &Leftovers { keys: vec![key], parts: None }).await
}
