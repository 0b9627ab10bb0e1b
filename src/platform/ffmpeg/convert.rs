//! Conversion of a video to a poster image and to renditions for HLS (RFC 8216).

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::probe::input;
use super::process::Process;
use super::{FORMATS, Ffmpeg, Probe, Verdict};
use crate::platform::internal_error::InternalError;

/// The renditions. Each has the pixels of the shorter side and the maximum bit rate in kilobits per second.
const LADDER: [(i32, u32); 3] = [(360, 800), (720, 2800), (1080, 5000)];
/// The length of a segment in seconds.
const SEGMENT: &str = "6";
/// The number of threads of one conversion.
const THREADS: &str = "2";
const POSTER_PATIENCE: Duration = Duration::from_secs(120);

/// The renditions to create for a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renditions(Vec<Rendition>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rendition {
    width: i32,
    height: i32,
    kilobits: u32,
}

impl Renditions {
    /// Returns the renditions that are not larger than the video; at least one.
    pub fn of(probe: &Probe) -> Renditions {
        let short = probe.width.min(probe.height);
        let fitting = LADDER.into_iter().filter(|(side, _)| *side <= short);
        let mut sides: Vec<(i32, u32)> = fitting.collect();
        if sides.is_empty() {
            sides.push((short, LADDER.first().map_or(800, |(_, kilobits)| *kilobits)));
        }
        // The codec requires even dimensions.
        let even = |length: i32| (length & !1).max(2);
        let scaled = |side: i32, length: i32| {
            even(i32::try_from(i64::from(length) * i64::from(side) / i64::from(short)).unwrap_or(length))
        };
        let rendition = |(side, kilobits)| Rendition {
            width: scaled(side, probe.width),
            height: scaled(side, probe.height),
            kilobits,
        };
        Renditions(sides.into_iter().map(rendition).collect())
    }
}

impl Ffmpeg {
    /// Creates a JPEG poster image of a video.
    ///
    /// # Errors
    /// The program can't be run or times out; the disk is full.
    pub async fn poster(&self, file: &Path, probe: &Probe, to: &Path) -> Result<Verdict<()>, InternalError> {
        // Not the first frame, which is often black.
        let at = (probe.duration.as_secs_f64() / 10.0).min(5.0);
        let mut arguments = opening(file);
        arguments.splice(0..0, ["-ss".into(), format!("{at:.3}").into()]);
        let rest = ["-frames:v", "1", "-vf", "scale='min(1280,iw)':-2", "-q:v", "4", "-f", "mjpeg"];
        arguments.extend(rest.map(OsString::from));
        arguments.push(input(to));
        let ended = self.ffmpeg(arguments).output(POSTER_PATIENCE).await?;
        match ended.misfortune() {
            Some(error) => Err(error),
            None if ended.status.success() && to.is_file() => Ok(Ok(())),
            None => Ok(Err("The video has no picture that can be shown.".into())),
        }
    }

    /// Converts a video for HLS, into the empty `folder`.
    ///
    /// Writes `master.m3u8` and the files that it refers to. Calls `progress` with the completed fraction, from 0 to 1.
    ///
    /// # Errors
    /// The program can't be run or times out; the disk is full.
    pub async fn hls(
        &self,
        file: &Path,
        probe: &Probe,
        folder: &Path,
        mut progress: impl FnMut(f64) + Send,
    ) -> Result<Verdict<()>, InternalError> {
        let Renditions(renditions) = Renditions::of(probe);
        let arguments = hls_arguments(file, probe.sound, &renditions);
        // A slow machine needs a multiple of the video's duration for each rendition.
        let patience = Duration::from_secs(600) + probe.duration * 10 * u32::try_from(renditions.len())?;
        let whole = probe.duration.as_secs_f64();
        let ended = self.ffmpeg(arguments).within(folder).lines(patience, |line| {
            let micros = line.strip_prefix("out_time_us=").and_then(|text| text.trim().parse::<f64>().ok());
            if let Some(micros) = micros {
                progress((micros / 1e6 / whole).clamp(0.0, 1.0));
            }
        });
        let ended = ended.await?;
        match ended.misfortune() {
            Some(error) => Err(error),
            None if ended.status.success() => Ok(Ok(())),
            None => {
                tracing::info!(errors = ended.errors, "a video could not be converted");
                Ok(Err("The video is damaged: it cannot be converted.".into()))
            }
        }
    }

