DROP TABLE course_settings;
