DROP TABLE players;
DROP TABLE video_captions;
