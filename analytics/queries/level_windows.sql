-- How many events of each level and channel were there in each window of event time, and from how many computers?
--
-- Answer: events_by_level_5m, one row per window, level and channel, written when the window is over.
-- width = 300 [1..86400] seconds of a window; windows begin at multiples of it since 1970-01-01

INSERT INTO events_by_level_5m
SELECT
  CAST(window_start AS TIMESTAMP_LTZ(3)) AS window_start,
  CAST(window_end AS TIMESTAMP_LTZ(3)) AS window_end,
  `level`,
  source,
  COUNT(*) AS events,
  MIN(event_time) AS `first`,
  MAX(event_time) AS `last`,
  COUNT(DISTINCT computer) AS computers
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(event_time), INTERVAL '300' /* width */ SECOND(6)))
GROUP BY window_start, window_end, `level`, source;
