-- Every event with the window that it belongs to, and the role and site of its computer.
--
-- Answer: events_enriched, one row per event. Roles and sites come from the file of hosts (--hosts, CSV with the
-- columns computer, role, site); for a computer that is not in the file, they are null.
-- width = 300 [1..86400] seconds of a window

INSERT INTO events_enriched
SELECT
  computer,
  source,
  record_id,
  event_time,
  TIMESTAMPADD(SECOND, seconds - MOD(seconds, 300 /* width */), TO_TIMESTAMP_LTZ(0, 3)) AS window_start,
  TIMESTAMPADD(SECOND, seconds - MOD(seconds, 300 /* width */) + 300 /* width */, TO_TIMESTAMP_LTZ(0, 3)) AS window_end,
  `level`,
  event_id,
  provider,
  account,
  message,
  `role`,
  site
FROM (SELECT *, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 3), event_time) AS seconds FROM events);
