DROP TABLE inbox;
DROP TABLE cron_turns;
DROP TABLE jobs;
DROP TABLE event_counter;
DROP TABLE event_topics;
DROP TABLE events;
