-- Codes that make orders cheaper.
CREATE TABLE coupons (
    id uuid PRIMARY KEY,
    code text NOT NULL CHECK (code ~ '^[A-Z0-9-]{3,40}$'),
    percent smallint CHECK (percent BETWEEN 1 AND 100),
    amount_minor bigint CHECK (amount_minor > 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    starts_at timestamptz,
    ends_at timestamptz CHECK (ends_at > starts_at),
    max_uses integer CHECK (max_uses > 0),
    max_uses_per_user integer CHECK (max_uses_per_user > 0),
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    CHECK ((percent IS NULL) <> (amount_minor IS NULL)),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE UNIQUE INDEX coupons_code ON coupons (code) WHERE archived_at IS NULL;
CREATE INDEX coupons_newest ON coupons (created_at DESC, id DESC);
-- What a coupon is for: everything if it has no rows here.
CREATE TABLE coupon_courses (
    coupon_id uuid NOT NULL REFERENCES coupons (id) ON DELETE CASCADE,
    course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    PRIMARY KEY (coupon_id, course_id)
);
CREATE INDEX coupon_courses_course_id ON coupon_courses (course_id);
CREATE TABLE coupon_categories (
    coupon_id uuid NOT NULL REFERENCES coupons (id) ON DELETE CASCADE,
    category_id uuid NOT NULL REFERENCES categories (id) ON DELETE CASCADE,
    PRIMARY KEY (coupon_id, category_id)
);
CREATE INDEX coupon_categories_category_id ON coupon_categories (category_id);

-- The discount is off the price before the total, and the tax is in the total.
ALTER TABLE orders
    ADD COLUMN coupon_id uuid REFERENCES coupons (id),
    ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0 CHECK (tax_minor BETWEEN 0 AND total_minor),
    ADD COLUMN tax_included boolean NOT NULL DEFAULT true;
ALTER TABLE order_items
    ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0 CHECK (tax_minor BETWEEN 0 AND amount_minor);
CREATE INDEX orders_coupon_id ON orders (coupon_id, buyer_id) WHERE coupon_id IS NOT NULL;
