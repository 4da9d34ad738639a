-- How important is the computer of an alert, and who is the account, as the inventory had them at that time?
--
-- Answer: alerts_in_context, one row per alert, which is updated when the alert changes. The inventory (docs/CDC.md) is
-- joined at the time of the alert's last event: a later change of a row does not change the answer. A value that the
-- inventory did not have at that time is null. Alerts are rare, so the events advance event time; an alert has one minute
-- beyond --max-lateness to arrive.

-- No event is an empty line, so no event passes: the events only advance the time.
CREATE TEMPORARY VIEW alerts_and_time AS
SELECT alert_time, `rule`, subject, `first`, `last`, counted, kind, computer, account
FROM alerts_told
UNION ALL
SELECT
  event_time AS alert_time,
  CAST(NULL AS STRING) AS `rule`,
  CAST(NULL AS STRING) AS subject,
  CAST(NULL AS TIMESTAMP_LTZ(3)) AS `first`,
  CAST(NULL AS TIMESTAMP_LTZ(3)) AS `last`,
  CAST(NULL AS BIGINT) AS counted,
  CAST(NULL AS STRING) AS kind,
  CAST(NULL AS STRING) AS computer,
  CAST(NULL AS STRING) AS account
FROM event_clock
WHERE line = '';

INSERT INTO alerts_in_context
SELECT
  alert.`rule`,
  alert.subject,
  alert.`first`,
  alert.`last`,
  alert.counted AS events,
  alert.kind,
  alert.computer,
  pc.`role`,
  pc.site,
  pc.owner,
  pc.criticality,
  alert.account,
  person.department,
  person.privileged
FROM alerts_and_time AS alert
LEFT JOIN inventory_computers FOR SYSTEM_TIME AS OF alert.alert_time AS pc ON alert.computer = pc.name
LEFT JOIN inventory_accounts FOR SYSTEM_TIME AS OF alert.alert_time AS person ON alert.account = person.name
WHERE alert.`rule` IS NOT NULL AND alert.subject IS NOT NULL AND alert.`first` IS NOT NULL;
