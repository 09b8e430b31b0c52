#!/usr/bin/env node
// A node as @grpc/grpc-js sees it: health, definitions, writes, queries, errors, back-pressure, hostile bytes, stopping.
'use strict'

const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const net = require('net')
const path = require('path')

let grpc, loader
try {
  grpc = require('@grpc/grpc-js')
  loader = require('@grpc/proto-loader')
} catch (missing) {
  console.log('@grpc/grpc-js is not installed (make deps-test)')
  process.exit(77)
}

const src = process.env.QUANTA_SRC_DIR || path.join(__dirname, '../..')
const bin = path.join(process.env.QUANTA_BIN_DIR || path.join(src, 'build/release/bin'), 'quanta-node')
const work = process.env.TEST_TMP || fs.mkdtempSync('/tmp/quanta-grpc-js.')
if (!fs.existsSync(bin)) {
  console.log(`${bin} is missing (make)`)
  process.exit(process.env.QUANTA_BIN_DIR ? 1 : 77)
}

const options = { keepCase: true, longs: Number, enums: String, defaults: true, includeDirs: [src] }
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(path.join(src, 'proto', file), options))
const quanta = load('quanta.proto').quanta
const health = load('health.proto').grpc.health.v1
const status = grpc.status

const YAML = `tableName: t
primaryKey: id
attributes:
- fieldName: id
  type: Integer
  mappingStrategy: IntBSI
- fieldName: kind
  type: String
  mappingStrategy: StringEnum
`

// --- row batches (src/storage/batch.h) ---

const pad = (n) => (n + 7) & ~7

function batchOf (op, tableId, columns, rows) {
  const parts = columns.map((c) => {
    if (c.ints) {
      const b = Buffer.alloc(8 + rows * 8)
      c.ints.forEach((v, i) => b.writeBigInt64LE(BigInt(v), 8 + i * 8))
      return { kind: 0, width: 8, bytes: b }
    }
    const texts = c.texts.map((t) => Buffer.from(t))
    const b = Buffer.alloc(4 * (rows + 1))
    let at = 0
    texts.forEach((t, i) => { at += t.length; b.writeUInt32LE(at, 4 * (i + 1)) })
    return { kind: 3, width: 0, bytes: Buffer.concat([b, ...texts]) }
  })
  const head = Buffer.alloc(32 + 16 * parts.length)
  let offset = head.length
  const body = []
  parts.forEach((p, i) => {
    const d = 32 + 16 * i
    head.writeUInt16LE(columns[i].id, d)
    head.writeUInt8(p.kind, d + 2)
    head.writeUInt32LE(offset, d + 4)
    head.writeUInt32LE(p.bytes.length, d + 8)
    head.writeUInt8(p.width, d + 12)
    body.push(p.bytes, Buffer.alloc(pad(p.bytes.length) - p.bytes.length))
    offset += pad(p.bytes.length)
  })
  head.write('QBT1', 0, 'latin1')
  head.writeUInt32LE(offset, 4)
  head.writeUInt32LE(rows, 8)
  head.writeUInt16LE(parts.length, 12)
  head.writeUInt8(op, 14)
  head.writeUInt32LE(tableId, 16)
  head.writeUInt32LE(0xffffffff, 20)
  return Buffer.concat([head, ...body])
}

// Column i of a batch without NULLs, as numbers.
function intsOf (bytes, i, rows) {
  const d = 32 + 16 * i
  assert.strictEqual(bytes.readUInt8(d + 2), 0)
  const offset = bytes.readUInt32LE(d + 4)
  const width = bytes.readUInt8(d + 12)
  const presence = bytes.readUInt8(d + 3) & 1 ? pad(Math.ceil(rows / 8)) : 0
  const base = Number(bytes.readBigInt64LE(offset + presence))
  const out = []
  for (let r = 0; r < rows; r++) {
    const at = offset + presence + 8 + r * width
    out.push(base + (width === 8 ? Number(bytes.readBigInt64LE(at)) : bytes.readUIntLE(at, width)))
  }
  return out
}

