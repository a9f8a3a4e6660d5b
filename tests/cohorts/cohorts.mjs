// A destination of kind braze-cohorts as a user has it on its first day, on a bad day, and when the power goes.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { run, Sandbox, Server, temporaryFolder } from '../lib/programs.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { randomFrom, sleep, until } from '../lib/wait.mjs'
import { get, request, send } from '../lib/wire.mjs'

const DONE = 0
const MAKE = '/partners/segment/cohorts'
const CHANGE = '/partners/segment/cohorts/users'
const IDS_MAX = 1000

const cohortsConfig = (sandbox, { settings = {}, ...destination } = {}) => ({
  listen: '127.0.0.1:0',
  sources: [{ id: 'engage', write_key: 'WK' }],
  destinations: [
    {
      id: 'vips',
      kind: 'braze-cohorts',
      settings: { client_secret: 'CS', partner_api_key: 'PK', endpoint: sandbox.url, ...settings },
      batch_wait: '50ms',
      ...destination,
    },
  ],
})

/** What Engage sends when a user enters or leaves an audience. */
const audienceCall = (userId, isMember, { id = 'aud_1', key = 'vip', ...more } = {}) => ({
  userId,
  type: 'track',
  event: isMember ? 'Audience Entered' : 'Audience Exited',
  properties: { audience_key: key, [key]: isMember },
  context: { personas: { computation_class: 'audience', computation_id: id, computation_key: key } },
  ...more,
})

async function haveUsers(sandbox, ids) {
  for (let i = 0; i < ids.length; i += 75) {
    const attributes = ids.slice(i, i + 75).map(external_id => ({ external_id }))
    const answer = await request(`${sandbox.url}/users/track`, { method: 'POST', headers: { Authorization: 'Bearer sandbox-key' }, json: { attributes } })
    if (answer.status !== 201) throw new Error(answer.text)
  }
}

const cohortsOf = async (sandbox, id) => Object.keys((await sandbox.profile(id)).profile.cohorts ?? {})

/** The requests of this destination that Braze carried out, oldest first: { path, body }. */
async function heard(sandbox) {
  const { requests } = await get(`${sandbox.url}/sandbox/requests?limit=200`)
  return requests
    .filter(r => r.path.startsWith(MAKE) && (r.status === 201 || r.fault === 'drop'))
    .reverse()
    .map(r => ({ path: r.path, body: JSON.parse(r.body) }))
}

/** Each member's changes in the order in which Braze heard of them, repeats of a request left out: { u1: [true, false] }. */
function changesOf(requests) {
  const changes = {}
  for (const { path: where, body } of requests) {
    if (where !== CHANGE) continue
    for (const { user_ids, should_remove = false } of body.cohort_changes)
      for (const id of user_ids) {
        changes[id] ??= []
        if (changes[id].at(-1) !== !should_remove) changes[id].push(!should_remove)
      }
  }
  return changes
}

async function curl(server, call) {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-m', '20', '-u', 'WK:', '-H', 'Content-Type: application/json', '--data-binary', JSON.stringify(call), `${server.url}/v1/track`])
  return stdout
}

