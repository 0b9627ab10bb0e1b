//! Playback. A player gets URLs that are valid for as long as the video lasts and some time longer, but no longer than
//! the viewer's access: of the original, the poster and the captions in the object store, and of a playlist that this
//! program serves. The playlist's URL contains an encrypted [`Pass`]; each request for a playlist checks access again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};

use crate::accounts::{self, UserId};
use crate::catalog::{self, Showing, ShownAs};
use crate::enrollments::model::{KeepPlayingInput, Pass, Playback};
use crate::enrollments::{error, query};
use crate::entitlements::Access;
use crate::graphql::loaders::Load;
use crate::graphql::{Error, Result};
use crate::media::{self, Caption, CaptionsOf, Video, VideoById, VideoId, VideoStatus};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// What the encryption is bound to: nothing else that is encrypted here is a pass.
const PASS: &[u8] = b"enrollments/pass";
/// How long a player counts that has not been heard of.
const SILENCE: TimeDelta = TimeDelta::minutes(2);

/// Where to play what is shown from; `None` if its video can't be played.
///
/// # Errors
/// The actor may not watch it, or plays in too many places.
pub(crate) async fn play(app: &App, actor: &Actor, showing: &Showing, video: &Video) -> Result<Option<Playback>> {
    let access = catalog::access_to(app, actor, showing).await?;
    play_with(app, actor, access, showing, video).await
}

/// The same for somebody whose access is known.
async fn play_with(
    app: &App,
    actor: &Actor,
    access: Access,
    showing: &Showing,
    video: &Video,
) -> Result<Option<Playback>> {
    access.require()?;
    if video.status == VideoStatus::Failed {
        return Ok(None);
    }
    // An API token is nobody in particular here: it has no session that could end.
    let viewer = actor.id().map(|id| (id, actor.in_session().session()));
    enter(app, viewer).await?;
    // Only as long as nobody has looked at the video its author's word counts.
    let declared = || TimeDelta::seconds(showing.declared_seconds().into());
    let length = video.duration_ms.map_or_else(declared, TimeDelta::milliseconds);
    let expires_at = app.clock.now() + app.config.video.playback + length;
    let expires_at = access.expires_at.map_or(expires_at, |end| expires_at.min(end));
    // A pass has whole seconds: what is signed here must not end before it.
    let expires_at = DateTime::from_timestamp(expires_at.timestamp(), 0).unwrap_or(expires_at);
    let pass = Pass { video: video.id, shown_as: showing.shown_as(), viewer, until: expires_at.timestamp() };
    let sign = async |key: &str| media::sign(app, key, expires_at).await;
    let mut captions = Vec::new();
    for caption in captions_of(app, video.id).await? {
        captions.push((caption.language, caption.label, sign(&caption.object_key).await?));
    }
    Ok(Some(Playback {
        url: sign(&video.object_key).await?,
        hls_url: match video.playlist_key {
            Some(_) => Some(format!("{}/media/hls/{}/master.m3u8", app.config.public_url, write(app, &pass)?)),
            None => None,
        },
        poster_url: match &video.poster_key {
            Some(key) => Some(sign(key).await?),
            None => None,
        },
        captions,
        expires_at,
    }))
}

async fn captions_of(app: &App, video: VideoId) -> std::result::Result<Vec<Caption>, InternalError> {
    Ok(CaptionsOf::load(app, &[CaptionsOf(video)]).await?.remove(&CaptionsOf(video)).unwrap_or_default())
}

fn write(app: &App, pass: &Pass) -> std::result::Result<String, InternalError> {
    Ok(URL_SAFE_NO_PAD.encode(app.seal.close(&serde_json::to_vec(pass)?, PASS)?))
}

fn read(app: &App, token: &str) -> Option<Pass> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&app.seal.open(&sealed, PASS).ok()?).ok()
}

