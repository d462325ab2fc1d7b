-- A few thousand rows, joins, indexes, transactions to a file, floats, text functions, errors.
.open data.db
PRAGMA journal_mode = wal;
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, height REAL, born TEXT);
CREATE TABLE visit (person INTEGER REFERENCES person, day INTEGER, cost NUMERIC);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO person SELECT i, printf('p%05d', (i * 7919) % 3001), 1.5 + (i % 700) / 1300.0, date('1950-01-01', (i * 13) || ' days') FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
  INSERT INTO visit SELECT (i * 31) % 3000 + 1, i % 365, (i * 17 % 1000) / 8.0 FROM n;
COMMIT;
CREATE INDEX by_name ON person (name);
CREATE INDEX by_person ON visit (person, day);
EXPLAIN QUERY PLAN SELECT * FROM person JOIN visit ON person = id WHERE name = 'p00042';
SELECT count(*), sum(height), avg(height), min(name), max(born) FROM person;
SELECT name, height, born, count(*), total(cost), group_concat(day) FROM person JOIN visit ON person = id WHERE name LIKE 'p000_1' GROUP BY id ORDER BY name;
SELECT strftime('%Y', born) AS y, count(*), round(avg(height), 6), sum(cost) FROM person LEFT JOIN visit ON person = id GROUP BY y ORDER BY y DESC LIMIT 12;
SELECT id, cost, sum(cost) OVER (ORDER BY day ROWS 3 PRECEDING), rank() OVER (ORDER BY cost DESC) FROM visit JOIN person ON id = person ORDER BY day, id, cost LIMIT 15;
BEGIN; DELETE FROM visit WHERE day < 100; SELECT count(*) FROM visit; ROLLBACK; SELECT count(*) FROM visit;
UPDATE person SET height = height * 1.01 WHERE id % 10 = 0; SELECT changes(), total_changes();
SELECT 1 / 3.0, 1e300 * 1e10, 0.1 + 0.2, 9007199254740993, 7 / 2, -7 % 3, abs(-2.5), round(2.675, 2), 1e15, 123456.789e3, CAST('12abc' AS INT), 2.0;
SELECT hex('abc'), upper('é z'), substr('hello', -3), replace('aXbX', 'X', '--'), instr('hello', 'l'), quote(x'00ff'), typeof(1.0), unicode('€'), trim('  x ');
SELECT datetime(0, 'unixepoch'), julianday('2000-01-01 12:00'), strftime('%j %W', '2024-12-31'), json_extract('{"a":[1,2,{"b":null}]}', '$.a[1]');
SELECT sqrt(2), exp(1), ln(10), pow(2, 0.5), sin(1), acos(0.3);
SAVEPOINT a; INSERT INTO person VALUES (9999, 'x', 1e-5, NULL); RELEASE a; SELECT * FROM person WHERE id > 2999;
INSERT INTO person VALUES (1, 'duplicate', 0, 0);
SELECT * FROM nosuch;
SELEC 1;
CREATE TRIGGER t AFTER DELETE ON person BEGIN DELETE FROM visit WHERE person = old.id; END; DELETE FROM person WHERE id = 32; SELECT changes(), count(*) FROM visit;
VACUUM; PRAGMA integrity_check; PRAGMA page_count;
ATTACH ':memory:' AS m; CREATE TABLE m.t AS SELECT * FROM person ORDER BY height DESC LIMIT 5; SELECT * FROM m.t;
.mode column
.headers on
SELECT name, height FROM person LIMIT 3;
.mode csv
SELECT name, born FROM person LIMIT 3 OFFSET 100;
.schema person
SELECT * FROM visit ORDER BY rowid DESC LIMIT 5;
