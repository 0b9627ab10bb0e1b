DROP INDEX users_team_words;
DROP INDEX channels_words;
DROP FUNCTION name_vector;
