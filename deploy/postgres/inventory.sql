-- The inventory: the computers and accounts. Run once, by a super user, in the database `inventory`.
--
-- inventory  owns the tables and the publication; people change rows as this role
-- connect    reads changes: replication, and SELECT on the two tables, nothing else
-- The program that runs this file sets the passwords.
--
-- valid_from  the time of the last change of the row. A snapshot has only the present state and its own time; this
--             column tells a reader of the snapshot since when the row has been in this state.
CREATE ROLE inventory LOGIN;
CREATE ROLE connect LOGIN REPLICATION;

REVOKE ALL ON DATABASE inventory FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE inventory TO inventory;
GRANT CONNECT ON DATABASE inventory TO connect;
CREATE SCHEMA inventory AUTHORIZATION inventory;

SET ROLE inventory;
SET search_path = inventory;

CREATE TABLE computers (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  site TEXT NOT NULL,
  owner TEXT,
  criticality TEXT NOT NULL CHECK (criticality IN ('low', 'medium', 'high', 'critical')),
  valid_from TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  department TEXT NOT NULL,
  privileged BOOLEAN NOT NULL,
  valid_from TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- A reader of changes needs the old row, too.
ALTER TABLE computers REPLICA IDENTITY FULL;
ALTER TABLE accounts REPLICA IDENTITY FULL;

CREATE FUNCTION valid_from_now() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.valid_from := now(); RETURN NEW; END $$;

CREATE TRIGGER valid_from BEFORE UPDATE ON computers FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION valid_from_now();
CREATE TRIGGER valid_from BEFORE UPDATE ON accounts FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION valid_from_now();

-- Debezium does not report TRUNCATE, so the topics would keep rows that no longer exist; it reports each row of a DELETE.
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'TRUNCATE would not reach the topic: use DELETE FROM %', TG_TABLE_NAME; END $$;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON computers EXECUTE FUNCTION refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON accounts EXECUTE FUNCTION refuse_truncate();

CREATE PUBLICATION inventory FOR TABLE computers, accounts;

GRANT USAGE ON SCHEMA inventory TO connect;
GRANT SELECT ON computers, accounts TO connect;

RESET ROLE;
RESET search_path;
