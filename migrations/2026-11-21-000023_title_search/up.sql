-- Courses with a word in the title: the best matches of a word that many courses contain (src/catalog/query/browse.rs).
CREATE INDEX course_texts_title ON course_texts USING gin (ts_filter(words, '{a}'));
