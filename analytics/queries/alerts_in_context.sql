-- How much does the computer of an alert matter, and who is the account, as the inventory had it at that time?
--
-- Answer: alerts_in_context, one row an alert, renewed as the alert is. The inventory (docs/CDC.md) is joined as of the
-- alert's last event: a later change of a row does not change it. What the inventory did not know then is null.
-- Alerts are rare, so the events move time on; a minute beyond --max-lateness is left for an alert to be told.

-- No event is an empty line: of the events only the time goes on.
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
