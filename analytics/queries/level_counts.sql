-- How many events of each level have there been so far?
--
-- Answer: events_by_level, one row a level, a newer row for each change. Changes of half a second come together.

INSERT INTO events_by_level
SELECT /*+ STATE_TTL('events' = '36500 d') */
  `level`,
  COUNT(*) AS events,
  MAX(event_time) AS `last`
FROM events
GROUP BY `level`;
