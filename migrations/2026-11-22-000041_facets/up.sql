SELECT set_config('lock_timeout', '5s', true);
-- What courses are counted by for facets (src/catalog/query/facet.rs), so that a count of all of them reads no row of
-- `courses`: 0.2 s to build for 100,000 courses, during which they can be read.
CREATE INDEX courses_facets ON courses (category_id, level, language, currency, price_minor, rating_hundredths)
    INCLUDE (duration_seconds)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
SELECT set_config('lock_timeout', '0', true);