/// Takes a player's place for the viewer's session, or keeps it. When all are taken, the one who comes last waits.
async fn enter(app: &App, viewer: Option<(uuid::Uuid, Option<uuid::Uuid>)>) -> Result<()> {
    let most = app.config.video.max_players;
    let Some((user, session)) = viewer.filter(|_| most > 0) else { return Ok(()) };
    // API tokens have no session: all of a user's share one place.
    let (session, user, now) = (session.unwrap_or(user), UserId::new(user), app.clock.now());
    app.db
        .transaction(async |tx| {
            query::lock_viewer(tx, user).await?;
            // Who signs out leaves their place.
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

/// Fresh addresses for a player that goes on, which also keeps its place.
///
/// # Errors
/// As for [`play`]; there is nothing to play.
pub(crate) async fn keep_playing(app: &App, actor: &Actor, input: KeepPlayingInput) -> Result<Playback> {
    let (shown_as, field) = match (input.lesson_id, input.course_id) {
        (Some(lesson), None) => (ShownAs::Lesson(lesson), "lessonId"),
        (None, Some(course)) => (ShownAs::Demo(course), "courseId"),
        _ => return Err(error::one_of_two()),
    };
    let gone = || error::nothing_to_play(field);
    let showing = catalog::showing(app, shown_as).await?.ok_or_else(gone)?;
    // What the actor may not know of is not there.
    let access = catalog::access_to(app, actor, &showing).await?;
    if access.is_hidden() {
        return Err(gone());
    }
    let id = showing.video_id().ok_or_else(gone)?;
    let video = VideoById::load(app, &[VideoById(id)]).await?.remove(&VideoById(id)).ok_or_else(gone)?;
    play_with(app, actor, access, &showing, &video).await?.ok_or_else(gone)
}

/// Forgets players that have not been heard of for long.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_players(app: &App) -> std::result::Result<(), InternalError> {
    let before = app.clock.now() - SILENCE;
    app.db.transaction(async |tx| Ok::<_, InternalError>(query::forget(tx, before).await.map(drop)?)).await
}

/// Why a playlist is not given out.
#[derive(Debug)]
pub enum Rejection {
    /// The address is not one from here, or its time is over.
    Expired,
    /// It was made for somebody else, or for somebody who may no longer watch.
    Forbidden,
    /// As many players as are allowed play elsewhere.
    TooManyPlayers(String),
    /// There is no such playlist (any more).
    NotFound,
    /// Our fault.
    Failed(InternalError),
}

impl<F: Into<InternalError>> From<F> for Rejection {
    fn from(error: F) -> Rejection {
        Rejection::Failed(error.into())
    }
}

/// A playlist of the video that `token` is for: `master.m3u8`, or `v0/index.m3u8` with the addresses of its segments.
/// `sender` is who sends the request, as far as it says so.
///
/// # Errors
/// The pass is not good, or does not open this any more.
pub async fn playlist(app: &App, token: &str, path: &str, sender: &Actor) -> std::result::Result<String, Rejection> {
    let now = app.clock.now();
    let pass = read(app, token).filter(|pass| pass.until > now.timestamp()).ok_or(Rejection::Expired)?;
    let stranger = sender.id().is_some_and(|id| pass.viewer.is_none_or(|(viewer, _)| viewer != id));
    // What everybody may watch, everybody may watch with anybody's address.
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
    if !catalog::access_to(app, &actor, &showing).await?.granted {
        return Err(Rejection::Forbidden);
    }
    match enter(app, pass.viewer).await {
        Ok(()) => {}
        Err(Error::TooMuch(_, message)) => return Err(Rejection::TooManyPlayers(message)),
        Err(Error::Internal(error)) => return Err(Rejection::Failed(error)),
        Err(_) => return Err(Rejection::Forbidden),
    }
    let until = DateTime::from_timestamp(pass.until, 0).unwrap_or(now);
    media::playlist(app, pass.video, path, until).await?.ok_or(Rejection::NotFound)
}
