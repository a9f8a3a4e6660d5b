// Plain curl, one call at a time, on each route in both forms, and batches, plain and as gzip.
import { execFile } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { plainConfig, Sandbox, Server } from '../lib/programs.mjs'
import { check, checkEqual, suite } from '../lib/tap.mjs'

const SUCCESS = '200 {"success": true}'

/** Every type of call becomes an event, so that each can be found again. */
const subscription = (type, name, properties) => ({
  name: type,
  enabled: true,
  subscribe: `type = "${type}"`,
  partnerAction: 'trackEvent',
  mapping: { external_id: { '@path': '$.userId' }, name, time: { '@path': '$.timestamp' }, properties, enable_batching: true },
})
const subscriptions = [
  subscription('identify', 'Identified', { '@path': '$.traits' }),
  subscription('track', { '@path': '$.event' }, { '@path': '$.properties' }),
  subscription('page', { '@template': 'Page {{name}}' }, { '@path': '$.properties' }),
  subscription('screen', { '@template': 'Screen {{name}}' }, { '@path': '$.properties' }),
  subscription('group', { '@template': 'Joined {{groupId}}' }, { '@path': '$.traits' }),
  subscription('alias', { '@template': 'Was {{previousId}}' }, { '@path': '$.properties' }),
]

const calls = [
  { type: 'identify', short: 'i', body: { traits: { n: 1 } }, event: 'Identified' },
  { type: 'track', short: 't', body: { event: 'Bought', properties: { n: 1 } }, event: 'Bought' },
  { type: 'page', short: 'p', body: { name: 'Home', properties: { n: 1 } }, event: 'Page Home' },
  { type: 'screen', short: 's', body: { name: 'Cart', properties: { n: 1 } }, event: 'Screen Cart' },
  { type: 'group', short: 'g', body: { groupId: 'acme', traits: { n: 1 } }, event: 'Joined acme' },
  { type: 'alias', short: 'a', body: { previousId: 'old', properties: { n: 1 } }, event: 'Was old' },
]

/** How a key may come along: curl's arguments, members of the body, and what follows the address. */
const keys = {
  'Basic auth': { args: ['-u', 'WK:'] },
  'the body': { body: { writeKey: 'WK' } },
  'the query': { query: '?writeKey=WK' },
}

async function curl(...args) {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-m', '20', '-w', '\n%{http_code}', ...args])
  const at = stdout.lastIndexOf('\n')
  return `${stdout.slice(at + 1)} ${stdout.slice(0, at)}`
}

const post = (url, json, args = []) => curl('-H', 'Content-Type: application/json', '--data-binary', JSON.stringify(json), ...args, url)

const eventsOf = async (sandbox, userId) => {
  const held = await sandbox.profile(userId).catch(() => ({ received_events: [] }))
  return held.received_events.map(({ name, properties }) => [name, properties])
}

async function checkMode(batching) {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox, { destination: { batching, subscriptions } }))
  const expected = new Map()
  const refused = []

  for (const { type, short, body, event } of calls)
    for (const route of [type, short])
      for (const [where, key] of Object.entries(keys)) {
        const userId = `${route}-${where}`
        const answer = await post(`${server.url}/v1/${route}${key.query ?? ''}`, { userId, ...body, ...key.body }, key.args)
        expected.set(userId, [[event, { n: 1 }]])
        if (answer !== SUCCESS) refused.push(`${route} with the key in ${where}: ${answer}`)
      }
  check(`curl, ${batching}: every route takes its call in both forms, with the key in any place`, refused.length === 0, refused.join('\n'))

  const batchOf = (userId, count) => ({
    batch: Array.from({ length: count }, (_, n) => ({ type: 'track', userId, event: 'Listed', properties: { n } })),
    sentAt: new Date().toISOString(),
  })
  const listed = count => Array.from({ length: count }, (_, n) => ['Listed', { n }])
  for (const route of ['batch', 'b', 'import']) {
    const answer = await post(`${server.url}/v1/${route}`, batchOf(`list-${route}`, 40), ['-u', 'WK:'])
    expected.set(`list-${route}`, listed(40))
    checkEqual(`curl, ${batching}: a batch on /v1/${route} is taken`, answer, SUCCESS)
  }

  const file = path.join(server.folder, 'batch.gz')
  fs.writeFileSync(file, gzipSync(JSON.stringify(batchOf('zipped', 300))))
  const answer = await curl('-u', 'WK:', '-H', 'Content-Encoding: gzip', '-H', 'Content-Type: application/json', '--data-binary', `@${file}`, `${server.url}/v1/batch`)
  expected.set('zipped', listed(300))
  checkEqual(`curl, ${batching}: a gzip batch of 300 is taken`, answer, SUCCESS)

  const pixel = Buffer.from(JSON.stringify({ writeKey: 'WK', userId: 'pixel', event: 'Mail Opened', properties: { n: 1 } })).toString('base64')
  const picture = await curl('-o', path.join(server.folder, 'pixel'), `${server.url}/v1/pixel/track?data=${encodeURIComponent(pixel)}`)
  expected.set('pixel', [['Mail Opened', { n: 1 }]])
  checkEqual(`curl, ${batching}: the pixel answers with a picture`, picture.trim() + ' ' + fs.readFileSync(path.join(server.folder, 'pixel'), 'latin1').slice(0, 6), '200 GIF89a')

  await server.drained()
  const wrong = []
  for (const [userId, events] of expected) {
    const held = await eventsOf(sandbox, userId)
    held.reverse() // newest first
    if (JSON.stringify(held) !== JSON.stringify(events)) wrong.push(`${userId}: ${JSON.stringify(held).slice(0, 300)}`)
  }
  check(`curl, ${batching}: each call of ${expected.size} users arrived exactly once, in the order of its user`, wrong.length === 0, wrong.slice(0, 5).join('\n'))
  let count = 0
  for (const events of expected.values()) count += events.length
  checkEqual(`curl, ${batching}: Braze took nothing else`, (await sandbox.stats()).events, count)
  await server.stop()
  await sandbox.stop()
}

await suite(async () => {
  for (const batching of ['combined', 'per_action']) await checkMode(batching)
})
