DROP TABLE lessons;
DROP TABLE sections;
DROP TABLE courses;
