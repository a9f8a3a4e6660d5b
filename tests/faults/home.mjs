// Trouble on our own side: a full journal, a full disk, signals, a bad config.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { plainConfig, Sandbox, Server } from '../lib/programs.mjs'
import { Sender } from '../lib/sender.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { request, send } from '../lib/wire.mjs'
import { until } from '../lib/wait.mjs'

const track = (userId, number) => ({ type: 'track', userId, event: 'Counted', properties: { number } })
const health = server => request(`${server.url}/healthz`)

/** Sends until the server says that it has no room. */
async function fillUp(server, sender) {
  const refused = await until('the server refuses', () => sender.lastRefusal)
  note(`${sender.acknowledged.size} events were kept before the first refusal`)
  return refused
}

function checkRefusal(what, refused) {
  checkEqual(`${what}: clients get 503`, refused.status, 503)
  check(`${what}: clients are told when to come back`, Number(refused.headers['retry-after']) > 0, refused.headers)
  check(`${what}: the answer says that nothing was kept`, /nothing of this request was kept/.test(JSON.parse(refused.text).message), refused.text)
}

async function checkArrived(what, server, sandbox, sender) {
  await sender.stop()
  await server.drained({ seconds: 120 })
  const result = await sender.compare(sandbox)
  note(`${what}: ${result.acknowledged} acknowledged, ${result.arrived} arrived, ${result.duplicates} twice`)
  checkEqual(`${what}: afterwards every acknowledged event has arrived`, result.lost.length, 0)
  checkEqual(`${what}: nothing arrived that was refused, or twice`, [result.arrived, result.duplicates], [result.acknowledged, 0])
  checkEqual(`${what}: nothing became a dead letter`, await server.metric('spelter_dead_letters_total'), 0)
}

async function fullJournal() {
  const what = 'a full journal'
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox, { journal: { size: '8MB' } }))
  await sandbox.stop()
  const sender = new Sender({ url: () => server.url, batch: 20, padding: 500 })
  checkRefusal(what, await fillUp(server, sender))
  // Small requests may still find a last free page, so it is not 503 at every moment.
  const sick = await until('the health check says so', async () => (await health(server)).status === 503)
  check(`${what}: the health check says so`, sick)
  check(`${what}: the log says so`, server.program.logged(/cannot keep events/) !== undefined, server.program.lastLog())
  await sandbox.restart()
  await until('the server takes events again by itself', async () => (await health(server)).status === 200)
  await sender.more(1000)
  await checkArrived(what, server, sandbox, sender)
  check(`${what}: the log says when it is over`, server.program.logged(/keeping events again/) !== undefined, server.program.lastLog())
  checkEqual(`${what}: the server ends well`, (await server.stop()).code, 0)
  await sandbox.stop()
}

async function fullDisk() {
  const what = 'a full disk'
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  // Files of at most 24 MB: beyond it writes fail, as on a full disk, long before the journal is as large as it may be.
  const server = await Server.start(plainConfig(sandbox, { journal: { size: '64MB' } }), { setup: 'ulimit -S -f 24576' })
  await sandbox.stop()
  const sender = new Sender({ url: () => server.url, batch: 20, padding: 500 })
  checkRefusal(what, await fillUp(server, sender))
  checkEqual(`${what}: the server is still there`, server.program.exit, null)
  execFileSync('prlimit', ['--pid', String(server.program.pid), '--fsize=unlimited'])
  await sandbox.restart()
  await sender.more(1000)
  checkEqual(`${what}: the server takes events again by itself`, (await health(server)).status, 200)
  await checkArrived(what, server, sandbox, sender)
  checkEqual(`${what}: the server ends well`, (await server.stop()).code, 0)
  await sandbox.stop()
}

async function terminate() {
  const what = 'SIGTERM'
  const sandbox = await Sandbox.start({ options: ['--no-limits', '--fault', 'latency=100'] })
  const server = await Server.start(plainConfig(sandbox, { destination: { connections: 2, batch_objects: 10 } }))
  const sender = new Sender({ url: () => server.url, random: () => 1 })
  await sender.more(500)
  const asked = Date.now()
  const { code, signal } = await server.stop('SIGTERM')
  note(`${what}: took ${Date.now() - asked} ms`)
  checkEqual(`${what}: ends with exit code 0`, [code, signal], [0, null])
  const before = (await sandbox.stats()).events
  await server.restart()
  check(`${what}: what was not delivered stayed in the journal`, (await server.metric('spelter_journal_next')) > before, `${before} were delivered`)
  await checkArrived(what, server, sandbox, sender)
  await server.stop()
  await sandbox.stop()
}

async function reload() {
  const what = 'SIGHUP'
  const first = await Sandbox.start({ options: ['--no-limits'] })
  const second = await Sandbox.start({ options: ['--no-limits'] })
  const config = plainConfig(first)
  const server = await Server.start(config)
  let reloads = 0
  const reloadWell = async () => {
    server.writeConfig(config)
    server.signal('SIGHUP')
    reloads++
    await until('the new config is in use', () => server.program.log.filter(line => /reload: .* is in use now/.test(line)).length === reloads)
  }
  const newKey = () => send(server, 'track', track('new', 1), { key: 'WK2' })

  await send(server, 'track', track('before', 1))
  await server.drained()
  checkEqual(`${what}: an unknown key is refused before`, (await newKey()).status, 400)

  config.sources.push({ id: 'app', kind: 'segment', write_key: 'WK2' })
  config.destinations[0].settings.endpoint = second.url
  await reloadWell()
  checkEqual(`${what}: the new source's key is good at once`, (await newKey()).status, 200)
  await server.drained()
  checkEqual(`${what}: events go to the new address only`, [(await first.stats()).events, (await second.stats()).events], [1, 1])

  const lines = ['listen: 127.0.0.1:0', `data: ${server.folder}/data`, 'sources: [{id: other, write_key: OTHER}]', 'destinations:', '  - id: braze', '    batch_wate: 1s']
  fs.writeFileSync(server.config, lines.join('\n'))
  server.signal('SIGHUP')
  const refusal = await until('the bad config is refused', () => server.program.logged(/reload refused/))
  check(
    `${what}: a bad config is refused with its line`,
    refusal.includes(`the old config stays: ${server.config}:6: `) && refusal.includes("did you mean 'batch_wait'?"),
    refusal,
  )
  checkEqual(`${what}: after that the old keys are good, the new ones are not`, [(await newKey()).status, (await send(server, 'track', track('new', 2), { key: 'OTHER' })).status], [200, 400])
  await server.drained()
  checkEqual(`${what}: after that events are delivered as before`, (await second.stats()).events, 2)

  config.destinations[0].settings.api_key = 'wrong'
  await reloadWell()
  await until('the wrong API key pauses', async () => {
    await send(server, 'track', track('paused', 1))
    return (await server.metric('spelter_destination_paused')) === 1
  })
  check(`${what}: a wrong API key pauses the destination, and the health check says so`, JSON.parse((await health(server)).text).destinations[0].paused)
  const waiting = await server.metric('spelter_backlog_events')
  config.destinations[0].settings.api_key = 'sandbox-key'
  await reloadWell()
  await server.drained()
  checkEqual(`${what}: the right API key delivers what waited`, (await second.stats()).events, 2 + waiting)
  checkEqual(`${what}: the server ends well`, (await server.stop()).code, 0)
  await first.stop()
  await second.stop()
}

await suite(async () => {
  await Promise.all([fullJournal(), fullDisk(), terminate(), reload()])
})