// --- help ---

let child, port
const exited = () => new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))

function startNode () {
  child = spawn(bin, ['--hash-key', 'node-js', '--data-dir', path.join(work, 'data'), '--grpc-port', '0', '--http-port', '0',
    '--cores', '2', '--slots', '8'], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let out = ''
    child.once('exit', (code) => reject(new Error(`the node ended with ${code}`)))
    child.stdout.on('data', (d) => {
      out += d
      const m = /ready .*grpc=(\d+)/.exec(out)
      if (m) {
        port = Number(m[1])
        child.removeAllListeners('exit')
        resolve()
      }
    })
  })
}

function unary (client, method, request, metadata = new grpc.Metadata(), callOptions = {}) {
  return new Promise((resolve, reject) =>
    client[method](request, metadata, callOptions, (err, reply) => err ? reject(err) : resolve(reply)))
}

async function fails (promise, code, text) {
  const err = await promise.then(() => { throw new Error(`no error; wanted ${code}`) }, (e) => e)
  assert.strictEqual(err.code, code, `${err.code}: ${err.message}`)
  assert.match(err.details, text)
  return err
}

function collect (stream, onData = () => {}) {
  return new Promise((resolve, reject) => {
    stream.on('data', onData)
    stream.on('error', reject)
    stream.on('end', resolve)
  })
}

