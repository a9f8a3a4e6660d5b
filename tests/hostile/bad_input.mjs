// Bad input, one row each with the answer that it gets. A row is sent while a probe keeps sending good events.
import { gzipSync } from 'node:zlib'
import { check, checkEqual } from '../lib/tap.mjs'
import { run } from '../lib/programs.mjs'
import { basicAuth, exchange, request } from '../lib/wire.mjs'

const KB = 1024
const OK = { status: 200, body: { success: true } }
const refused = (message, code = 'invalid_request') => ({ status: 400, body: { success: false, message, code } })

const good = { userId: 'u', event: 'E' }
const text = value => JSON.stringify(value)
const nested = depth => `{"userId":"u","event":"E","properties":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`
const big = bytes => ({ ...good, properties: { text: 'x'.repeat(bytes) } })

/** Zeros that shrink about a thousand times. */
const bomb = megabytes => gzipSync(Buffer.alloc(megabytes * KB * KB), { level: 9 })

// `answer` is the whole answer. A row that is answered with success but holds something that cannot be kept names the dead
// letter that it leaves: [code, reason].
export const rows = [
  { name: 'no key', headers: { Authorization: '' }, body: text(good), answer: refused('An invalid write key was provided: there is none in the Authorization header, the body or the query') },
  { name: 'a wrong key', headers: basicAuth('nobody'), body: text(good), answer: refused('An invalid write key was provided: no source has this one') },
  { name: 'a key that is no base64', headers: { Authorization: 'Basic %%%%' }, body: text(good), answer: refused('An invalid write key was provided: there is none in the Authorization header, the body or the query') },
  { name: 'an empty body', body: '', answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'no JSON', body: 'hello', answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'truncated JSON', body: text(good).slice(0, -5), answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'JSON with something behind it', body: `${text(good)}x`, answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'an array at the top', body: '[1]', answer: refused('malformed JSON: the body must be an object, an event or {"batch": [...]}') },
  { name: 'nesting of 10,000', body: nested(10000), answer: refused(/^malformed JSON: .*deep/) },
  { name: 'nesting of 60', body: nested(57), answer: OK },
  { name: 'an event over 32 KB', body: text(big(33 * KB)), answer: refused(/^Exceed payload limit: the event has \d+ bytes, at most 32768 are allowed$/) },
  { name: 'an event over 32 KB in a batch', route: 'batch', body: text({ batch: [{ type: 'track', ...big(33 * KB) }, { type: 'track', ...good }] }), answer: OK, letter: ['too_large', /^batch\[0\]: Exceed payload limit: the event has \d+ bytes, at most 32768 are allowed$/] },
  { name: 'a body over 500 KB', route: 'batch', body: text({ batch: Array.from({ length: 20 }, () => ({ type: 'track', ...big(26 * KB) })) }), answer: refused(/^Exceed payload limit: the body has \d+ bytes, at most 512000 are allowed$/) },
  { name: 'a body of 10 MB', route: 'batch', body: 'x'.repeat(10 * KB * KB), answer: refused('Exceed payload limit: the body has 10485760 bytes, more than the limit of 512000') },
  { name: 'a body of 50 MB', route: 'batch', body: 'x'.repeat(50 * KB * KB), answer: 'closed' },
  { name: 'gzip that inflates to 1 GB', route: 'batch', headers: { 'Content-Encoding': 'gzip' }, body: bomb(1024), answer: refused(/^Exceed payload limit: /) },
  { name: 'gzip of 500 KB that inflates to 500 MB', route: 'batch', headers: { 'Content-Encoding': 'gzip' }, body: bomb(500), answer: refused(/^Exceed payload limit: /) },
  { name: 'broken gzip', route: 'batch', headers: { 'Content-Encoding': 'gzip' }, body: Buffer.from('1f8b0800aaaa', 'hex'), answer: refused(/gzip/) },
  { name: 'an unknown Content-Encoding', headers: { 'Content-Encoding': 'br' }, body: text(good), answer: refused('this Content-Encoding is not supported, expected gzip or none') },
  { name: '2,501 events in a batch', route: 'batch', body: text({ batch: Array.from({ length: 2501 }, () => ({ type: 'track', ...good })) }), answer: refused('Exceed payload limit: the batch has 2501 events, at most 2500 are allowed') },
  { name: 'invalid UTF-8', body: Buffer.concat([Buffer.from('{"userId":"'), Buffer.from([0xff, 0xfe]), Buffer.from('","event":"E"}')]), answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'a NUL inside the JSON', body: '{"userId":"u\0","event":"E"}', answer: refused(/^malformed JSON(:| at byte \d+:) [a-z]/) },
  { name: 'duplicate keys', body: '{"userId":"first","userId":"u","event":"E","event":"F"}', answer: OK },
  { name: 'an unknown route without a type', route: 'nonsense', body: text(good), answer: OK, letter: ['unknown_type', 'type must be identify, track, page, screen, group or alias'] },
  { name: 'an unknown type in a batch', route: 'batch', body: text({ batch: [{ type: 'purchase', ...good }] }), answer: OK, letter: ['unknown_type', 'batch[0]: type must be identify, track, page, screen, group or alias'] },
  { name: 'something that is no object in a batch', route: 'batch', body: text({ batch: [17] }), answer: OK, letter: ['bad_request', 'batch[0]: an event must be an object'] },
  { name: 'no userId and no anonymousId', body: text({ event: 'E' }), answer: OK, letter: ['no_user_anon_id', 'neither userId nor anonymousId is there'] },
  { name: 'GET instead of POST', method: 'GET', body: '', answer: refused(/^malformed JSON: events come with POST/) },
]

