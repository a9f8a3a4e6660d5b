// Segment's own Node SDK, unmodified, with only its `host` changed: all that it sends arrives in Braze exactly once.
import { Analytics } from '@segment/analytics-node'
import { plainConfig, run, Sandbox, Server } from '../lib/programs.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { differences, sum } from './compare.mjs'
import { callsOf, CALLS_A_CUSTOMER, expectedFromOwn, expectedFromPresets, ownSubscriptions, visitorsCalls } from './shop.mjs'

const CUSTOMERS = 100
const VISITORS = 10

const cases = [
  { name: 'presets, combined batches', destination: { batching: 'combined' }, expected: expectedFromPresets, visitors: VISITORS },
  { name: 'own subscriptions, batches per action', destination: { batching: 'per_action', subscriptions: ownSubscriptions }, expected: expectedFromOwn, visitors: 0 },
]

/** Sends and waits until the SDK has an answer for each call. */
async function sendAll(host, calls) {
  const failures = []
  const analytics = new Analytics({ writeKey: 'WK', host, flushAt: 50, maxEventsInBatch: 50 })
  analytics.on('error', error => failures.push(error))
  let confirmed = 0
  for (const [method, argument] of calls)
    analytics[method](argument, error => {
      if (error === undefined) confirmed++
      else failures.push(error)
    })
  await analytics.closeAndFlush({ timeout: 60000 })
  return { confirmed, failures }
}

async function checkCase({ name, destination, expected, visitors }) {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox, { destination }))
  const customers = Array.from({ length: CUSTOMERS }, (_, n) => n)

  let sent = 0
  for (const round of [1, 2]) {
    const calls = customers.flatMap(customer => callsOf(customer, round))
    if (round === 1) calls.push(...visitorsCalls(visitors))
    const { confirmed, failures } = await sendAll(server.url, calls)
    check(`${name}: the SDK sees no error in round ${round}`, failures.length === 0 && confirmed === calls.length, { confirmed, of: calls.length, failures: failures.slice(0, 3) })
    sent += calls.length
    await server.drained() // newer values of the second round must not meet the first one's on the way
  }
  checkEqual(`${name}: ${sent} calls were sent and stored`, await server.metric('spelter_events_stored_total'), CUSTOMERS * CALLS_A_CUSTOMER + 2 * visitors)

  const wrong = []
  for (const customer of customers) {
    const text = differences(await sandbox.profile(`customer-${customer}`), expected(customer))
    if (text !== '') wrong.push(`customer-${customer}: ${text}`)
  }
  check(`${name}: all ${CUSTOMERS} profiles have each attribute, event and purchase exactly once`, wrong.length === 0, `${wrong.length} profiles differ\n${wrong.slice(0, 3).join('\n')}`)

  for (let n = 0; n < visitors; n++) {
    const held = await sandbox.profile(`visitor${n}@mail.example`).catch(error => error.message)
    const events = held.received_events?.map(e => [e.name, e.properties])
    if (JSON.stringify(events) !== JSON.stringify([['Newsletter Opened', { n }]])) wrong.push(`visitor ${n}: ${JSON.stringify(held)}`)
  }
  if (visitors > 0) check(`${name}: visitors are known by their email address alone`, wrong.length === 0, wrong.slice(0, 3).join('\n'))

  const stats = await sandbox.stats()
  const all = customers.map(expected)
  checkEqual(`${name}: Braze took as many events as there should be`, stats.events, sum(all, e => e.events.length) + visitors)
  checkEqual(`${name}: Braze took as many purchases as there should be`, stats.purchases, sum(all, e => e.purchases.length))
  checkEqual(`${name}: Braze took as many attribute objects as there were identify calls`, stats.attributes, 2 * CUSTOMERS)
  checkEqual(`${name}: Braze refused nothing`, stats.objects_rejected, 0)
  note(`${name}: ${sent} calls became ${stats.requests} requests`)

  const dead = await run(['dead', 'list', '-c', server.config, '--json', '--limit', '1000'])
  const letters = dead.out.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line))
  check(
    `${name}: only who cannot be known in Braze became a dead letter, with the reason`,
    letters.length === visitors && letters.every(l => /One of "external_id"/.test(l.reason) && l.event.event === 'Nobody Knows Me'),
    { code: dead.code, err: dead.err, letters: letters.slice(0, 2) },
  )
  const { code } = await server.stop()
  checkEqual(`${name}: the server ends well`, code, 0)
  await sandbox.stop()
}

await suite(async () => {
  for (const one of cases) await checkCase(one)
})
