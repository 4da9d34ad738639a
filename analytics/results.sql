-- The form of the answers: one table per topic, one column per key of the JSON object; the primary key is the
-- record's key. job.py adds the connector. docs/ANALYTICS.md and schemas/ describe the same tables.

CREATE TEMPORARY TABLE events_by_level (
  `level` STRING NOT NULL,
  events BIGINT NOT NULL,
  `last` TIMESTAMP_LTZ(3),
  PRIMARY KEY (`level`) NOT ENFORCED
);

CREATE TEMPORARY TABLE events_by_level_5m (
  window_start TIMESTAMP_LTZ(3) NOT NULL,
  window_end TIMESTAMP_LTZ(3) NOT NULL,
  `level` STRING NOT NULL,
  source STRING NOT NULL,
  events BIGINT NOT NULL,
  `first` TIMESTAMP_LTZ(3),
  `last` TIMESTAMP_LTZ(3),
  computers BIGINT,
  PRIMARY KEY (window_start, `level`, source) NOT ENFORCED
);

CREATE TEMPORARY TABLE alerts (
  `rule` STRING NOT NULL,
  subject STRING NOT NULL,
  `first` TIMESTAMP_LTZ(3) NOT NULL,
  `last` TIMESTAMP_LTZ(3),
  events BIGINT NOT NULL,
  accounts BIGINT,
  kind STRING,
  PRIMARY KEY (`rule`, subject, `first`) NOT ENFORCED
);

CREATE TEMPORARY TABLE top_5m (
  window_start TIMESTAMP_LTZ(3) NOT NULL,
  window_end TIMESTAMP_LTZ(3) NOT NULL,
  kind STRING NOT NULL,
  `rank` BIGINT NOT NULL,
  name STRING,
  events BIGINT NOT NULL,
  PRIMARY KEY (window_start, kind, `rank`) NOT ENFORCED
);

CREATE TEMPORARY TABLE logon_sessions (
  computer STRING NOT NULL,
  record_id BIGINT NOT NULL,
  logon_id STRING,
  account STRING,
  logon_type STRING,
  address STRING,
  `start` TIMESTAMP_LTZ(3) NOT NULL,
  `end` TIMESTAMP_LTZ(3),
  seconds BIGINT,
  PRIMARY KEY (computer, record_id, `start`) NOT ENFORCED
);

CREATE TEMPORARY TABLE events_enriched (
  computer STRING NOT NULL,
  source STRING NOT NULL,
  record_id BIGINT NOT NULL,
  event_time TIMESTAMP_LTZ(3) NOT NULL,
  window_start TIMESTAMP_LTZ(3),
  window_end TIMESTAMP_LTZ(3),
  `level` STRING,
  event_id INT,
  provider STRING,
  account STRING,
  message STRING,
  `role` STRING,
  site STRING,
  PRIMARY KEY (computer, source, record_id, event_time) NOT ENFORCED
);

CREATE TEMPORARY TABLE events_late (
  computer STRING NOT NULL,
  source STRING NOT NULL,
  record_id BIGINT NOT NULL,
  event_time TIMESTAMP_LTZ(3) NOT NULL,
  seconds_late BIGINT NOT NULL,
  `level` STRING,
  event_id INT,
  PRIMARY KEY (computer, source, record_id, event_time) NOT ENFORCED
);

CREATE TEMPORARY TABLE alerts_in_context (
  `rule` STRING NOT NULL,
  subject STRING NOT NULL,
  `first` TIMESTAMP_LTZ(3) NOT NULL,
  `last` TIMESTAMP_LTZ(3),
  events BIGINT,
  kind STRING,
  computer STRING,
  `role` STRING,
  site STRING,
  owner STRING,
  criticality STRING,
  account STRING,
  department STRING,
  privileged BOOLEAN,
  PRIMARY KEY (`rule`, subject, `first`) NOT ENFORCED
);
