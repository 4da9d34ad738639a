-- All events as they came, one a line, in folders by day, hour and channel.
--
-- Answer: files in --archive-path, a folder (file:///…) or a bucket (s3://…), each event exactly once. A part
-- can be seen when the checkpoint after it is complete; what begins with a dot is not finished.

INSERT INTO archive
SELECT
  line,
  DATE_FORMAT(event_time, 'yyyy-MM-dd') AS `day`,
  DATE_FORMAT(event_time, 'HH') AS `hour`,
  COALESCE(REGEXP_EXTRACT(line, '"(source|channel|Channel)" ?: ?"([^"\\]+)"', 2), 'unknown') AS channel
FROM event_lines;
