DROP TABLE post_reports;
DROP TABLE question_follows;
DROP TABLE post_votes;
DROP TABLE post_edits;
DROP TABLE post_texts;
DROP TABLE questions;
DROP TABLE post_stats;
DROP TABLE posts;
