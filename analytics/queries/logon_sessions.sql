-- When did each logon (4624) end (4634 or 4647 with the same TargetLogonId), and how long was it?
--
-- Answer: logon_sessions, one row per logon. The end is the first end that is not before the logon and at most `timeout`
-- later. If there is none, the row is written half a timeout after that, with "end": null. The key is the computer, the
-- record id and the time of the logon, because Windows gives some logon ids (0x3e7) to many sessions.
-- timeout = 60 [1..999] minutes

CREATE TEMPORARY VIEW logons AS
SELECT computer, logon_id, record_id, event_time, account, logon_type, address
FROM events
WHERE event_id = 4624 AND LOWER(source) = 'security' AND logon_id IS NOT NULL;

CREATE TEMPORARY VIEW logoffs AS
SELECT computer, logon_id, event_time
FROM events
WHERE event_id IN (4634, 4647) AND LOWER(source) = 'security' AND logon_id IS NOT NULL;

-- `before` is the end before this one: logons before it have ended there, so each logon finds only one end.
-- (A GROUP BY over all ends would keep each session, since it cannot know that no other end comes.)
CREATE TEMPORARY VIEW ends AS
SELECT
  computer,
  logon_id,
  event_time,
  ARRAY_MAX(ARRAY_REMOVE(so_far, ended)) AS before
FROM (
  SELECT computer, logon_id, event_time, ended, ARRAY_AGG(ended) OVER (
    PARTITION BY computer, logon_id ORDER BY event_time
    RANGE BETWEEN INTERVAL '60' /* timeout */ MINUTE(3) PRECEDING AND CURRENT ROW
  ) AS so_far
  FROM (SELECT *, CAST(event_time AS TIMESTAMP_LTZ(3)) AS ended FROM logoffs)
);

INSERT INTO logon_sessions
SELECT
  logons.computer,
  record_id,
  logons.logon_id,
  account,
  logon_type,
  address,
  CAST(logons.event_time AS TIMESTAMP_LTZ(3)) AS `start`,
  CAST(ends.event_time AS TIMESTAMP_LTZ(3)) AS `end`,
  TIMESTAMPDIFF(SECOND, logons.event_time, ends.event_time) AS seconds
FROM logons LEFT JOIN ends
  ON logons.computer = ends.computer AND logons.logon_id = ends.logon_id
  AND ends.event_time BETWEEN logons.event_time AND logons.event_time + INTERVAL '60' /* timeout */ MINUTE(3)
  AND (ends.before IS NULL OR ends.before < logons.event_time);