// Each member of the envelope with a value of a wrong type: what is kept, and what is not and why.
const wrongTypes = [
  ['track', { userId: true }, ['id_not_string', 'userId is a boolean, expected a string that is not empty']],
  ['track', { userId: { a: 1 } }, ['id_not_string', 'userId is an object, expected a string that is not empty']],
  ['track', { userId: '' }, ['id_not_string', 'userId is empty, expected a string that is not empty']],
  ['track', { userId: null, anonymousId: [1] }, ['id_not_string', 'anonymousId is an array, expected a string that is not empty']],
  ['track', { userId: 12 }],
  ['track', { event: 5 }, ['event_not_string', 'event is a number, expected a string']],
  ['track', { event: '' }, ['event_not_defined', "event is empty, expected the event's name"]],
  ['track', { properties: 'x' }, ['properties_not_object', 'properties is a string, expected an object']],
  ['track', { properties: null }],
  ['identify', { traits: [] }, ['traits_not_object', 'traits is an array, expected an object']],
  ['page', { name: 5 }, ['name_not_string', 'name is a number, expected a string']],
  ['screen', { category: {} }, ['category_not_string', 'category is an object, expected a string']],
  ['group', { groupId: false }, ['id_required', 'groupId is a boolean, expected a string that is not empty']],
  ['group', { groupId: 'g', traits: 1 }, ['traits_not_object', 'traits is a number, expected an object']],
  ['alias', { previousId: [] }, ['id_required', 'previousId is an array, expected a string that is not empty']],
  ['track', { context: 5 }],
  ['track', { context: [] }],
  ['track', { integrations: 'x' }],
  ['track', { timestamp: {} }],
  ['track', { timestamp: 'yesterday' }],
  ['track', { sentAt: [] }],
  ['track', { originalTimestamp: true }],
  ['track', { messageId: { a: 1 } }],
  ['track', { messageId: 7 }],
  ['track', { type: 9 }],
  ['track', { version: 'x', channel: 1, receivedAt: [] }],
]
for (const [route, members, letter] of wrongTypes)
  rows.push({ name: `${route} with ${text(members)}`, route, body: text({ ...good, ...members }), answer: OK, letter })
