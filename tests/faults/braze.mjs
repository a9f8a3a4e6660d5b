// Each way in which Braze can be in trouble, while events keep coming: afterwards everything is there, and the metrics had
// told what was wrong.
import { plainConfig, Sandbox, Server } from '../lib/programs.mjs'
import { Sender } from '../lib/sender.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { request } from '../lib/wire.mjs'
import { until } from '../lib/wait.mjs'

const OBJECTS = 10 // of a request
const PATH = '/users/track'

// `faults` as the sandbox takes them. With `times` they end by themselves, the others are taken away once `shows` was seen:
// [metric, label] that must have grown. `repeats`: how many requests may have been carried out
// without our knowing. `rival`: somebody else uses up the account's rate limit.
const cases = [
  { name: 'answers with 500', faults: [{ status: 500, times: 5 }], shows: ['spelter_braze_requests_total', '5xx'], retries: true, repeats: 0 },
  { name: 'answers with 503 until it is mended', faults: [{ status: 503 }], shows: ['spelter_braze_requests_total', '5xx'], retries: true, repeats: 0 },
  { name: 'answers with 429 and Retry-After', faults: [{ status: 429, 'retry-after': 1, times: 3 }], shows: ['spelter_braze_requests_total', '429'], retries: true, repeats: 0 },
  { name: 'answers with 429 and X-RateLimit-Reset', options: ['--rate', 'track=20/2'], faults: [], rival: true, shows: ['spelter_braze_requests_total', '429'], retries: true, repeats: 0 },
  { name: 'answers with 401 until it is mended', faults: [{ status: 401 }], shows: ['spelter_destination_paused', ''], repeats: 0 },
  { name: 'answers with 403 until it is mended', faults: [{ status: 403 }], shows: ['spelter_destination_paused', ''], repeats: 0 },
  { name: 'hangs', faults: [{ kind: 'hang', times: 3 }], shows: ['spelter_braze_requests_total', 'none'], retries: true, repeats: 0 },
  { name: 'resets connections', faults: [{ kind: 'reset', times: 5 }], shows: ['spelter_braze_requests_total', 'none'], retries: true, repeats: 0 },
  { name: 'carries out and then drops', faults: [{ kind: 'drop', times: 5 }], shows: ['spelter_braze_requests_total', 'none'], retries: true, repeats: 5 },
  { name: 'carries out and answers with half a JSON', faults: [{ kind: 'truncate', times: 5 }], repeats: 5 },
  { name: "carries out and a proxy answers with its own page", faults: [{ kind: 'garbage', times: 5 }], repeats: 5 },
  { name: 'is slow', faults: [{ latency: '100..300', times: 20 }], repeats: 0 },
]

async function useUpLimit(sandbox) {
  const headers = { Authorization: 'Bearer sandbox-key' }
  while ((await request(`${sandbox.url}${PATH}`, { method: 'POST', headers, json: {} })).status !== 429);
}

async function checkCase({ name, options = ['--no-limits'], faults, rival, shows, retries, repeats }) {
  const sandbox = await Sandbox.start({ options })
  const destination = { batch_objects: OBJECTS, batch_wait: '20ms', timeout: '1s', connections: 4 }
  const server = await Server.start(plainConfig(sandbox, { destination }))
  const sender = new Sender({ url: () => server.url, connections: 3, batch: 5, pauseMs: 30 })
  await sender.more(20)
  for (const fault of faults) await sandbox.fault({ ...fault, path: PATH })
  const isShown = async () => {
    if (rival) await useUpLimit(sandbox)
    return (await server.metric(...shows)) > 0
  }
  if (shows !== undefined) await until(`${shows} shows that Braze ${name}`, isShown)
  if (faults.length > 0 && faults[0].times === undefined) {
    await sender.more(50)
    await sandbox.clearFaults()
  }
  await sender.more(100)
  await sender.stop()
  await server.drained({ seconds: 90 })

  const result = await sender.compare(sandbox)
  note(`Braze ${name}: ${result.acknowledged} acknowledged, ${result.arrived} arrived, ${result.duplicates} twice`)
  check(`Braze ${name}: every event arrives`, result.lost.length === 0, `lost: ${result.lost.slice(0, 10)}`)
  check(`Braze ${name}: at most ${repeats * OBJECTS} events arrive twice`, result.duplicates <= repeats * OBJECTS, `${result.duplicates} duplicates`)
  checkEqual(`Braze ${name}: the order of each user stays`, result.outOfOrder, 0)
  checkEqual(`Braze ${name}: nothing becomes a dead letter`, await server.metric('spelter_dead_letters_total'), 0)
  checkEqual(`Braze ${name}: no client was refused`, [...sender.refused], [])
  checkEqual(`Braze ${name}: afterwards nothing is paused`, await server.metric('spelter_destination_paused'), 0)
  if (retries) check(`Braze ${name}: retries are counted`, (await server.metric('spelter_requests_retried_total')) > 0)
  checkEqual(`Braze ${name}: the server ends well`, (await server.stop()).code, 0)
  await sandbox.stop()
}

await suite(async () => {
  await Promise.all(cases.map(checkCase)) // they mostly wait
})
