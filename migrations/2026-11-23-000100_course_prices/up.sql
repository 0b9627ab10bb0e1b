-- Prices of courses in other currencies than the default one, which the course has itself.
CREATE TABLE course_prices (
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (course_id, currency)
);
