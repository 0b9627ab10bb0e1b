DROP TABLE live_calendars;
