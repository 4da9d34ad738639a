-- Where are bursts of errors: `threshold` events of level Error or Critical within `width` seconds, on one or all computers?
--
-- Answer: alerts, one row per burst and subject (a computer, or * for all). Windows are sliding and exact: at the time of
-- an error, the condition is met if the `threshold`-th newest error is at most `width` seconds older. A burst begins with
-- that older error and lasts as long as the condition is met for each further error. Its row is updated while the burst
-- grows.
-- threshold = 50 [2..10000] errors
-- width = 300 [1..86400] seconds

CREATE TEMPORARY VIEW errors AS
SELECT subject, event_time
FROM events CROSS JOIN UNNEST(ARRAY[computer, '*']) AS subjects (subject)
WHERE `level` IN ('Error', 'Critical');

-- Events with the same time are counted together: `nth` is the time of the threshold-th newest, `so_far` the running total.
CREATE TEMPORARY VIEW error_distances AS
SELECT
  subject,
  event_time,
  LAG(event_time, 49 /* threshold - 1 */) OVER steps AS nth,
  COUNT(*) OVER steps AS so_far
FROM errors
WINDOW steps AS (PARTITION BY subject ORDER BY event_time);

-- A burst lies between two times at which the condition is not met.
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
