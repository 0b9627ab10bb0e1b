DROP TRIGGER entitlements_enroll ON entitlements;
DROP FUNCTION enroll_entitled();
DROP TABLE enrollments;
DROP FUNCTION uuid_v7(timestamptz);
