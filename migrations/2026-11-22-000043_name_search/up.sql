SELECT set_config('lock_timeout', '5s', true);
-- The words of a name, to find channels and instructors by the beginnings of them. The body is bound to `search_words`
-- when it is made, so that an index can use it whatever the search path is.
CREATE FUNCTION name_vector(name text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN array_to_tsvector(array_remove(string_to_array(search_words(name), ' '), ''));
CREATE INDEX channels_words ON channels USING gin (name_vector(name));
-- Students are not found: one pass over a million users takes half a second, during which they can be read.
CREATE INDEX users_team_words ON users USING gin (name_vector(name)) WHERE role <> 'STUDENT';
SELECT set_config('lock_timeout', '0', true);