const clientOf = (service) =>
  new service(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': 1 << 26 }) // eslint-disable-line new-cap
const residentBytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// --- the scenarios, in order ---

const ROWS = 200000
let admin, index, table

async function healthChecks () {
  const h = clientOf(health.Health)
  for (const service of ['', 'quanta', 'quanta.BitmapIndex', 'Status']) {
    assert.strictEqual((await unary(h, 'Check', { service })).status, 'SERVING')
  }
  await fails(unary(h, 'Check', { service: 'other' }), status.NOT_FOUND, /unknown service/)
  const watch = h.Watch({ service: 'other' })
  await new Promise((resolve) => watch.once('data', (m) => {
    assert.strictEqual(m.status, 'SERVICE_UNKNOWN')
    watch.on('error', () => {})
    watch.cancel()
    resolve()
  }))
}

async function describe () {
  const d = await unary(admin, 'Describe', {})
  assert.strictEqual(d.name, 'node-js')
  assert.strictEqual(d.slot_bits, 3)
  assert.strictEqual(d.cores, 2)
  assert(d.ready)
}

async function definitions () {
  await unary(index, 'TableOperation', { operation: 'CREATE', schema: YAML })
  const err = await fails(unary(index, 'TableOperation', { operation: 'CREATE', schema: YAML }), status.ALREADY_EXISTS, /already exists/)
  assert.deepStrictEqual(err.metadata.get('quanta-error-code'), ['1050'])
  await fails(unary(index, 'TableOperation', { operation: 'CREATE', schema: 'a: [' }), status.UNKNOWN, /./)
  await fails(unary(index, 'TableOperation', { operation: 'DROP', table: 'none' }), status.NOT_FOUND, /Unknown table/)
  const c = await unary(admin, 'Catalog', {})
  const text = c.catalog.toString('utf8')
  table = {
    id: Number(/tableId: (\d+)/.exec(text)[1]),
    version: Number(/version: (\d+)/.exec(text)[1]),
    columns: [...text.matchAll(/fieldName: "(\w+)"\s+id: (\d+)/g)].map((m) => Number(m[2]))
  }
  assert.strictEqual(table.columns.length, 2, text)
  const again = await unary(admin, 'Catalog', { known: true, known_version: c.version })
  assert.strictEqual(again.catalog.length, 0)
}

async function writes () {
  const stream = index.BatchMutate()
  const replies = new Map()
  const done = collect(stream, (m) => replies.set(m.id, m))
  const step = 10000
  for (let from = 0, id = 1; from < ROWS; from += step, id++) {
    const ids = Array.from({ length: step }, (_, i) => from + i)
    const batch = batchOf(1, table.id, [{ id: table.columns[0], ints: ids },
      { id: table.columns[1], texts: ids.map((v) => `kind ${v % 7}`) }], step)
    stream.write({ id, client: 77, sequence: id, table_id: table.id, table_version: table.version, batch })
    if (id === 3) stream.write({ id: 1000, client: 77, sequence: id, table_id: table.id, table_version: table.version, batch })
  }
  stream.write({ id: 2000, table_id: table.id, table_version: table.version + 5, batch: Buffer.alloc(32) })
  stream.write({ id: 2001, table_id: table.id, table_version: table.version, batch: Buffer.from('nonsense') })
  stream.end()
  await done
  assert.strictEqual(replies.size, ROWS / step + 3)
  for (let id = 1; id <= ROWS / step; id++) assert.strictEqual(replies.get(id).inserted, step, JSON.stringify(replies.get(id)))
  assert.strictEqual(replies.get(1000).inserted, step, 'the first answer again')
  assert.strictEqual(replies.get(1000).rejected, 0)
  assert(replies.get(2000).failed && replies.get(2001).failed)
}

const countAll = { output: 'GROUPS', aggregates: [{ kind: 'COUNT_ROWS' }, { kind: 'MAX', column: 0 }], memory: 1 << 20 }
const query = (program, callOptions = {}, metadata = new grpc.Metadata()) =>
  index.Query({ table_version: table.version, program: { table_id: table.id, limit: '18446744073709551615', memory: 16 << 20, ...program } }, metadata, callOptions)

async function queries () {
  let rows = []
  let stats = []
  await collect(query({ ...countAll, analyze: true }), (m) => {
    stats = stats.concat(m.stats)
    if (m.batch.length) rows.push([intsOf(m.batch, 0, m.rows)[0], intsOf(m.batch, 1, m.rows)[0]])
  })
  assert.deepStrictEqual(rows, [[ROWS, ROWS - 1]])
  assert.deepStrictEqual(stats.map((s) => s.where).sort(), ['node-js core 0', 'node-js core 1'])
  rows = []
  await collect(query({
    output: 'ROWS',
    columns: [0],
    limit: 5,
    order: [{ output: 0, descending: true }],
    memory: 1 << 20,
    where: [{ kind: 'AND', children: 2 }, { kind: 'RANGE', column: 0, lo: 10, hi: 1000 },
      { kind: 'STRINGS', column: 1, strings: [Buffer.from('kind 3')] }]
  }), (m) => { if (m.batch.length) rows = rows.concat(intsOf(m.batch, 0, m.rows)) })
  assert.deepStrictEqual(rows, [997, 990, 983, 976, 969])
}

async function errors () {
  const wait = (call) => collect(call)
  const err = await fails(wait(index.Query({ table_version: table.version + 1, program: { table_id: table.id } })),
    status.FAILED_PRECONDITION, /changed/)
  assert.deepStrictEqual(err.metadata.get('quanta-error-code'), ['1412'])
  assert.strictEqual(err.metadata.get('quanta-catalog-version').length, 1)
  await fails(wait(query({ output: 'ROWS', columns: [9] })), status.UNKNOWN, /no column 9/)
  await fails(wait(index.Query({})), status.UNKNOWN, /valid QueryRequest/)
  await fails(unary(admin, 'Describe', {}, Object.assign(new grpc.Metadata(), {}), { deadline: Date.now() - 1000 }),
    status.DEADLINE_EXCEEDED, /./)
  const bad = new grpc.Metadata()
  bad.set('quanta-epoch', 'one')
  await fails(unary(admin, 'Describe', {}, bad), status.INVALID_ARGUMENT, /quanta-epoch/)
  const squeezed = new quanta.ClusterAdmin(`127.0.0.1:${port}`, grpc.credentials.createInsecure(),
    { 'grpc.default_compression_algorithm': 2 })
  await fails(unary(squeezed, 'Describe', {}), status.UNIMPLEMENTED, /identity|compress/)
  const none = grpc.makeGenericClientConstructor({
    None: { path: '/quanta.None/None', requestStream: false, responseStream: false, requestSerialize: (b) => b, responseDeserialize: (b) => b }
  })
  await fails(unary(clientOf(none), 'None', Buffer.from('x')), status.UNIMPLEMENTED, /unknown method/)
}

// A reader that stops holds the scan back, without memory of the node.
async function slowReader () {
  const before = residentBytes()
  const calls = []
  let rows = 0
  for (let i = 0; i < 20; i++) {
    const call = query({ output: 'ROWS', columns: [0, 1] })
    calls.push(collect(call, (m) => { rows += m.rows }))
    call.pause()
    setTimeout(() => call.resume(), 500 + 50 * i)
  }
  await sleep(450)
  const grown = residentBytes() - before
  if (!/-(address|thread|undefined)/.test(bin)) assert(grown < 64 << 20, `grew by ${grown >> 20} MiB`)
  await Promise.all(calls)
  assert.strictEqual(rows, 20 * ROWS)
}

async function cancelled () {
  for (let i = 0; i < 200; i++) {
    const call = query({ output: 'ROWS', columns: [0, 1] })
    await new Promise((resolve) => {
      call.on('error', (e) => { assert.strictEqual(e.code, status.CANCELLED); resolve() })
      call.once('data', () => call.cancel())
      call.on('end', resolve)
    })
  }
}

async function hostile () {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  let seed = 1
  const random = (n) => Buffer.from(Array.from({ length: n }, () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16))
  for (let i = 0; i < 200; i++) {
    await new Promise((resolve) => {
      const s = net.connect(port, '127.0.0.1', () => {
        s.write(i % 2 ? Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), random(300)]) : random(300))
        if (i % 3 === 0) s.destroy()
        else s.end()
      })
      s.on('error', () => {})
      s.on('close', resolve)
      s.resume()
    })
  }
  await describe()
}

