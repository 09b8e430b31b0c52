#!/usr/bin/python3
"""The drivers mysql2 and mysql of npm."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import expect

MODULES = os.environ.get("NODE_PATH", os.path.join(support.SRC_DIR, "build/deps/node/node_modules"))
# `run` prepares where the driver can; mysql puts the values into the text.
COMMON = r"""
const [port, create] = process.argv.slice(1);
const settings = {host: '127.0.0.1', port: +port, user: 'root', database: 'quanta', charset: 'utf8mb4',
                  supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, timezone: 'Z'};
const text = v => v === null ? 'NULL' : String(v);
const moment = v => text(v).replace(/:(\d\d)$/, ':$1.000000'); // mysql2 leaves a fraction of 0 out

async function matrix(connect) {
  let c = await connect();
  await c.run(create);
  const insert = 'INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)';
  for (const row of [[1, '-12.50', '2024-02-29', '2024-02-29 23:59:59.123456', 'Zürich 東京 🙂', '-9007199254740993'],
                     [2, null, null, null, null, null],
                     [3, 0, new Date(0), new Date(Date.UTC(1969, 11, 31)), Buffer.from(''), 0]]) {
    const done = await c.run(insert, row);
    if (done.affectedRows != 1) console.log('affected', done.affectedRows);
  }
  for (const r of await c.run('SELECT id, price, day, at, name, big FROM m WHERE id > ? ORDER BY id', [0]))
    console.log('row ' + [r.id, text(r.price), text(r.day), moment(r.at), text(r.name), text(r.big)].join('|'));
  let n = 0, ids = 0, cents = 0;
  for (const r of await c.run('SELECT id, price, name FROM large')) {
    if (r.name != 'row ' + r.id) console.log('name', r.id, r.name);
    n++;
    ids += +r.id;
    cents += Math.round(r.price * 100);
  }
  console.log(`large ${n} ${ids} ${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`);
  for (const statement of ['SELECT * FROM nothing WHERE id = ?', 'INSERT INTO m (id) VALUES (?)',
                           'SELECT nothing FROM m WHERE id = ?'])
    try {
      await c.run(statement, [1]);
      console.log('no error');
    } catch (e) { console.log('error', e.errno, e.sqlState); }
  const [{id}] = await c.run('SELECT connection_id() AS id');
  const other = await connect();
  await other.run('KILL ' + id);
  await other.end();
  try {
    await c.run('SELECT 1');
    console.log('still there');
  } catch (e) {
    if (!e.fatal && e.code != 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR') console.log(e);
  }
  c = await connect();
  await c.run('DROP TABLE m');
  console.log('reconnected');
  await c.end();
}
"""
MYSQL2 = COMMON + r"""
const mysql = require('mysql2/promise');
matrix(async () => {
  const c = await mysql.createConnection(settings);
  c.connection.on('error', () => {});
  return {run: async (statement, values) => (await c.execute(statement, values || []))[0], end: () => c.end()};
}).catch(e => { console.error(e); process.exit(1); });
"""
MYSQL = COMMON + r"""
const mysql = require('mysql');
matrix(() => new Promise((done, fail) => {
  const c = mysql.createConnection(settings);
  c.on('error', () => {});
  const run = (statement, values) => new Promise((yes, no) =>
    c.query(statement, values || [], (e, rows) => e ? no(e) : yes(rows)));
  c.connect(e => e ? fail(e) : done({run, end: () => new Promise(yes => c.end(yes))}));
})).catch(e => { console.error(e); process.exit(1); });
"""
POOL = r"""
const mysql = require('mysql2/promise');
(async () => {
  const pool = mysql.createPool({host: '127.0.0.1', port: +process.argv[1], user: 'root', database: 'quanta',
                                 connectionLimit: 4});
  const all = await Promise.all([...Array(40).keys()].map(i =>
    pool.execute('SELECT price FROM large WHERE id = ?', [i + 1])));
  const rows = await new Promise((done, fail) => {
    let n = 0;
    pool.pool.query('SELECT id FROM large').stream().on('data', () => n++).on('end', () => done(n)).on('error', fail);
  });
  const c = await pool.getConnection();
  await c.changeUser({user: 'other'});
  const [[user]] = await c.query('SELECT substring_index(user(), "@", 1) AS name');
  c.release();
  console.log(all.every(([r], i) => +r[0].price == (i + 1) / 100), rows, user.name);
  await pool.end();
})().catch(e => { console.error(e); process.exit(1); });
"""


def javascript(server, module, code, *arguments):
    """The command that runs code with a driver."""
    matrix.need_file(os.path.join(MODULES, module), f"{module} of npm")
    return {"command": ["node", "-e", code, str(server.ports["mysql"]), *arguments],
            "env": {"NODE_PATH": MODULES}}


def test_mysql2(server):
    matrix.check(server, **javascript(server, "mysql2", MYSQL2, matrix.CREATE))


def test_mysql2_pool(server):
    expect(matrix.run(**javascript(server, "mysql2", POOL)), f"true {matrix.LARGE} other\n")


def test_mysql(server):
    matrix.check(server, **javascript(server, "mysql", MYSQL, matrix.CREATE))


if __name__ == "__main__":
    matrix.need_command("node")
    matrix.need_file(os.path.join(MODULES, "mysql2"), "mysql2 of npm")
    matrix.main(globals())
