DROP TABLE membership_spans;