    fn ffmpeg(&self, arguments: Vec<OsString>) -> Process {
        let fixed = ["-nostdin", "-y", "-v", "error", "-threads", THREADS, "-filter_complex_threads", THREADS];
        Process::new(&self.ffmpeg, fixed.map(OsString::from).into_iter().chain(arguments))
    }
}

/// The arguments that open an untrusted file.
fn opening(file: &Path) -> Vec<OsString> {
    let guarded = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i"];
    guarded.into_iter().map(OsString::from).chain([input(file)]).collect()
}

fn hls_arguments(file: &Path, sound: bool, renditions: &[Rendition]) -> Vec<OsString> {
    let mut arguments = opening(file);
    let mut say = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    let (mut filter, mut heads) =
        (format!("[0:v:0]fps='min(60,source_fps)',split={}", renditions.len()), String::new());
    for (number, Rendition { width, height, .. }) in renditions.iter().enumerate() {
        filter += &format!("[in{number}]");
        heads += &format!(";[in{number}]scale={width}:{height},setsar=1[v{number}]");
    }
    say(&["-progress", "pipe:1", "-nostats", "-filter_complex", &(filter + &heads)]);
    let mut streams = Vec::new();
    for (number, rendition) in renditions.iter().enumerate() {
        say(&["-map", &format!("[v{number}]")]);
        if sound {
            say(&["-map", "0:a:0"]);
        }
        let (most, buffer) = (format!("{}k", rendition.kilobits), format!("{}k", 2 * rendition.kilobits));
        say(&[&format!("-maxrate:v:{number}"), &most, &format!("-bufsize:v:{number}"), &buffer]);
        streams.push(if sound { format!("v:{number},a:{number}") } else { format!("v:{number}") });
    }
    say(&["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-threads", THREADS]);
    // All renditions have segment boundaries at the same times, and each segment can be decoded independently.
    say(&["-force_key_frames", &format!("expr:gte(t,n_forced*{SEGMENT})"), "-sc_threshold", "0"]);
    say(&["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-sn", "-dn", "-map_metadata", "-1"]);
    say(&["-f", "hls", "-hls_time", SEGMENT, "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]);
    say(&["-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4"]);
    say(&["-master_pl_name", "master.m3u8", "-var_stream_map", &streams.join(" ")]);
    say(&["-hls_segment_filename", "v%v/%05d.m4s", "v%v/index.m3u8"]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rendition_is_larger_than_the_video() {
        let of = |width, height| {
            let probe = Probe { duration: Duration::from_secs(1), width, height, sound: false };
            let sizes = |rendition: &Rendition| (rendition.width, rendition.height);
            Renditions::of(&probe).0.iter().map(sizes).collect::<Vec<_>>()
        };
        for ((width, height), expected) in [
            ((1920, 1080), vec![(640, 360), (1280, 720), (1920, 1080)]),
            ((1280, 720), vec![(640, 360), (1280, 720)]),
            ((720, 1280), vec![(360, 640), (720, 1280)]),
            ((640, 360), vec![(640, 360)]),
            ((321, 241), vec![(320, 240)]),
            ((2, 2), vec![(2, 2)]),
            ((1, 1), vec![(2, 2)]),
            ((3840, 1600), vec![(864, 360), (1728, 720), (2592, 1080)]),
        ] {
            assert_eq!(of(width, height), expected, "{width} × {height}");
        }
    }
}
