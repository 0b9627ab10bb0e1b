DROP TABLE live_usage, live_attendances;
