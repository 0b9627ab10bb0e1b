//! Commands for playback.
//!
//! Players get URLs that are valid for the duration of the video plus some time, but no longer than the viewer's
//! access. The segments, the poster image and the captions are served by the object store, the playlists and the keys of
//! the segments by this program. The URLs of these contain an encrypted [`Pass`]; each request checks access again, so
//! that a viewer who loses it sees two more minutes at most. The original is served only while there is nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};

use super::progress::save;
use crate::accounts::{self, UserId};
use crate::catalog::{self, Showing, ShownAs};
use crate::enrollments::error;
use crate::enrollments::model::{KeepPlayingInput, Pass, Playback};
use crate::enrollments::query::player as query;
use crate::entitlements::Access;
use crate::graphql::error::UserErrorCode;
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result, UserError};
use crate::media::{self, CaptionsOf, Video, VideoById, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// The associated data of the encryption: no other encrypted value is accepted as a pass.
const PASS: &[u8] = b"enrollments/pass";
/// How long an inactive player keeps its slot.
pub(crate) const SILENCE: TimeDelta = TimeDelta::minutes(2);

/// Returns the URLs to play a video from; `None` if it cannot be played.
///
/// # Errors
/// The actor has no access, or is playing in too many places.
pub async fn play(loaders: &Loaders, actor: &Actor, showing: &Showing, video: &Video) -> Result<Option<Playback>> {
    let access = catalog::access_to(loaders, actor, showing).await?;
    play_with(loaders, actor, access, showing, video).await
}

/// Like [`play`], for an actor whose access is known.
async fn play_with(
    loaders: &Loaders,
    actor: &Actor,
    access: Access,
    showing: &Showing,
    video: &Video,
) -> Result<Option<Playback>> {
    access.require()?;
    let app = loaders.app();
    if video.status == VideoStatus::Failed {
        return Ok(None);
    }
    // An API token has no session that could end.
    let viewer = actor.id().map(|id| (id, actor.in_session().session()));
    enter(app, viewer).await?;
    // The duration declared by the author counts only until the video is processed.
    let declared = || TimeDelta::seconds(showing.declared_seconds().into());
    let length = video.duration_ms.map_or_else(declared, TimeDelta::milliseconds);
    let expires_at = app.clock.now() + app.config.video.playback + length;
    let expires_at = access.expires_at.map_or(expires_at, |end| expires_at.min(end));
    // A pass has whole seconds: the signed URLs must not expire before it.
    let expires_at = DateTime::from_timestamp(expires_at.timestamp(), 0).unwrap_or(expires_at);
    let pass = Pass { video: video.id, shown_as: showing.shown_as(), viewer, until: expires_at.timestamp() };
    let sign = async |key: &str| media::sign(app, key, expires_at).await;
    let mut captions = Vec::new();
    for caption in loaders.load(CaptionsOf(video.id)).await?.unwrap_or_default() {
        captions.push((caption.language, caption.label, sign(&caption.object_key).await?));
    }
    Ok(Some(Playback {
        url: match video.playlist_key {
            Some(_) if !app.config.video.serve_originals => None,
            _ => Some(sign(&video.object_key).await?),
        },
        hls_url: match video.playlist_key {
            Some(_) => Some(format!("{}/media/hls/{}/master.m3u8", app.config.public_url, write(app, &pass)?)),
            None => None,
        },
        captions,
        expires_at,
    }))
}

fn write(app: &App, pass: &Pass) -> std::result::Result<String, InternalError> {
    Ok(URL_SAFE_NO_PAD.encode(app.seal.close(&serde_json::to_vec(pass)?, PASS)?))
}

fn read(app: &App, token: &str) -> Option<Pass> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&app.seal.open(&sealed, PASS).ok()?).ok()
}

/// Acquires or renews a player slot for the viewer's session. Returns an error if all slots are in use.
async fn enter(app: &App, viewer: Option<(uuid::Uuid, Option<uuid::Uuid>)>) -> Result<()> {
    let most = app.config.video.max_players;
    let Some((user, session)) = viewer.filter(|_| most > 0) else { return Ok(()) };
    // API tokens have no session: all tokens of a user share one slot.
    let (session, user, now) = (session.unwrap_or(user), UserId::new(user), app.clock.now());
    app.db
        .transaction(async |tx| {
            query::lock_viewer(tx, user).await?;
            // Signing out frees the slot.
            let mut places = accounts::open_sessions(tx, user, now).await?;
            places.push(user.uuid());
            places.retain(|place| *place != session);
            let others = query::playing(tx, &places, now - SILENCE).await?;
            if usize::try_from(others)? >= most {
                return Err(error::too_many_players(most));
            }
            query::seen(tx, user, session, now).await?;
            Ok(())
        })
        .await
}

