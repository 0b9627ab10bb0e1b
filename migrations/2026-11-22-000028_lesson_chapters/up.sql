-- Chapters have a start, an optional end and a title.
ALTER TABLE lessons RENAME COLUMN timestamps TO chapters;
UPDATE lessons SET chapters = (
    SELECT jsonb_agg(jsonb_build_object('startSeconds', mark -> 'atSeconds', 'endSeconds', NULL, 'title', mark -> 'label'))
    FROM jsonb_array_elements(chapters) AS mark
) WHERE chapters <> '[]';
