// The real Braze is behind TLS. Here the sandbox is, too: over HTTP/2 and HTTP/1.1, with good and bad certificates, and
// with connections that end at a bad moment.
import fs from 'node:fs'
import http2 from 'node:http2'
import path from 'node:path'
import { plainConfig, Sandbox, Server, temporaryFolder } from '../lib/programs.mjs'
import { Sender } from '../lib/sender.mjs'
import { check, checkEqual, note, suite } from '../lib/tap.mjs'
import { Authority, Proxy, Terminator } from '../lib/tls.mjs'
import { send } from '../lib/wire.mjs'
import { until } from '../lib/wait.mjs'

const OBJECTS = 10 // of a request
const CONNECTIONS = 4
const EVENTS = 300
const KEY = 'sandbox-key'
const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR } = http2.constants

// A terminator that cuts connections off. Every `every`th request has trouble: before the sandbox has seen it, or after.
// `repeats`: how many requests may then have been carried out without our knowing, each time.
const troubles = [
  { name: 'HTTP/2 is chosen where both are offered', repeats: 0 },
  { name: 'HTTP/2 works', version: '2.0', repeats: 0 },
  { name: 'HTTP/1.1 works', version: '1.1', repeats: 0 },
  { name: 'HTTP/2 says goodbye and finishes what it began', version: '2.0', every: 10, before: ({ session }) => void session.close(), repeats: 0 },
  // What it has begun may be answered too late for the client, which then cannot know.
  { name: 'HTTP/2 says goodbye to requests it has not begun', version: '2.0', every: 10, before: goAway, repeats: CONNECTIONS },
  { name: 'HTTP/2 refuses a stream', version: '2.0', every: 10, before: ({ stream }) => closeStream(stream, NGHTTP2_REFUSED_STREAM), repeats: 0 },
  { name: 'HTTP/2 carries out and breaks the stream', version: '2.0', every: 10, after: ({ stream }) => closeStream(stream, NGHTTP2_INTERNAL_ERROR), repeats: 1 },
  { name: 'HTTP/2 carries out and resets the connection', version: '2.0', every: 10, after: cut, repeats: CONNECTIONS },
  { name: 'HTTP/1.1 carries out and resets the connections', version: '1.1', every: 10, after: cut, repeats: CONNECTIONS },
  { name: 'HTTP/2 resets the connection at rest', version: '2.0', rest: terminator => terminator.cutWires(), repeats: 0 },
  { name: 'HTTP/1.1 resets the connections at rest', version: '1.1', rest: terminator => terminator.cutWires(), repeats: 0 },
  { name: 'HTTP/2 hears nothing more on its connection', version: '2.0', rest: terminator => terminator.freezeWires(), timeout: '3s', repeats: 0 },
  { name: 'HTTP/1.1 hears nothing more on its connections', version: '1.1', rest: terminator => terminator.freezeWires(), timeout: '3s', repeats: 0 },
]

function goAway({ terminator, session, stream }) {
  closeStream(stream, NGHTTP2_REFUSED_STREAM)
  terminator.leave(session)
  return true
}

function closeStream(stream, code) {
  stream.close(code)
  return true
}

function cut({ terminator }) {
  terminator.cutWires()
  return true
}

async function start(authority, { certificate, destination = {}, settings = {}, version, setup } = {}) {
  const sandbox = await Sandbox.start({ options: ['--no-limits', '--fault', 'latency=5..40'] })
  const terminator = await Terminator.start({ upstream: sandbox.url, certificate: certificate ?? (await authority.issue('localhost')), version })
  const config = plainConfig(terminator, { destination: { batch_objects: OBJECTS, batch_wait: '20ms', timeout: '20s', connections: CONNECTIONS, ...destination } })
  Object.assign(config.destinations[0].settings, { ca_file: authority.file }, settings)
  const server = await Server.start(config, { setup })
  const stop = async name => {
    checkEqual(`${name}: the server ends well`, (await server.stop()).code, 0)
    await terminator.stop()
    await sandbox.stop()
  }
  return { sandbox, terminator, config, server, stop }
}

