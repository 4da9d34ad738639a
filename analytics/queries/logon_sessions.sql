-- When did each logon (4624) end (4634 or 4647 with the same TargetLogonId), and how long was it?
--
-- Answer: logon_sessions, one row a logon. The end is the first one not before the logon and at most `timeout`
-- later; without one the row comes after the timeout, with "end": null. The key is the logon's own event:
-- computer and record id, since Windows gives some logon ids (0x3e7) to many sessions.
-- timeout = 60 [1..999] minutes

CREATE TEMPORARY VIEW logons AS
SELECT computer, logon_id, record_id, event_time, account, logon_type, address
FROM events
WHERE event_id = 4624 AND source = 'Security' AND logon_id IS NOT NULL;

CREATE TEMPORARY VIEW logoffs AS
SELECT computer, logon_id, event_time
FROM events
WHERE event_id IN (4634, 4647) AND source = 'Security' AND logon_id IS NOT NULL;

INSERT INTO logon_sessions
SELECT
  computer,
  record_id,
  MAX(logon_id) AS logon_id,
  MAX(account) AS account,
  MAX(logon_type) AS logon_type,
  MAX(address) AS address,
  MAX(began) AS `start`,
  MIN(ended) AS `end`,
  TIMESTAMPDIFF(SECOND, MAX(began), MIN(ended)) AS seconds
FROM (
  SELECT
    logons.computer, record_id, logons.logon_id, account, logon_type, address,
    CAST(logons.event_time AS TIMESTAMP_LTZ(3)) AS began, CAST(logoffs.event_time AS TIMESTAMP_LTZ(3)) AS ended
  FROM logons LEFT JOIN logoffs
    ON logons.computer = logoffs.computer AND logons.logon_id = logoffs.logon_id
    AND logoffs.event_time
      BETWEEN logons.event_time AND logons.event_time + INTERVAL '60' /* timeout */ MINUTE(3)
)
GROUP BY computer, record_id;