async function stopping () {
  const h = clientOf(health.Health)
  const seen = []
  const watch = h.Watch({ service: 'quanta' })
  watch.on('error', () => {})
  const ended = new Promise((resolve) => watch.on('status', resolve))
  await new Promise((resolve) => watch.on('data', (m) => { seen.push(m.status); resolve() }))
  const gone = exited()
  child.kill('SIGTERM')
  const end = await gone
  assert.deepStrictEqual(end, { code: 0, signal: null })
  await ended
  assert.deepStrictEqual(seen, ['SERVING', 'NOT_SERVING'])
}

async function restarted () {
  await startNode()
  index = clientOf(quanta.BitmapIndex)
  const rows = []
  await collect(query(countAll), (m) => { if (m.batch.length) rows.push(intsOf(m.batch, 0, m.rows)[0]) })
  assert.deepStrictEqual(rows, [ROWS])
  child.kill('SIGTERM')
  assert.strictEqual((await exited()).code, 0)
}

process.on('exit', () => child && child.kill('SIGKILL'))
let running = 'the start'
setTimeout(() => {
  console.log(`${running} does not end`)
  process.exit(1)
}, 100000).unref()

async function main () {
  await startNode()
  admin = clientOf(quanta.ClusterAdmin)
  index = clientOf(quanta.BitmapIndex)
  for (const scenario of [healthChecks, describe, definitions, writes, queries, errors, slowReader, cancelled, hostile, stopping, restarted]) {
    const start = Date.now()
    running = scenario.name
    await scenario()
    console.log(`${scenario.name}: ${Date.now() - start} ms`)
  }
}

main().then(() => process.exit(0), (err) => {
  console.log(err.stack)
  process.exit(1)
})