async function checkTrouble(authority, { name, version, every, before, after, rest, timeout = '20s', repeats }) {
  const { sandbox, terminator, server, stop } = await start(authority, { version, destination: { timeout } })
  let times = 0
  const hook = act => call => {
    if (act === undefined || call.count % every !== 0) return false
    times++
    return act({ terminator, ...call }) ?? false
  }
  terminator.onRequest = hook(before)
  terminator.onAnswer = hook(after)

  const sender = new Sender({ url: () => server.url, connections: 3, batch: 5, pauseMs: 15 })
  await sender.more(EVENTS)
  await sender.stop()
  await server.drained()
  if (rest !== undefined) {
    rest(terminator)
    await send(server, 'track', { type: 'track', userId: 'rested', event: 'Counted', properties: { number: 1 } })
    await server.drained()
    checkEqual(`${name}: the next event arrives`, (await sandbox.stats()).events, sender.acknowledged.size + 1)
  }

  const result = await sender.compare(sandbox)
  const requests = terminator.requests[version ?? '2.0']
  note(`${name}: ${result.acknowledged} events in ${requests} requests over ${terminator.handshakes} connections, ${times} times trouble, ${result.duplicates} twice`)
  check(`${name}: every event arrives`, result.lost.length === 0, `lost: ${result.lost.slice(0, 10)}`)
  checkEqual(`${name}: the order of each user stays`, result.outOfOrder, 0)
  check(`${name}: nothing arrives twice but what was in flight`, result.duplicates <= times * repeats * OBJECTS, `${result.duplicates} duplicates`)
  checkEqual(`${name}: nothing becomes a dead letter`, await server.metric('spelter_dead_letters_total'), 0)
  check(`${name}: all requests speak it`, requests > 0 && requests === terminator.requests['1.1'] + terminator.requests['2.0'], terminator.requests)
  if (every !== undefined) check(`${name}: it happened more than once`, times > 1, `${times} times`)
  check(`${name}: requests overlap`, terminator.atOnce > 1)
  const connections = (version === '1.1' ? CONNECTIONS : 1) * (times + (rest === undefined ? 1 : 2))
  check(`${name}: connections are used again`, terminator.handshakes <= connections && terminator.handshakes < requests / 2, `${terminator.handshakes} handshakes`)
  check(`${name}: the API key never travels in clear`, !terminator.hasSeen(KEY))
  await stop(name)
}

