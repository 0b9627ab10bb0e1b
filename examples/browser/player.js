import Hls from 'hls.js';

/** Gives a video element its address. Without ffmpeg on the server there is no HLS, and the original plays. */
export function attach(video, { hlsUrl, url }) {
  // Safari plays HLS by itself.
  if (!hlsUrl || !Hls.isSupported()) {
    video.src = hlsUrl ?? url;
    return;
  }
  const hls = new Hls();
  hls.loadSource(hlsUrl);
  hls.attachMedia(video);
}
