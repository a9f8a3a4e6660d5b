// Kills the server, then the sandbox, with SIGKILL at random instants. What was acknowledged must arrive; what arrives
// twice must have been in flight. CRASH_ROUNDS says how many kills of the server, CRASH_SEED which instants.
import { plainConfig, Sandbox, Server, temporaryFolder } from '../lib/programs.mjs'
import { Sender } from '../lib/sender.mjs'
import { check, note, suite } from '../lib/tap.mjs'
import { randomFrom, sleep } from '../lib/wait.mjs'

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 40)
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1e6)
const BLOCK_ROUNDS = 40 // after so many kills everything is counted, and the sandbox starts empty
const SANDBOX_ROUNDS = Math.max(10, Math.floor(ROUNDS / 20))
const LIFE_MS_MAX = 600
const CONNECTIONS = 4
const BATCH_OBJECTS = 20
const IN_FLIGHT = CONNECTIONS * BATCH_OBJECTS

const destination = { connections: CONNECTIONS, batch_objects: BATCH_OBJECTS, batch_wait: '20ms' }
const random = randomFrom(SEED)

/** Some kills hit a server that is still starting, most one that is busy. */
async function liveAndDie(server) {
  if (random() < 0.2) {
    server.launch()
    await sleep(random() * 50)
  } else {
    await server.restart()
    await sleep(random() * LIFE_MS_MAX)
  }
  await server.stop('SIGKILL')
}

function report(what, result, kills, bound) {
  note(
    `${what}: ${kills} kills, ${result.acknowledged} events acknowledged, ${result.arrived} arrived, ` +
      `${result.lost.length} lost, ${result.duplicates} duplicates (at most ${bound})`,
  )
}

async function killServer() {
  // Answers that take a while make sure that requests are in flight at every kill.
  const options = ['--no-limits', '--fault', 'latency=10']
  const total = { acknowledged: 0, arrived: 0, lost: [], duplicates: 0, outOfOrder: 0 }
  let unknown = 0
  for (let done = 0; done < ROUNDS; done += BLOCK_ROUNDS) {
    const rounds = Math.min(BLOCK_ROUNDS, ROUNDS - done)
    const sandbox = await Sandbox.start({ options })
    const server = await Server.start(plainConfig(sandbox, { destination }))
    const sender = new Sender({ url: () => server.url, random })
    await sleep(random() * LIFE_MS_MAX)
    await server.stop('SIGKILL')
    for (let round = 1; round < rounds; round++) await liveAndDie(server)
    await server.restart()
    await sender.stop()
    await server.drained({ seconds: 120 })
    const result = await sender.compare(sandbox)
    for (const key of ['acknowledged', 'arrived', 'duplicates', 'outOfOrder']) total[key] += result[key]
    total.lost.push(...result.lost)
    unknown += sender.unknown
    await server.stop()
    await sandbox.stop()
  }
  // A request in flight at the kill may have been carried out, and one whose answer had come may not have been written
  // down yet: twice what fits into the connections.
  const bound = 2 * IN_FLIGHT * ROUNDS
  report('server', total, ROUNDS, bound)
  note(`server: ${unknown} requests of the client went without an answer`)
  check(`after ${ROUNDS} kills of the server every acknowledged event has arrived`, total.lost.length === 0 && total.acknowledged > 0, `lost: ${total.lost.slice(0, 10)}`)
  check(`kills of the server repeat no more than what was in flight`, total.duplicates <= bound, `${total.duplicates} duplicates`)
  check(`kills of the server leave each user's events in order`, total.outOfOrder === 0, `${total.outOfOrder} out of order`)
  check(`the kills of the server hit requests that were on their way`, unknown > 0 && total.duplicates > 0, { unknown, duplicates: total.duplicates })
}

async function killSandbox() {
  const options = ['--no-limits', '--data', temporaryFolder(), '--no-sync', '--fault', 'latency=10']
  const sandbox = await Sandbox.start({ options })
  const server = await Server.start(plainConfig(sandbox, { destination }))
  const sender = new Sender({ url: () => server.url, connections: 4, random })
  for (let round = 0; round < SANDBOX_ROUNDS; round++) {
    await sleep(random() * LIFE_MS_MAX)
    await sandbox.stop('SIGKILL')
    await sandbox.restart()
  }
  await sender.stop()
  await server.drained({ seconds: 120 })
  const result = await sender.compare(sandbox)
  const bound = IN_FLIGHT * SANDBOX_ROUNDS
  report('sandbox', result, SANDBOX_ROUNDS, bound)
  check(`after ${SANDBOX_ROUNDS} kills of the sandbox every acknowledged event has arrived`, result.lost.length === 0 && result.acknowledged > 0, `lost: ${result.lost.slice(0, 10)}`)
  check(`kills of the sandbox repeat no more than what was in flight`, result.duplicates <= bound, `${result.duplicates} duplicates`)
  check(`kills of the sandbox leave each user's events in order`, result.outOfOrder === 0, `${result.outOfOrder} out of order`)
  await server.stop()
  await sandbox.stop()
}

await suite(async () => {
  note(`CRASH_SEED=${SEED}`)
  await killServer()
  await killSandbox()
})
