-- Which accounts, computers and event ids were the busiest in each window?
--
-- Answer: top_5m, one row per window, kind and rank, written when the window is over. Names with equal counts are in
-- alphabetical order.
-- width = 300 [1..86400] seconds of a window
-- ranks = 10 [1..1000] places of each kind

CREATE TEMPORARY VIEW things AS
SELECT event_time, 'account' AS kind, account AS name FROM events WHERE account IS NOT NULL
UNION ALL
SELECT event_time, 'computer' AS kind, computer AS name FROM events
UNION ALL
SELECT event_time, 'event_id' AS kind, CAST(event_id AS STRING) AS name FROM events WHERE event_id IS NOT NULL;

CREATE TEMPORARY VIEW thing_counts AS
SELECT window_start, window_end, kind, name, COUNT(*) AS events
FROM TABLE(TUMBLE(TABLE things, DESCRIPTOR(event_time), INTERVAL '300' /* width */ SECOND(6)))
GROUP BY window_start, window_end, kind, name;

INSERT INTO top_5m
SELECT
  CAST(window_start AS TIMESTAMP_LTZ(3)) AS window_start,
  CAST(window_end AS TIMESTAMP_LTZ(3)) AS window_end,
  kind,
  place AS `rank`,
  name,
  events
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, kind ORDER BY events DESC, name) AS place
  FROM thing_counts
)
WHERE place <= 10 /* ranks */;
