// An outage that lasts longer than events may wait: they become dead letters, and 'dead retry' sends each of them again,
// to the destination that had given it up and to no other, whatever ends in the midst of it.
import { plainConfig, run, Sandbox, Server } from '../lib/programs.mjs'
import { Sender } from '../lib/sender.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { randomFrom, sleep, until } from '../lib/wait.mjs'

const EVENTS = 5000
const KILLS_MAX = 40
const KILL_MS_MAX = 15 // about as long as two portions of letters take
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1e6)
const random = randomFrom(SEED)

const destination = { give_up_after: '100ms', connections: 4, batch_wait: '20ms' }

async function letters(server) {
  const { code, out, err } = await run(['dead', 'list', '--json', '--limit', '1000000', '-c', server.config])
  if (code !== 0) throw new Error(err)
  return out.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

async function retry(server, ...args) {
  const { code, out, err } = await run(['dead', 'retry', '--all', '--yes', '--json', '-c', server.config, ...args])
  return { code, err, ...(out === '' ? {} : JSON.parse(out)) }
}

/**
 * `count` events at least, all of which are dead letters of the sandbox, which is still away. With 500 they are given up in
 * time, with 400 at once.
 */
async function outage(server, sandbox, count, status) {
  await sandbox.fault({ status, path: '/users/track' })
  const sender = new Sender({ url: () => server.url, batch: 50, connections: 8 })
  await sender.more(count)
  await sender.stop()
  await server.drained({ seconds: 120 })
  return sender
}

/** A server with the destination `braze`, which is the sandbox, and one called `healthy`. */
async function startWithTwo() {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const healthy = await Sandbox.start({ options: ['--no-limits'] })
  const config = plainConfig(sandbox, { destination })
  config.destinations.push({ ...plainConfig(healthy).destinations[0], id: 'healthy' })
  return { sandbox, healthy, server: await Server.start(config) }
}

async function besideServer() {
  const what = 'dead retry beside a server'
  const { sandbox, healthy, server } = await startWithTwo()
  const sender = await outage(server, sandbox, 500, 500)
  const count = sender.acknowledged.size
  const before = await letters(server)
  checkEqual(`${what}: the outage made a letter of each event`, [before.length, (await sandbox.stats()).events], [count, 0])
  const received = await server.metric('spelter_events_received_total')

  checkEqual(`${what}: what is sent again in vain goes`, (await retry(server)).letters, count)
  await server.drained()
  const second = await letters(server)
  const first = new Set(before.map(letter => letter.id))
  check(`${what}: what is given up again makes new letters`, second.length === count && !second.some(letter => first.has(letter.id)), second.length)

  await sandbox.clearFaults()
  const done = await retry(server)
  checkEqual(`${what}: it tells what it did`, done, { code: 0, err: '', events: count, letters: count, refused: 0, unknown: [] })
  await server.drained()
  const result = await sender.compare(sandbox)
  checkEqual(`${what}: every event arrives once, in its user's order`, [result.arrived, result.lost.length, result.duplicates, result.outOfOrder], [count, 0, 0, 0])
  const other = await sender.compare(healthy)
  checkEqual(`${what}: the other destination sees none of them again`, [other.arrived, other.duplicates, (await healthy.stats()).events], [count, 0, count])
  checkEqual(`${what}: no letter is left`, (await letters(server)).length, 0)
  checkEqual(`${what}: the letters are counted`, [await server.metric('spelter_dead_letters_retried_total', 'braze'), await server.metric('spelter_dead_letters_retried_total', 'healthy')], [2 * count, 0])
  checkEqual(`${what}: the other one counts them as not its own`, await server.metric('spelter_events_skipped_total', 'destination="healthy",reason="destination"'), 2 * count)
  checkEqual(`${what}: nothing counts as newly received, nothing as a repeat`, [await server.metric('spelter_events_received_total'), await server.metric('spelter_events_duplicate_total')], [received, 0])

  checkEqual(`${what}: the server ends well`, (await server.stop()).code, 0)
  await sandbox.stop()
  await healthy.stop()
}

async function withoutServer() {
  const what = 'dead retry without a server'
  const { sandbox, healthy, server } = await startWithTwo()
  const sender = await outage(server, sandbox, 2500, 400)
  const count = sender.acknowledged.size
  await sandbox.clearFaults()
  await server.stop()
  checkEqual(`${what}: none of another destination`, await retry(server, '--destination', 'healthy'), { code: 0, err: '', events: 0, letters: 0, refused: 0, unknown: [] })
  checkEqual(`${what}: it tells what it did`, await retry(server, '--destination', 'braze'), { code: 0, err: '', events: count, letters: count, refused: 0, unknown: [] })
  checkEqual(`${what}: no letter is left`, (await letters(server)).length, 0)
  await server.restart()
  await server.drained()
  const result = await sender.compare(sandbox)
  checkEqual(`${what}: with the next server every event arrives once, in its user's order`, [result.arrived, result.lost.length, result.duplicates, result.outOfOrder], [count, 0, 0, 0])
  checkEqual(`${what}: the other destination sees none of them again`, (await healthy.stats()).events, count)
  await server.stop()
  await sandbox.stop()
  await healthy.stop()
}

/** Letters fill the journal to the last page: nothing can go again, nothing is lost by trying, and dropping makes room. */
async function fullJournal() {
  const what = 'dead retry in a full journal'
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox, { destination, journal: { size: '16MB' } }))
  await sandbox.fault({ status: 400, path: '/users/track' })
  const sender = new Sender({ url: () => server.url, batch: 50, connections: 8, padding: 600 })
  await until('no letter has room', () => server.program.logged(/cannot be stored/))
  sender.stopping = true // what was refused goes on asking until there is room
  await sandbox.clearFaults()
  const before = (await letters(server)).length
  const refused = await retry(server)
  checkEqual(`${what}: nothing goes, and it is said why`, [refused.code, refused.events, refused.letters, refused.err], [
    2,
    0,
    0,
    'spelter: no room: the disk is full, or the journal (a larger journal.size wants a restart); what was not sent again is a dead letter still\n',
  ])
  check(`${what}: every letter is still there`, (await letters(server)).length >= before && refused.refused >= before, { before, refused })
  const dropped = JSON.parse((await run(['dead', 'drop', '--all', '--yes', '--json', '-c', server.config])).out).letters
  await sender.stop()
  await server.drained()
  checkEqual(`${what}: with room again the others go`, (await retry(server)).code, 0)
  await server.drained()
  const result = await sender.compare(sandbox)
  checkEqual(`${what}: each event was dropped, as asked, or has arrived`, [dropped >= before, result.arrived + dropped, result.duplicates], [true, result.acknowledged, 0])
  await server.stop()
  await sandbox.stop()
}