const deadLetters = async server => {
  const { out } = await run(['dead', 'list', '--data', path.join(server.folder, 'data'), '--json'])
  return out.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

// ------------------------------------------------------------------------------------------ the first day

async function firstDay() {
  const sandbox = await Sandbox.start()
  await haveUsers(sandbox, ['u1', 'u2'])
  const server = await Server.start(cohortsConfig(sandbox))
  checkEqual('curl: an audience call is acknowledged', await curl(server, audienceCall('u1', true)), '{"success": true}')
  await curl(server, audienceCall('u2', true))
  await server.drained()
  checkEqual('users who entered are members', [await cohortsOf(sandbox, 'u1'), await cohortsOf(sandbox, 'u2')], [['aud_1'], ['aud_1']])
  await curl(server, audienceCall('u1', false))
  await server.drained()
  checkEqual('a user who left is none', [await cohortsOf(sandbox, 'u1'), await cohortsOf(sandbox, 'u2')], [[], ['aud_1']])
  const [first, ...rest] = await heard(sandbox)
  checkEqual('the cohort is made first, as Segment does', [first.path, { ...first.body, created_at: '' }], [MAKE, { partner_api_key: 'PK', client_secret: 'CS', name: 'vip', cohort_id: 'aud_1', created_at: '' }])
  check('and only once', rest.length > 0 && rest.every(r => r.path === CHANGE), rest)
  checkEqual('a removal says so, as Segment does', rest.at(-1).body, { partner_api_key: 'PK', client_secret: 'CS', cohort_id: 'aud_1', cohort_changes: [{ user_ids: ['u1'], device_ids: [], aliases: [], should_remove: true }] })

  await curl(server, audienceCall('u1', true, { key: 'big spenders' }))
  await server.drained()
  checkEqual('a new name is told before the next change', (await heard(sandbox)).slice(-2).map(r => [r.path, r.body.name ?? r.body.cohort_id]), [[MAKE, 'big spenders'], [CHANGE, 'aud_1']])
  await server.stop()
  await server.restart()
  await curl(server, audienceCall('u2', false, { key: 'big spenders' }))
  await server.drained()
  checkEqual('a restart makes it again, which does no harm', (await heard(sandbox)).slice(-2).map(r => r.path), [MAKE, CHANGE])
  checkEqual('metrics count it like any destination', [await server.metric('spelter_objects_delivered_total', 'vips'), await server.metric('spelter_dead_letters_total', 'vips')], [1, 0])
  await curl(server, audienceCall('u1', true, { id: 'x'.repeat(20000) }))
  await server.drained()
  checkEqual('an endless id becomes a dead letter', (await deadLetters(server)).map(letter => [letter.code, letter.reason]), [['TOO_LARGE', "the cohort's id and name are longer than a request's may be"]])
  await server.stop()
  await sandbox.stop()
}

async function dryRun() {
  const folder = temporaryFolder()
  const config = path.join(folder, 'spelter.yaml')
  fs.writeFileSync(config, JSON.stringify({ ...cohortsConfig({ url: 'https://rest.fra-01.braze.eu' }), data: folder }))
  const events = [audienceCall('u1', true), { ...audienceCall('u2', true), integrations: { 'Braze Cohorts': false } }, { ...audienceCall('u3', false), integrations: { All: false, 'Braze Cohorts': true } }, { type: 'track', event: 'Bought', userId: 'u4' }]
  const { code, out } = await run(['map', '-c', config], { input: events.map(e => JSON.stringify({ timestamp: '2026-01-02T03:04:05.000Z', ...e })).join('\n') })
  const lines = out.trim().split('\n').map(line => JSON.parse(line))
  checkEqual('map shows both requests', [code, lines[0].requests.map(r => [r.method, new URL(r.url).pathname, r.headers.authorization])], [DONE, [['POST', MAKE, undefined], ['POST', CHANGE, undefined]]])
  checkEqual('an event may name the destination as Segment does', lines.map(line => line.requests.length), [2, 0, 2, 0])
  const partner = { ...cohortsConfig({ url: 'https://rest.fra-01.braze.eu' }, { settings: { partner: 'acme' } }), data: folder }
  fs.writeFileSync(config, JSON.stringify(partner))
  const other = await run(['map', '-c', config], { input: JSON.stringify(audienceCall('u1', true, { timestamp: '2026-01-02T03:04:05.000Z' })) })
  checkEqual('a partner of its own stands in the path', JSON.parse(other.out).requests.map(r => new URL(r.url).pathname), ['/partners/acme/cohorts', '/partners/acme/cohorts/users'])
}

// ------------------------------------------------------------------------------------------ many members

async function manyMembers() {
  const USERS = 2500
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const ids = Array.from({ length: USERS }, (_, n) => `user-${n}`)
  await haveUsers(sandbox, ids)
  const server = await Server.start(cohortsConfig(sandbox, { batch_wait: '1s' }))
  const calls = ids.flatMap(id => [audienceCall(id, true), audienceCall(id, true, { id: 'aud_2', key: 'new' })])
  for (let i = 0; i < calls.length; i += 500) await send(server, 'batch', { batch: calls.slice(i, i + 500) })
  await server.drained()
  const requests = await heard(sandbox)
  const changes = requests.filter(r => r.path === CHANGE)
  const sizes = changes.map(r => r.body.cohort_changes.reduce((n, c) => n + c.user_ids.length + c.device_ids.length + c.aliases.length, 0))
  note(`sizes of ${changes.length} changes: ${sizes}`)
  check('a change holds a thousand ids at most, and as many as there are', Math.max(...sizes) === IDS_MAX && sizes.length <= 12, sizes)
  checkEqual('every member is named once for each cohort', [sizes.reduce((a, b) => a + b), new Set(changes.flatMap(r => r.body.cohort_changes.flatMap(c => c.user_ids.map(id => `${r.body.cohort_id} ${id}`)))).size], [2 * USERS, 2 * USERS])
  checkEqual('each cohort is made once', requests.filter(r => r.path === MAKE).map(r => r.body.cohort_id).sort(), ['aud_1', 'aud_2'])
  checkEqual('members of both cohorts are there', await cohortsOf(sandbox, `user-${USERS - 1}`), ['aud_1', 'aud_2'])
  await server.stop()
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ bad input

async function badInput() {
  const sandbox = await Sandbox.start()
  await haveUsers(sandbox, ['u1'])
  const subscriptions = [
    {
      name: 'VIPs only',
      subscribe: 'type = "track"',
      partnerAction: 'syncAudiences',
      mapping: {
        external_id: { '@path': '$.userId' },
        cohort_id: { '@path': '$.context.personas.computation_id' },
        cohort_name: { '@path': '$.context.personas.computation_key' },
        personas_audience_key: 'vip',
        event_properties: { '@path': '$.properties' },
        time: { '@path': '$.timestamp' },
      },
    },
  ]
  const server = await Server.start(cohortsConfig(sandbox, { subscriptions }))
  const nameless = audienceCall('u1', true, { messageId: 'nameless' })
  delete nameless.context.personas.computation_key
  for (const call of [nameless, audienceCall('u1', true, { messageId: 'other', key: 'others' }), audienceCall(undefined, true, { anonymousId: 'a' }), audienceCall('u1', true)]) await curl(server, call)
  await server.drained()
  const letters = Object.fromEntries((await deadLetters(server)).map(letter => [letter.message_id, letter]))
  checkEqual('an event without computation_key, and one of another audience, become dead letters', Object.keys(letters).sort(), ['nameless', 'other'])
  checkEqual('the first says what is missing', [letters.nameless?.code, letters.nameless?.reason], ['PAYLOAD_VALIDATION_FAILED', "The root value is missing the required field 'cohort_name'."])
  checkEqual('the second says what does not match', [letters.other?.code, letters.other?.reason, letters.other?.subscription], ['PAYLOAD_VALIDATION_FAILED', 'The value of `personas computation key` and `personas_audience_key` must match.', 'VIPs only'])
  checkEqual('they hold up nobody', await cohortsOf(sandbox, 'u1'), ['aud_1'])
  checkEqual('nobody to change is nothing to do', await server.metric('spelter_events_skipped_total', 'nothing_to_do'), 1)
  const badTime = audienceCall('u1', false, { messageId: 'refused', id: 'x'.repeat(20), context: { personas: { computation_id: 'aud_3', computation_key: 'vip' } } })
  await sandbox.fault({ status: 400, body: '{"message":"cohort_id is not a valid string"}', times: 1, path: MAKE })
  await curl(server, badTime)
  await server.drained()
  const refused = (await deadLetters(server)).find(letter => letter.message_id === 'refused')
  checkEqual('what Braze refuses becomes one with its reason', [refused?.code, refused?.reason, refused?.object?.cohort_id], ['REQUEST_REFUSED', 'Braze answered 400: cohort_id is not a valid string', 'aud_3'])
  check('no secret gets into a dead letter', refused !== undefined && !/"CS"|"PK"/.test(JSON.stringify(refused)), refused)
  await server.stop()
  await sandbox.stop()
}

async function wrongSecret() {
  const workspace = path.join(temporaryFolder(), 'workspace.json')
  fs.writeFileSync(workspace, JSON.stringify({ api_keys: [{ key: 'sandbox-key' }], partners: [{ name: 'segment', partner_api_key: 'PK', client_secret: 'CS' }] }))
  const sandbox = await Sandbox.start({ options: ['--workspace', workspace] })
  await haveUsers(sandbox, ['u1'])
  const server = await Server.start(cohortsConfig(sandbox, { settings: { client_secret: 'wrong' } }))
  await curl(server, audienceCall('u1', true))
  await until('the wrong secret pauses the destination', async () => (await server.metric('spelter_destination_paused', 'vips')) === 1)
  const said = await until('the log says so', () => server.program.logged(/delivery to \S+ pauses/))
  check('a wrong secret pauses, and the log says what to check', /Braze answered 401: .*\(check client_secret, partner_api_key, partner and the endpoint\)/.test(said), said)
  checkEqual('and nothing is dropped', [await server.metric('spelter_dead_letters_total'), await server.metric('spelter_backlog_events')], [0, 1])
  server.writeConfig(cohortsConfig(sandbox))
  server.signal('SIGHUP')
  await server.drained()
  checkEqual('the right secret delivers what waited', await cohortsOf(sandbox, 'u1'), ['aud_1'])
  await server.stop()
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ a bad day

const USERS = ['t1', 't2', 't3', 't4', 't5']
const CALLS = 6 // of each user

const trouble = [
  { name: 'answers with 500 and recovers', fault: { status: 500, times: 3 }, retries: true },
  { name: 'answers with 429', fault: { status: 429, 'retry-after': 1, times: 2 }, retries: true },
  { name: 'locks the cohort', fault: { status: 423, times: 2 }, retries: true },
  { name: 'resets connections', fault: { kind: 'reset', times: 2 }, retries: true },
  { name: 'hangs', fault: { kind: 'hang', times: 2 }, retries: true },
  { name: 'carries out and then drops', fault: { kind: 'drop', times: 3 }, retries: true },
  { name: 'answers with a page of a proxy', fault: { kind: 'garbage', times: 4 } },
]

async function badDay({ name, fault, retries }) {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  await haveUsers(sandbox, USERS)
  await sandbox.fault({ ...fault, path: MAKE })
  const server = await Server.start(cohortsConfig(sandbox, { parity: 'strict', batching: 'per_action', rate_limit: '250000/1h', timeout: '1s', batch_wait: '20ms' }))
  const expected = Object.fromEntries(USERS.map(id => [id, []]))
  for (let n = 0; n < CALLS; n++)
    for (const id of USERS) {
      expected[id].push(n % 2 === 0)
      await send(server, 'track', audienceCall(id, n % 2 === 0))
    }
  await server.drained({ seconds: 90 })
  const requests = await heard(sandbox)
  checkEqual(`Braze ${name}: every change arrives, in each member's order`, changesOf(requests), expected)
  checkEqual(`Braze ${name}: the cohort is made before its members change`, requests[0]?.path, MAKE)
  checkEqual(`Braze ${name}: no dead letter`, await server.metric('spelter_dead_letters_total'), 0)
  if (retries) check(`Braze ${name}: retries are counted`, (await server.metric('spelter_requests_retried_total')) > 0)
  checkEqual(`Braze ${name}: the server ends well`, (await server.stop()).code, 0)
  await sandbox.stop()
}

async function giveUp() {
  const sandbox = await Sandbox.start()
  await haveUsers(sandbox, ['u1', 'u2'])
  await sandbox.fault({ status: 503, path: MAKE })
  const server = await Server.start(cohortsConfig(sandbox, { give_up_after: '1s' }))
  await curl(server, audienceCall('u1', true))
  await server.drained()
  const [letter] = await deadLetters(server)
  checkEqual('trouble without an end becomes a dead letter with its reason', [letter?.code, letter?.status, letter?.event?.userId], ['GAVE_UP', 503, 'u1'])
  await sandbox.clearFaults()
  await curl(server, audienceCall('u2', true))
  await server.drained()
  checkEqual('the next change makes the cohort that could not be made', (await heard(sandbox)).map(r => r.path), [MAKE, CHANGE])
  await curl(server, { ...letter.event, messageId: 'again' })
  await server.drained()
  checkEqual('the event of a dead letter can be sent again', [await cohortsOf(sandbox, 'u1'), await cohortsOf(sandbox, 'u2')], [['aud_1'], ['aud_1']])
  await server.stop()
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ the power goes

const KILLS = 6
const MEMBERS = 40

/** Calls of one user after the other, each again until it is acknowledged; the last one says what must be true in the end. */
async function sendUntilStopped(state, user) {
  for (let n = 0; !state.stopping || n === 0; n++) {
    const call = audienceCall(user, state.random() < 0.5, { messageId: `${user}-${n}` })
    for (;;) {
      const answer = await send(state.server, 'track', call).catch(() => null)
      if (answer?.status === 200) break
      await sleep(10)
    }
    state.acknowledged++
    state.member[user] = call.properties.vip
    await sleep(5)
  }
}

async function powerCuts() {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1e9)
  note(`CRASH_SEED=${seed}`)
  const random = randomFrom(seed)
  const sandbox = await Sandbox.start({ options: ['--no-limits', '--fault', 'latency=5..50'] })
  const users = Array.from({ length: MEMBERS }, (_, n) => `k${n}`)
  await haveUsers(sandbox, users)
  const server = await Server.start(cohortsConfig(sandbox, { batch_wait: '10ms' }))
  const state = { server, random, member: {}, acknowledged: 0, stopping: false }
  const senders = users.map(user => sendUntilStopped(state, user))
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + random() * 400)
    await server.stop('SIGKILL')
    await server.restart()
  }
  state.stopping = true
  await Promise.all(senders)
  await server.drained()
  const wrong = []
  for (const user of users) if ((await cohortsOf(sandbox, user)).includes('aud_1') !== state.member[user]) wrong.push(user)
  note(`${state.acknowledged} changes were acknowledged over ${KILLS} kills`)
  checkEqual(`kill -9, ${KILLS} times: in the end every member is what its last acknowledged call said`, wrong, [])
  checkEqual('kill -9: no dead letter', (await deadLetters(server)).length, 0)
  await server.stop()
  await sandbox.stop()
}

await suite(async () => {
  await Promise.all([firstDay(), dryRun(), manyMembers(), badInput(), wrongSecret(), giveUp(), powerCuts(), ...trouble.map(badDay)])
})
