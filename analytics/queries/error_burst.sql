-- Where do errors come in bursts: so many of level Error or Critical in so short a time, on one computer or over all?
--
-- Answer: alerts, one row a burst and subject (a computer, or * for all). Sliding and exact: at the time of an error
-- the condition holds when the `threshold`-th newest one is at most `width` seconds older. A burst begins with
-- that one and lasts as long as the condition holds for each further error; its row is renewed while it grows.
-- threshold = 50 [2..10000] errors
-- width = 300 [1..86400] seconds

CREATE TEMPORARY VIEW errors AS
SELECT subject, event_time
FROM events CROSS JOIN UNNEST(ARRAY[computer, '*']) AS subjects (subject)
WHERE `level` IN ('Error', 'Critical');

-- Events of one time are counted together: `nth` is the time of the threshold-th newest, `so_far` the running count.
CREATE TEMPORARY VIEW error_distances AS
SELECT
  subject,
  event_time,
  LAG(event_time, 49 /* threshold - 1 */) OVER steps AS nth,
  COUNT(*) OVER steps AS so_far
FROM errors
WINDOW steps AS (PARTITION BY subject ORDER BY event_time);

-- A burst is what lies between two times at which the condition does not hold.
CREATE TEMPORARY VIEW error_runs AS
SELECT
  *,
  MAX(CASE WHEN nth >= TIMESTAMPADD(SECOND, -300 /* width */, event_time) THEN TO_TIMESTAMP_LTZ(0, 3)
    ELSE CAST(event_time AS TIMESTAMP_LTZ(3)) END) OVER (PARTITION BY subject ORDER BY event_time) AS quiet
FROM error_distances;

INSERT INTO alerts
SELECT
  'error_burst' AS `rule`,
  subject,
  MIN(nth) OVER burst AS `first`,
  CAST(event_time AS TIMESTAMP_LTZ(3)) AS `last`,
  so_far - MIN(so_far) OVER burst + 50 /* threshold */ AS events,
  CAST(NULL AS BIGINT) AS accounts,
  'errors' AS kind
FROM error_runs
WHERE nth >= TIMESTAMPADD(SECOND, -300 /* width */, event_time)
WINDOW burst AS (PARTITION BY subject, quiet ORDER BY event_time);