/// Renews the slot of a player and returns new URLs; saves the progress that the player reports.
///
/// Also returns the errors of the report, which concern the progress only.
///
/// # Errors
/// As for [`play`]; the input is invalid; there is nothing to play.
pub async fn keep_playing(
    loaders: &Loaders,
    actor: &Actor,
    input: KeepPlayingInput,
) -> Result<(Playback, Vec<UserError>)> {
    let (shown_as, path, report): (_, &[&str], _) = match input {
        KeepPlayingInput::LessonId(lesson) => (ShownAs::Lesson(lesson), &["lessonId"], None),
        KeepPlayingInput::CourseId(course) => (ShownAs::Demo(course), &["courseId"], None),
        KeepPlayingInput::Progress(report) => {
            (ShownAs::Lesson(report.lesson_id), &["progress", "lessonId"], Some(report))
        }
    };
    let gone = || error::nothing_to_play(path);
    let showing = catalog::showing(loaders.app(), shown_as).await?.ok_or_else(gone)?;
    // What is not visible to the actor is reported as not found.
    let access = catalog::access_to(loaders, actor, &showing).await?;
    if access.is_hidden() {
        return Err(gone());
    }
    let id = showing.video_id().ok_or_else(gone)?;
    let video = loaders.load(VideoById(id)).await?.ok_or_else(gone)?;
    let playback = play_with(loaders, actor, access, &showing, &video).await?.ok_or_else(gone)?;
    let report = report.map(|report| (vec!["progress".to_owned()], report));
    let mut errors = match report.filter(|_| actor.id().is_some()) {
        Some(report) => save(loaders, actor, vec![report]).await?.errors,
        None => Vec::new(),
    };
    // Staff and viewers of a preview have no progress.
    errors.retain(|error| error.code != UserErrorCode::NotAllowed);
    Ok((playback, errors))
}

/// The reason why a request for a playlist is rejected.
#[derive(Debug)]
pub enum Rejection {
    /// The URL is invalid or has expired.
    Expired,
    /// The URL belongs to another user, or its user no longer has access.
    Forbidden,
    /// The account is playing in the maximum number of other places.
    TooManyPlayers(String),
    /// The playlist does not exist (anymore).
    NotFound,
    /// An internal error.
    Failed(InternalError),
}

impl<F: Into<InternalError>> From<F> for Rejection {
    fn from(error: F) -> Rejection {
        Rejection::Failed(error.into())
    }
}

/// What a player gets for an address that contains a pass.
pub enum Piece {
    /// A playlist.
    Playlist(String),
    /// The key of two minutes of segments.
    Key([u8; 16]),
}

/// Returns a playlist, or a key of the segments, of the video that `token` is for.
///
/// `path` is `master.m3u8`; or `v0/index.m3u8`, whose segments get signed URLs; or `v0/3.key`. `sender` is the
/// authenticated sender of the request, or anonymous.
///
/// # Errors
/// The pass is invalid or has expired, or no longer grants access to the video.
pub async fn piece(
    loaders: &Loaders,
    token: &str,
    path: &str,
    sender: &Actor,
) -> std::result::Result<Piece, Rejection> {
    let app = loaders.app();
    let pass = check(loaders, token, sender).await?;
    if let Some(key) = media::segment_key_at(app, pass.video, path).await? {
        return Ok(Piece::Key(key));
    }
    let until = DateTime::from_timestamp(pass.until, 0).unwrap_or_else(|| app.clock.now());
    media::playlist(app, pass.video, path, until).await?.map(Piece::Playlist).ok_or(Rejection::NotFound)
}

/// Returns the pass if it still grants access: to its video, to the user and the session that it was issued to.
async fn check(loaders: &Loaders, token: &str, sender: &Actor) -> std::result::Result<Pass, Rejection> {
    let app = loaders.app();
    let pass = read(app, token).filter(|pass| pass.until > app.clock.now().timestamp()).ok_or(Rejection::Expired)?;
    let stranger = sender.id().is_some_and(|id| pass.viewer.is_none_or(|(viewer, _)| viewer != id));
    // A pass of an anonymous user may be used by anyone.
    if stranger && pass.viewer.is_some() {
        return Err(Rejection::Forbidden);
    }
    let actor = match pass.viewer {
        None => Actor::Anonymous,
        Some((user, session)) => {
            accounts::actor_now(app, UserId::new(user), session).await?.ok_or(Rejection::Forbidden)?
        }
    };
    let showing = catalog::showing(app, pass.shown_as).await?.ok_or(Rejection::NotFound)?;
    if showing.video_id() != Some(pass.video) {
        return Err(Rejection::NotFound);
    }
    if !catalog::access_to(loaders, &actor, &showing).await?.granted {
        return Err(Rejection::Forbidden);
    }
    match enter(app, pass.viewer).await {
        Ok(()) => {}
        Err(Error::TooMuch(_, message)) => return Err(Rejection::TooManyPlayers(message)),
        Err(Error::Internal(error)) => return Err(Rejection::Failed(error)),
        Err(_) => return Err(Rejection::Forbidden),
    }
    Ok(pass)
}
