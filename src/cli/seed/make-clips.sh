#!/bin/sh
# Makes the clips of the demo school, with ffmpeg and nothing else: `sh src/cli/seed/make-clips.sh`. The program needs
# none of it: the results are in the repository, and `lyceum seed` stores them as the job for uploaded videos would.
set -e
cd "$(dirname "$0")/clips"

# The arguments of src/platform/ffmpeg/convert.rs, with less quality: everything together has to be small.
# clip NAME SECONDS PICTURE TONE
clip() {
	name=$1 seconds=$2 picture=$3 tone=$4
	mkdir -p "$name" && rm -rf "$name/hls" && mkdir "$name/hls"
	# The bar at the bottom shows how much has been played.
	bar="drawbox=x=0:y=ih-12:w=iw:h=12:color=white@0.25:t=fill,drawbox=x=0:y=ih-12:w=iw*t/$seconds:h=12:color=white@0.8:t=fill"
	ffmpeg -nostdin -v error -y -f lavfi -i "$picture" -f lavfi -i "$tone" -t "$seconds" \
		-vf "$bar,format=yuv420p" -af "tremolo=f=0.2:d=0.6,volume=0.12,afade=in:d=2,afade=out:st=$((seconds - 3)):d=3" \
		-c:v libx264 -preset slow -crf 37 -tune animation -c:a aac -b:a 24k -ac 1 -ar 22050 \
		-map_metadata -1 -movflags +faststart "$name/original.mp4"
	ffmpeg -nostdin -v error -y -ss $((seconds / 10)) -i "$name/original.mp4" -frames:v 1 -q:v 5 "$name/poster.jpg"
	(cd "$name/hls" && ffmpeg -nostdin -v error -y -i ../original.mp4 \
		-filter_complex "[0:v:0]split=2[in0][in1];[in0]scale=640:360,setsar=1[v0];[in1]scale=1280:720,setsar=1[v1]" \
		-map "[v0]" -map 0:a:0 -map "[v1]" -map 0:a:0 \
		-c:v libx264 -preset slow -tune animation -crf 33 -pix_fmt yuv420p \
		-maxrate:v:0 800k -bufsize:v:0 1600k -maxrate:v:1 2800k -bufsize:v:1 5600k \
		-force_key_frames "expr:gte(t,n_forced*6)" -sc_threshold 0 -c:a copy -sn -dn -map_metadata -1 \
		-f hls -hls_time 6 -hls_playlist_type vod -hls_segment_type fmp4 \
		-hls_flags independent_segments -hls_fmp4_init_filename init.mp4 \
		-master_pl_name master.m3u8 -var_stream_map "v:0,a:0 v:1,a:1" \
		-hls_segment_filename "v%v/%05d.m4s" "v%v/index.m3u8")
}

clip dawn 72 "gradients=s=1280x720:r=12:n=4:c0=0x2b1055:c1=0xd76d77:c2=0xffaf7b:c3=0x7597de:speed=0.004:x0=0:y0=0:x1=1280:y1=720" \
	"sine=f=220:r=22050[a];sine=f=330:r=22050[b];[a][b]amix"
clip reef 48 "life=s=32x18:r=2:ratio=0.35:mold=20:seed=7:life_color=0x9be7a8:death_color=0x2a6f97:mold_color=0x0b2545,scale=1280:720:flags=bicubic,gblur=sigma=22,framerate=fps=12" \
	"sine=f=196:r=22050[a];sine=f=294:r=22050[b];[a][b]amix"
clip depth 36 "mandelbrot=s=1280x720:r=12:start_x=-0.743643887:start_y=0.131825904:start_scale=1.6:end_scale=0.02:end_pts=432:maxiter=120:inner=black:outer=normalized_iteration_count,format=gray,gblur=sigma=5,format=yuv444p,pseudocolor=preset=viridis" \
	"sine=f=262:r=22050[a];sine=f=392:r=22050[b];[a][b]amix"
