-- From which address does somebody try passwords: `threshold` failed logons (4625) within `width` seconds?
--
-- Answer: alerts, one row per burst and address. The kind is `spray` if one window has at least `accounts` different
-- accounts, else `guessing`. Windows are sliding and exact, as error_burst.sql explains. Failed logons from one address
-- are counted over all computers.
-- threshold = 8 [2..10000] failed logons
-- width = 240 [1..900] seconds
-- accounts = 4 [2..10000] different accounts in one window that make it a spray

CREATE TEMPORARY VIEW failed_logons AS
SELECT address, event_time, account
FROM events
WHERE event_id = 4625 AND LOWER(source) = 'security' AND address IS NOT NULL AND address NOT IN ('', '-');

CREATE TEMPORARY VIEW failed_accounts AS
SELECT
  address,
  event_time,
  COUNT(DISTINCT account) OVER (
    PARTITION BY address ORDER BY event_time
    RANGE BETWEEN INTERVAL '240' /* width */ SECOND(3) PRECEDING AND CURRENT ROW
  ) AS accounts
FROM failed_logons;

CREATE TEMPORARY VIEW failed_distances AS
SELECT
  address,
  event_time,
  accounts,
  LAG(event_time, 7 /* threshold - 1 */) OVER steps AS nth,
  COUNT(*) OVER steps AS so_far
FROM failed_accounts
WINDOW steps AS (PARTITION BY address ORDER BY event_time);

CREATE TEMPORARY VIEW failed_runs AS
SELECT
  *,
  MAX(CASE WHEN nth >= TIMESTAMPADD(SECOND, -240 /* width */, event_time) THEN TO_TIMESTAMP_LTZ(0, 3)
    ELSE CAST(event_time AS TIMESTAMP_LTZ(3)) END) OVER (PARTITION BY address ORDER BY event_time) AS quiet
FROM failed_distances;

INSERT INTO alerts
SELECT
  'brute_force' AS `rule`,
  address AS subject,
  MIN(nth) OVER burst AS `first`,
  CAST(event_time AS TIMESTAMP_LTZ(3)) AS `last`,
  so_far - MIN(so_far) OVER burst + 8 /* threshold */ AS events,
  MAX(accounts) OVER burst AS accounts,
  CASE WHEN MAX(accounts) OVER burst >= 4 /* accounts */ THEN 'spray' ELSE 'guessing' END AS kind
FROM failed_runs
WHERE nth >= TIMESTAMPADD(SECOND, -240 /* width */, event_time)
WINDOW burst AS (PARTITION BY address, quiet ORDER BY event_time);
