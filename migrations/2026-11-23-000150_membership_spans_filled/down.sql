DROP INDEX membership_spans_ends_at;
DROP INDEX membership_spans_starts_at;
