//! Inspection of a media file.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::process::Process;
use super::{FORMATS, Ffmpeg, Verdict};
use crate::platform::internal_error::InternalError;

/// The timeout: inspecting a file takes seconds, unless it was crafted to be slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest video, in seconds: a day, like the longest lesson.
const LONGEST: f64 = 86_400.0;
/// The largest width and height in pixels: 8K, in either orientation.
const LARGEST: i32 = 8192;

/// The properties of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The duration.
    pub duration: Duration,
    /// The displayed width in pixels.
    pub width: i32,
    /// The displayed height in pixels.
    pub height: i32,
    /// Whether it has an audio track.
    pub sound: bool,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<i32>,
    height: Option<i32>,
    duration: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Deserialize)]
struct Format {
    duration: Option<String>,
}

impl Ffmpeg {
    /// Inspects a file.
    ///
    /// # Errors
    /// The program can't be run or times out.
    pub async fn probe(&self, file: &Path) -> Result<Verdict<Probe>, InternalError> {
        let show = "format=duration:stream=codec_type,codec_name,width,height,duration\
            :stream_disposition=attached_pic:stream_side_data=rotation";
        let fixed = ["-v", "error", "-protocol_whitelist", "file", "-format_whitelist", FORMATS];
        let wanted = ["-show_entries", show, "-of", "json"];
        let mut arguments: Vec<std::ffi::OsString> = fixed.iter().chain(&wanted).map(Into::into).collect();
        arguments.push(input(file));
        let ended = Process::new(&self.ffprobe, arguments).output(PATIENCE).await?;
        if let Some(error) = ended.misfortune() {
            return Err(error);
        }
        if !ended.status.success() {
            return Ok(Err("The file is not a video in a format that is known here.".into()));
        }
        Ok(judge(&ended.output))
    }
}

/// Formats a file as an input argument. `file:` prevents any other interpretation of the name.
pub(super) fn input(file: &Path) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from("file:");
    name.push(file);
    name
}

fn judge(told: &[u8]) -> Verdict<Probe> {
    let told: Told = serde_json::from_slice(told).map_err(|_| "The file cannot be made out.".to_owned())?;
    let is = |stream: &&Stream, kind: &str| {
        stream.codec_type.as_deref() == Some(kind)
            && stream.codec_name.as_deref().is_some_and(|codec| codec != "unknown")
    };
    // Cover art is not a video.
    let video = told.streams.iter().find(|stream| is(stream, "video") && stream.disposition.attached_pic == 0);
    let video = video.ok_or("The file has no pictures that can be shown.")?;
    let (Some(width @ 1..=LARGEST), Some(height @ 1..=LARGEST)) = (video.width, video.height) else {
        return Err(format!("The video's pictures are larger than {LARGEST} pixels, or have no size."));
    };
    let turned = video.side_data_list.iter().filter_map(|data| data.rotation).any(|turn| turn.abs() % 180.0 == 90.0);
    let durations = [told.format.and_then(|format| format.duration), video.duration.clone()];
    let seconds = durations.into_iter().flatten().find_map(|text| text.parse::<f64>().ok());
    match seconds {
        Some(seconds) if seconds > LONGEST => Err("The video is longer than a day.".into()),
        Some(seconds) if seconds >= 0.001 => Ok(Probe {
            duration: Duration::from_secs_f64(seconds),
            width: if turned { height } else { width },
            height: if turned { width } else { height },
            sound: told.streams.iter().any(|stream| is(&stream, "audio")),
        }),
        _ => Err("It cannot be told how long the video is; it may have been cut off.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_judged() {
        let video = r#"{"codec_type":"video","codec_name":"h264","width":640,"height":360"#;
        let case = |streams: &str, format: &str| {
            judge(format!(r#"{{"programs":[],"streams":[{streams}],"format":{format}}}"#).as_bytes())
        };
        let good = case(&format!("{video}}}"), r#"{"duration":"12.5"}"#).unwrap();
        let expected = Probe { duration: Duration::from_millis(12_500), width: 640, height: 360, sound: false };
        assert_eq!(good, expected);
        let sound = r#"{"codec_type":"audio","codec_name":"aac"}"#;
        assert!(case(&format!("{sound},{video}}}"), r#"{"duration":"1"}"#).unwrap().sound);
        let turned = case(&format!(r#"{video},"side_data_list":[{{"rotation":-90}}]}}"#), r#"{"duration":"1"}"#);
        assert_eq!(turned.map(|probe| (probe.width, probe.height)), Ok((360, 640)));
        let webm = case(&format!(r#"{video},"duration":"3"}}"#), r#"{}"#);
        assert_eq!(webm.map(|probe| probe.duration), Ok(Duration::from_secs(3)));
        for (streams, format, why) in [
            (String::new(), r#"{"duration":"1"}"#, "no pictures"),
            (sound.to_owned(), r#"{"duration":"1"}"#, "no pictures"),
            (format!(r#"{video},"disposition":{{"attached_pic":1}}}}"#), r#"{"duration":"1"}"#, "no pictures"),
            (format!("{video}}}"), "{}", "how long"),
            (format!("{video}}}"), r#"{"duration":"nan"}"#, "how long"),
            (format!("{video}}}"), r#"{"duration":"-3"}"#, "how long"),
            (format!("{video}}}"), r#"{"duration":"inf"}"#, "a day"),
            (format!("{video}}}"), r#"{"duration":"86401"}"#, "a day"),
            (video.replace("640", "99999") + "}", r#"{"duration":"1"}"#, "8192"),
            (video.replace("640", "0") + "}", r#"{"duration":"1"}"#, "8192"),
        ] {
            let told = case(&streams, format).unwrap_err();
            assert!(told.contains(why), "{streams} {format}: {told}");
        }
        assert!(judge(b"{").is_err());
    }
}
