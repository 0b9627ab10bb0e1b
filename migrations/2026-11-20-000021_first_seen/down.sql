-- Before, only what was withdrawn had it.
UPDATE lessons SET first_published_at = NULL WHERE published_at IS NOT NULL;
