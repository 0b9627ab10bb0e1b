-- What courses are found by. Nothing here rewrites `courses` or waits long for it: what is searched is in tables of its
-- own, whose indexes are made while they are empty, and whoever can't have a lock within seconds gives up and is run again.
-- No extension is needed, so that any user of any PostgreSQL can run this, in any schema.
SELECT set_config('lock_timeout', '5s', true);

DO $$ BEGIN
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'this database is encoded in %, the search needs UTF8', getdatabaseencoding()
            USING HINT = 'Create the database anew with ENCODING ''UTF8'' and restore a dump into it.';
    END IF;
END $$;

-- A text's words: lower case, without accents, each separated by one space. C++, C# and F# are words, too.
-- src/catalog/model/search.rs does the same to what people type; keep the two alike.
CREATE FUNCTION search_words(document text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        regexp_replace(
            replace(
                translate(
                    replace(regexp_replace(lower(normalize(document, NFKD)), '[\u0300-\u036f]+', '', 'g'), 'ß', 'ss'),
                    'øłđı', 'oldi'),
                '++', 'plusplus '),
            '([a-z])#', '\1sharp ', 'g'),
        '([\u0001-\u002f\u003a-\u0060\u007b-\u00bf\u00d7\u00f7\u2000-\u2bff\u2e00-\u2e7f\u3000-\u303f\ufe00-\ufe0f\U0001f000-\U0001faff])+',
        ' ', 'g'))
$$;

-- The words with their places and a weight. Not made by `to_tsvector`, whose parser makes one word of `react/redux` and
-- whose dictionaries are for one language each: courses are in many. Words count up to their 40th character.
CREATE FUNCTION search_vector(document text, weight "char") RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(format('''%s'':%s%s', left(word, 40), least(place, 16383), weight), ' '), '')::tsvector
    FROM regexp_split_to_table(search_words(document), ' ') WITH ORDINALITY AS words (word, place)
    WHERE word <> ''
$$;

-- What a course is found by: its title before its subtitle before its tags before its description.
CREATE FUNCTION course_vector(title text, subtitle text, tags text[], description text) RETURNS tsvector
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT search_vector(title, 'A') || search_vector(subtitle, 'B') || search_vector(array_to_string(tags, ' '), 'C')
        || search_vector(description, 'D')
$$;

-- A word and what is left of it without one of its letters: two words that share one of these differ by one mistake, a
-- letter that is wrong, missing, too many or swapped with the next, or by little more.
CREATE FUNCTION typo_keys(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT left(word, place) || substr(word, place + 2)) || word
    FROM generate_series(0, char_length(word) - 1) AS places (place)
$$;

-- Beside `courses`, because the counts in its rows change often: that must not write all their words again. Words are kept
-- in the row and not compressed, as ranking reads those of all courses that match: that is five times as fast.
CREATE TABLE course_texts (
    course_id uuid PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    words tsvector NOT NULL
) WITH (toast_tuple_target = 8160);
CREATE INDEX course_texts_words ON course_texts USING gin (words);

-- Every word of four letters or more that a course has or had, to find the one that was meant.
CREATE TABLE course_words (
    word text PRIMARY KEY
);
CREATE INDEX course_words_typos ON course_words USING gin (typo_keys(word));

CREATE FUNCTION note_course_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.title, OLD.subtitle, OLD.tags, OLD.description)
        IS NOT DISTINCT FROM (NEW.title, NEW.subtitle, NEW.tags, NEW.description) THEN
        RETURN NULL;
    END IF;
    INSERT INTO course_texts (course_id, words)
    VALUES (NEW.id, course_vector(NEW.title, NEW.subtitle, NEW.tags, NEW.description))
    ON CONFLICT (course_id) DO UPDATE SET words = excluded.words;
    -- In order, so that two who add the same words never wait for each other.
    INSERT INTO course_words (word)
    SELECT word FROM course_texts, unnest(tsvector_to_array(words)) AS word
    WHERE course_id = NEW.id AND char_length(word) BETWEEN 4 AND 24
    ORDER BY word
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- The courses that there are: a second for a thousand long ones, during which they can be written.
INSERT INTO course_texts (course_id, words)
SELECT id, course_vector(title, subtitle, tags, description) FROM courses;
INSERT INTO course_words (word)
SELECT DISTINCT word FROM course_texts, unnest(tsvector_to_array(words)) AS word
WHERE char_length(word) BETWEEN 4 AND 24;

-- From here on writes wait until this is committed, some tenths of a second.
CREATE TRIGGER courses_text AFTER INSERT OR UPDATE OF title, subtitle, tags, description ON courses
FOR EACH ROW EXECUTE FUNCTION note_course_text();

-- What was written in between.
WITH written AS (
    INSERT INTO course_texts (course_id, words)
    SELECT id, course_vector(title, subtitle, tags, description) FROM courses
    WHERE updated_at > now() - interval '10 minutes' OR id NOT IN (SELECT course_id FROM course_texts)
    ON CONFLICT (course_id) DO UPDATE SET words = excluded.words
    RETURNING words
)
INSERT INTO course_words (word)
SELECT DISTINCT word FROM written, unnest(tsvector_to_array(words)) AS word
WHERE char_length(word) BETWEEN 4 AND 24
ON CONFLICT DO NOTHING;

-- The public catalog in each of its orders: some 30 ms each for 20,000 courses. Reads go on.
CREATE INDEX courses_newest ON courses (published_at DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
CREATE INDEX courses_popular ON courses (student_count DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
CREATE INDEX courses_rated ON courses (rating_hundredths DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
CREATE INDEX courses_priced ON courses (currency DESC, price_minor DESC, id DESC)
    WHERE published_at IS NOT NULL AND archived_at IS NULL;
CREATE INDEX courses_tags ON courses USING gin (tags);
-- The first of these four does what it did.
DROP INDEX courses_published;
SELECT set_config('lock_timeout', '0', true);
