-- The plans that a coupon is for. It is for everything if it has no rows here, nor in coupon_courses and
-- coupon_categories.
CREATE TABLE coupon_plans (
    coupon_id uuid NOT NULL REFERENCES coupons (id) ON DELETE CASCADE,
    plan_id uuid NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    PRIMARY KEY (coupon_id, plan_id)
);
CREATE INDEX coupon_plans_plan_id ON coupon_plans (plan_id);
