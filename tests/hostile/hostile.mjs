// Clients that mean no good, or know no better. All the while a probe sends good events and must be answered.
import http from 'node:http'
import { plainConfig, Sandbox, Server } from '../lib/programs.mjs'
import { check, checkEqual, note, skip, suite } from '../lib/tap.mjs'
import { connect, readAnswer, send } from '../lib/wire.mjs'
import { sleep, until } from '../lib/wait.mjs'
import { checkRows } from './bad_input.mjs'

const IDLE_TIMEOUT_S = 2
const PROBE_MS = 20
const IDLE_CONNECTIONS = 10000
const CROWD_ROUNDS = 30
// 64 MB for the bodies of all requests at once, 16 MB for known message ids, and the program itself.
const MEMORY_KB_MAX = 96 * 1024
// What the library keeps for a connection that says nothing.
const CONNECTION_KB_MAX = 6

/** Sends a good event again and again, over one connection and over new ones. */
class Probe {
  constructor(server) {
    this.server = server
    this.sent = 0
    this.bad = []
    this.slowestMs = 0
    this.stopping = false
    this.done = this.loop()
  }

  async loop() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.stopping) {
      const started = Date.now()
      const event = { userId: 'probe', event: 'Probe', properties: { number: this.sent } }
      const answer = await send(this.server, 'track', event, { agent: this.sent % 2 === 0 ? agent : false }).catch(error => ({ status: 0, text: String(error) }))
      this.sent++
      if (answer.status !== 200) this.bad.push(`${answer.status} ${answer.text}`)
      this.slowestMs = Math.max(this.slowestMs, Date.now() - started)
      await sleep(PROBE_MS)
    }
    agent.destroy()
  }

  async stop(what) {
    this.stopping = true
    await this.done
    note(`${what}: the probe sent ${this.sent} events, the slowest took ${this.slowestMs} ms`)
    check(`${what}: good events were answered with 200 all the while`, this.bad.length === 0 && this.sent > 0, this.bad.slice(0, 5).join('\n'))
  }
}

const requestHead = bytes => `POST /v1/track HTTP/1.1\r\nHost: h\r\nAuthorization: Basic V0s6\r\nContent-Length: ${bytes}\r\n\r\n`

/** One byte a second, in the headers or in the body. */
async function trickle(server, where, start, rest) {
  const socket = await connect(server.address)
  const answer = readAnswer(socket)
  socket.write(start)
  let sent = 0
  const timer = setInterval(() => socket.writable && sent < rest.length && socket.write(rest[sent++]), 1000)
  const got = await answer
  clearInterval(timer)
  check(`a sender that trickles ${where} is cut off`, sent < rest.length && (got === null || got.status >= 400), { sent, got })
}

async function hangUp(server) {
  const body = JSON.stringify({ userId: 'gone', event: 'E' })
  for (let n = 0; n < 300; n++) {
    const socket = await connect(server.address)
    const whole = requestHead(body.length) + body
    socket.write(whole.slice(0, Math.floor((whole.length * n) / 300)))
    if (n % 2 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
}

async function hangUpBeforeAnswer(server) {
  const body = JSON.stringify({ userId: 'gone', event: 'E' })
  for (let n = 0; n < 300; n++) {
    const socket = await connect(server.address)
    await new Promise(resolve => socket.write(requestHead(body.length) + body, resolve))
    socket.destroy()
  }
}

/** All clients send at the same moment, and again when all have their answers. */
async function crowd(server, clients) {
  const agents = Array.from({ length: clients }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }))
  let good = 0
  for (let round = 0; round < CROWD_ROUNDS; round++) {
    const answers = await Promise.all(agents.map((agent, n) => send(server, 'track', { userId: `crowd-${n}`, event: 'E' }, { agent }).catch(() => ({ status: 0 }))))
    good += answers.filter(answer => answer.status === 200).length
  }
  agents.forEach(agent => agent.destroy())
  checkEqual(`exactly ${clients} clients at once, ${CROWD_ROUNDS} times: each gets its 200`, good, clients * CROWD_ROUNDS)
}

/** Opens up to `count` connections that say nothing; fewer when this machine allows no more. */
async function openIdle(server, count) {
  const sockets = []
  while (sockets.length < count) {
    const some = await Promise.all(Array.from({ length: 100 }, () => connect(server.address).catch(() => null)))
    sockets.push(...some.filter(socket => socket !== null))
    if (some.includes(null)) break
  }
  for (const socket of sockets) socket.on('error', () => {})
  return sockets
}

function checkMemory(server, what, boundKb) {
  const peakKb = server.memoryKb('VmHWM')
  note(`${what}: memory now ${server.memoryKb('VmRSS')} kB, at most ${peakKb} kB, allowed ${boundKb} kB`)
  check(`${what}: memory stays within bounds`, peakKb <= boundKb, `${peakKb} kB`)
}

async function hostileClients(sandbox) {
  const config = plainConfig(sandbox, { limits: { idle_timeout: `${IDLE_TIMEOUT_S}s` } })
  const server = await Server.start(config)
  const probe = new Probe(server)
  const slow = [trickle(server, 'its headers', 'POST /v1/track HT', 'TP/1.1\r\nHost: h\r\n'), trickle(server, 'its body', requestHead(20), 'x'.repeat(20))]
  await checkRows(server)
  await hangUp(server)
  await hangUpBeforeAnswer(server)
  for (const clients of [127, 128, 129, 256]) await crowd(server, clients)
  await Promise.all(slow)
  await probe.stop('hostile clients')
  checkMemory(server, 'hostile clients', MEMORY_KB_MAX)
  await server.drained()
  const held = await sandbox.profile('probe')
  checkEqual('hostile clients: every event of the probe was delivered', held.profile.custom_events.find(e => e.name === 'Probe').count, probe.sent)
  checkEqual('hostile clients: the server ends well', (await server.stop()).code, 0)
}

async function idleConnections(sandbox) {
  const what = `${IDLE_CONNECTIONS} idle connections`
  const server = await Server.start(plainConfig(sandbox))
  const before = server.memoryKb('VmHWM')
  const probe = new Probe(server)
  const sockets = await openIdle(server, IDLE_CONNECTIONS)
  if (sockets.length < IDLE_CONNECTIONS) skip(what, `this machine allows only ${sockets.length} (ulimit -n, ports)`)
  else {
    await until('the probe went on for a while', () => probe.sent > 20)
    checkEqual(`${what}: are all kept open`, sockets.filter(socket => socket.destroyed).length, 0)
    await crowd(server, 128)
    checkMemory(server, what, before + MEMORY_KB_MAX / 4 + IDLE_CONNECTIONS * CONNECTION_KB_MAX)
  }
  await probe.stop(what)
  for (const socket of sockets) socket.destroy()
  await until('the server has let go of the connections', async () => (await send(server, 'track', { userId: 'after', event: 'E' })).status === 200)
  checkEqual(`${what}: the server ends well`, (await server.stop()).code, 0)
}

await suite(async () => {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  await hostileClients(sandbox)
  await idleConnections(sandbox)
  await sandbox.stop()
})