// Servers that must not get the key. `logged`: what the log says to a person; `mend` makes it right again.
const distrusted = authorities => [
  {
    name: 'an expired certificate',
    certificate: () => authorities.known.issue('localhost', { days: -1 }),
    logged: [/certificate has expired/, /check the clock, else the server needs a new certificate/],
  },
  {
    name: "another host's certificate",
    certificate: () => authorities.known.issue('rest.example'),
    logged: [/no alternative certificate subject name matches target host name 'localhost'/, /check the endpoint/],
  },
  {
    name: 'a certificate of an unknown CA',
    certificate: () => authorities.unknown.issue('localhost'),
    logged: [/unable to get local issuer certificate/, /settings\.ca_file or the system's certificates/],
    mend: it => trust(it, authorities.unknown),
  },
  {
    name: 'a CA file that cannot be read',
    settings: { ca_file: brokenBundle() },
    logged: [/check settings\.ca_file/],
    mend: it => trust(it, authorities.known),
  },
]

async function trust({ config, server }, authority) {
  config.destinations[0].settings.ca_file = authority.file
  server.writeConfig(config)
  server.signal('SIGHUP')
  await until('the new config is in use', () => server.program.logged(/reload: .* is in use now/))
}

function brokenBundle() {
  const file = path.join(temporaryFolder(), 'broken.pem')
  fs.writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  return file
}

async function checkDistrust(authorities, { name, certificate, settings, logged, mend }) {
  const it = await start(authorities.known, { certificate: await certificate?.(), settings, destination: { give_up_after: '100ms' } })
  const { sandbox, terminator, server } = it
  const sender = new Sender({ url: () => server.url, connections: 2, batch: 5, pauseMs: 15 })
  await sender.more(50)
  const line = await until(`${name} pauses delivery`, () => server.program.logged(/delivery to .* pauses/))
  note(line)
  check(`${name}: the log names destination, address, reason and remedy`, [/braze: /, new RegExp(terminator.url), ...logged].every(part => part.test(line)), line)
  checkEqual(`${name}: the destination counts as paused`, await server.metric('spelter_destination_paused'), 1)
  const before = server.program.log.length
  await sender.more(50)
  await sender.stop()
  checkEqual(`${name}: no request gets through`, [terminator.requests, (await sandbox.stats()).events], [{ '1.1': 0, '2.0': 0 }, 0])
  checkEqual(`${name}: the log is not filled with it`, server.program.log.length, before)

  if (mend !== undefined) await mend(it)
  else terminator.setCertificate(await authorities.known.issue('localhost'))
  await server.drained()
  const result = await sender.compare(sandbox)
  checkEqual(`${name}: once it is right, everything arrives, once and in order`, [result.lost.length, result.arrived, result.duplicates, result.outOfOrder], [0, result.acknowledged, 0, 0])
  checkEqual(`${name}: nothing becomes a dead letter`, await server.metric('spelter_dead_letters_total'), 0)
  checkEqual(`${name}: nothing is paused any more`, await server.metric('spelter_destination_paused'), 0)
  check(`${name}: the API key never travels in clear`, !terminator.hasSeen(KEY))
  await it.stop(name)
}

async function checkOldTls(authority) {
  const name = 'a server that knows TLS 1.1 at most'
  const old = { ...(await authority.issue('localhost')), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  const { sandbox, terminator, server, stop } = await start(authority, { certificate: old })
  await send(server, 'track', { type: 'track', userId: 'u', event: 'Counted', properties: { number: 1 } })
  const line = await until('the log tells of it', () => server.program.logged(/is in trouble/))
  note(line)
  check(`${name}: the log names destination, address and reason`, [/braze: /, new RegExp(terminator.url), /protocol/].every(part => part.test(line)), line)
  checkEqual(`${name}: no request gets through`, terminator.requests, { '1.1': 0, '2.0': 0 })
  terminator.setCertificate(await authority.issue('localhost'))
  await server.drained()
  checkEqual(`${name}: once it is mended, the event arrives`, (await sandbox.stats()).events, 1)
  check(`${name}: the log says that it is over`, server.program.logged(/takes requests again/) !== undefined, server.program.lastLog())
  await stop(name)
}

async function checkRedirect(authority) {
  const name = 'a redirect to plain http'
  const { sandbox, terminator, server, stop } = await start(authority)
  const other = await Terminator.start({ upstream: sandbox.url, certificate: await authority.issue('localhost') })
  let isRedirecting = true
  terminator.onRequest = ({ response }) => {
    if (isRedirecting) response.writeHead(308, { location: `http://localhost:${other.port}/users/track` }).end()
    return isRedirecting
  }
  await send(server, 'track', { type: 'track', userId: 'u', event: 'Counted', properties: { number: 1 } })
  await until(`${name} pauses delivery`, async () => (await server.metric('spelter_destination_paused')) === 1)
  checkEqual(`${name}: is not followed`, [other.wires.size, other.hasSeen('POST')], [0, false])
  isRedirecting = false
  await server.drained()
  checkEqual(`${name}: once it is gone, the event arrives`, (await sandbox.stats()).events, 1)
  await other.stop()
  await stop(name)
}

async function checkProxy(authority) {
  const name = 'HTTPS_PROXY'
  const proxy = await Proxy.start()
  const { sandbox, terminator, server, stop } = await start(authority, { setup: `export HTTPS_PROXY=${proxy.url} NO_PROXY=` })
  const sender = new Sender({ url: () => server.url, connections: 3, batch: 5, pauseMs: 15 })
  await sender.more(50)
  await sender.stop()
  await server.drained()
  const result = await sender.compare(sandbox)
  checkEqual(`${name}: everything arrives through it, once`, [result.lost.length, result.duplicates], [0, 0])
  checkEqual(`${name}: it tunnels every connection`, [proxy.tunnels.length, proxy.tunnels[0].to], [terminator.handshakes, `localhost:${terminator.port}`])
  check(`${name}: it never sees the API key`, !JSON.stringify(proxy.tunnels).includes(KEY) && !terminator.hasSeen(KEY), proxy.tunnels)
  await stop(name)
  proxy.stop()
}

await suite(async () => {
  const [known, unknown] = await Promise.all([Authority.make(), Authority.make()])
  await Promise.all([
    ...troubles.map(trouble => checkTrouble(known, trouble)),
    ...distrusted({ known, unknown }).map(it => checkDistrust({ known, unknown }, it)),
    checkOldTls(known),
    checkRedirect(known),
    checkProxy(known),
  ])
})
