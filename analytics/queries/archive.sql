-- All events, unchanged, one per line, in folders by day, hour and channel.
--
-- Answer: files in --archive-path, a folder (file:///…) or a bucket (s3://…), with each event exactly once. A part
-- becomes visible when the next checkpoint is complete; files whose names begin with a dot are not finished.

INSERT INTO archive
SELECT
  line,
  DATE_FORMAT(event_time, 'yyyy-MM-dd') AS `day`,
  DATE_FORMAT(event_time, 'HH') AS `hour`,
  COALESCE(REGEXP_EXTRACT(line, '"(source|channel|Channel)" ?: ?"([^"\\]+)"', 2), 'unknown') AS channel
FROM event_lines;
