DROP INDEX course_texts_title;