async function killed() {
  const what = 'SIGKILL in the midst of dead retry'
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox, { destination }))
  const sender = await outage(server, sandbox, EVENTS, 400)
  const count = sender.acknowledged.size
  await sandbox.clearFaults()
  // Nothing is delivered meanwhile, so that each event is either a letter or waits in the journal.
  const config = plainConfig(sandbox, { destination: { ...destination, enabled: false } })
  await server.stop()
  server.writeConfig(config)
  let left = count
  let kills = 0
  let halves = 0
  while (left > 0 && kills++ < KILLS_MAX) {
    await server.restart()
    const before = await server.metric('spelter_journal_next')
    const retrying = retry(server)
    await until('the server has begun', () => server.program.logged(/sent again, as asked/), { everyMs: 1 })
    await sleep(random() * KILL_MS_MAX)
    await server.stop('SIGKILL')
    const { code, err } = await retrying
    const now = (await letters(server)).length
    if (now > 0) {
      halves++
      check(`${what}: the command says that the server is gone`, code === 2 && /^spelter: the server on .* does not answer: .*\n$/.test(err), { code, err })
    }
    await server.restart()
    const grown = (await server.metric('spelter_journal_next')) - before
    checkEqual(`${what}: each event is either a letter or in the journal (kill ${kills})`, grown + now, left)
    await server.stop('SIGKILL')
    left = now
  }
  note(`${what}: ${kills} kills, ${halves} of them in the midst, ${count} events, CRASH_SEED=${SEED}`)
  check(`${what}: it went on where it was`, left === 0 && halves > 0, { left, halves })
  server.writeConfig(plainConfig(sandbox, { destination }))
  await server.restart()
  await server.drained({ seconds: 120 })
  const result = await sender.compare(sandbox)
  checkEqual(`${what}: every event arrives once`, [result.arrived, result.lost.length, result.duplicates, result.outOfOrder], [count, 0, 0, 0])
  await server.stop()
  await sandbox.stop()
}

await suite(async () => {
  await Promise.all([besideServer(), withoutServer(), fullJournal(), killed()]) // the first one mostly waits
})
