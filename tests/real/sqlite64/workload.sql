-- 100,000 rows: insert, index, join, aggregate, update, delete, vacuum, check.
.open work.db
PRAGMA journal_mode = delete;
CREATE TABLE item (id INTEGER PRIMARY KEY, key TEXT, price REAL, kind INTEGER, note BLOB);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
  INSERT INTO item SELECT i, printf('k%06x', (i * 7919) % 1000003), (i % 997) / 7.0, i % 53, zeroblob(i % 7) FROM n;
COMMIT;
CREATE INDEX by_key ON item (key);
CREATE INDEX by_kind ON item (kind, price);
SELECT count(*), sum(price), avg(price), min(key), max(key), total(length(note)) FROM item;
SELECT kind, count(*), round(sum(price), 9), max(price) FROM item GROUP BY kind ORDER BY kind;
SELECT a.id, b.id, a.price - b.price FROM item a JOIN item b ON a.key = b.key AND a.id < b.id ORDER BY a.id LIMIT 20;
SELECT count(*) FROM item WHERE key LIKE 'k0a%' OR key BETWEEN 'k0b' AND 'k0c';
UPDATE item SET price = price * 1.0625 + 0.1 WHERE kind % 3 = 1;
DELETE FROM item WHERE id % 11 = 5;
SELECT changes(), total_changes(), (SELECT sum(price) FROM item);
SELECT key, price, row_number() OVER (PARTITION BY kind ORDER BY price DESC, id) AS place FROM item WHERE kind < 5 ORDER BY place, kind LIMIT 25;
SELECT hex(substr(group_concat(key, ''), 1, 60)), length(group_concat(key)) FROM (SELECT key FROM item ORDER BY price, id);
VACUUM;
PRAGMA integrity_check;
SELECT page_count FROM pragma_page_count;
