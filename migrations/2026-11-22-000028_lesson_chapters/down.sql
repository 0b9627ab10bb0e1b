UPDATE lessons SET chapters = (
    SELECT jsonb_agg(jsonb_build_object('atSeconds', mark -> 'startSeconds', 'label', mark -> 'title'))
    FROM jsonb_array_elements(chapters) AS mark
) WHERE chapters <> '[]';
ALTER TABLE lessons RENAME COLUMN chapters TO timestamps;
