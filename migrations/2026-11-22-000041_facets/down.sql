DROP INDEX courses_facets;
