DROP TABLE email_changes;
DROP TABLE registrations;
