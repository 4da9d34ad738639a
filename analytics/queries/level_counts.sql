-- How many events of each level have there been so far?
--
-- Answer: events_by_level, one row per level, updated after each change; changes within half a second are written at once.

INSERT INTO events_by_level
SELECT /*+ STATE_TTL('events' = '36500 d') */
  `level`,
  COUNT(*) AS events,
  MAX(event_time) AS `last`
FROM events
GROUP BY `level`;
