DROP INDEX courses_created;