rows.push({ name: 'a batch that is no array', route: 'batch', body: text({ batch: { 0: good } }), answer: refused('batch must be an array of events') })
rows.push({ name: 'a write key that is no string', headers: { Authorization: '' }, body: text({ ...good, writeKey: 5 }), answer: refused('An invalid write key was provided: there is none in the Authorization header, the body or the query') })

// Bytes that are no proper HTTP. `null`: the connection is closed without an answer.
const head = 'POST /v1/track HTTP/1.1\r\nHost: h\r\nAuthorization: Basic V0s6\r\n'
const body = text(good)
export const rawRows = [
  { name: 'no HTTP at all', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', answer: 'closed' },
  { name: 'both Content-Length and Transfer-Encoding', bytes: `${head}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, answer: refused('both Content-Length and Transfer-Encoding are given, expected one of them') },
  { name: 'two Content-Lengths', bytes: `${head}Content-Length: ${body.length}\r\nContent-Length: 3\r\n\r\n${body}`, answer: refused('two Content-Length headers differ, expected one') },
  { name: 'white space before a colon', bytes: `${head}Content-Length : ${body.length}\r\n\r\n${body}`, answer: refused(/^a header's name holds a byte/) },
  { name: 'no Host', bytes: `POST /v1/track HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`, answer: refused('the Host header is missing') },
  { name: 'headers of 20 KB', bytes: `${head}X: ${'x'.repeat(20 * KB)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, answer: refused(/^the header section has \d+ bytes, more than the limit of 16384$/) },
  { name: 'a method that is no UTF-8', bytes: Buffer.from(`PO\xc3ST /v1/track HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}`, 'latin1'), answer: refused(/^malformed JSON: events come with POST/) },
]

const fits = (expected, actual) => (expected instanceof RegExp ? expected.test(actual) : expected === actual)

function judge(name, got, expected) {
  if (expected === 'closed') {
    check(`${name}: the connection is closed`, got === null || got.status === 400, got)
    return
  }
  let json = null
  try {
    json = JSON.parse(got.text)
  } catch {} // shows as a wrong answer
  const same = got !== null && got.status === expected.status && json !== null && Object.keys(expected.body).every(key => fits(expected.body[key], json[key])) && Object.keys(json).length === Object.keys(expected.body).length
  const saying = expected.body.message === undefined ? 'success' : `"${json?.message ?? got?.text}"`
  check(`${name}: ${expected.status} ${saying}`, same, { got: got && { status: got.status, text: got.text.slice(0, 300) }, expected })
}

/** Of the listener's letters; what Braze refuses comes at its own time and is none of ours here. */
async function newestLetter(server) {
  const { out } = await run(['dead', 'list', '-c', server.config, '--json', '--limit', '50'])
  const letters = out.split('\n').filter(line => line !== '')
  return letters.map(line => JSON.parse(line)).find(letter => letter.stage === 'ingest')
}

async function checkLetter(row, server, before) {
  const after = await newestLetter(server)
  if (row.letter === undefined) {
    checkEqual(`${row.name}: leaves no dead letter`, after?.id, before?.id)
    return
  }
  const [code, reason] = row.letter
  check(`${row.name}: leaves the dead letter ${code}`, after?.id > (before?.id ?? 0) && after.code === code && fits(reason, after.reason), after)
}

export async function checkRows(server) {
  for (const row of rows) {
    const before = row.answer === OK ? await newestLetter(server) : null
    const got = await request(`${server.url}/v1/${row.route ?? 'track'}`, {
      method: row.method ?? 'POST',
      headers: { ...basicAuth('WK'), 'Content-Type': 'application/json', ...row.headers },
      body: row.body,
    }).catch(() => null)
    judge(row.name, got, row.answer)
    if (row.answer === OK) await checkLetter(row, server, before)
  }
  for (const row of rawRows) judge(row.name, await exchange(server.address, row.bytes), row.answer)
}
