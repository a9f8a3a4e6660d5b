// What stands before the real Braze: certificates, and a terminator that speaks HTTP/2 and HTTP/1.1 over TLS.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { temporaryFolder } from './programs.mjs'

const openssl = promisify(execFile).bind(null, 'openssl')
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A certificate authority of the test's own. */
export class Authority {
  static async make() {
    const authority = new Authority()
    authority.issued = 0
    authority.folder = temporaryFolder()
    authority.file = authority.path('ca.pem')
    await openssl(['req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=Test CA', '-keyout', authority.path('ca.key'), '-out', authority.file])
    return authority
  }

  path(name) {
    return path.join(this.folder, name)
  }

  /** { key, cert } for one host; negative `days` have passed already. */
  async issue(host, { days = 2 } = {}) {
    const name = `${host}-${++this.issued}`
    const [key, request, cert] = ['key', 'csr', 'pem'].map(ending => this.path(`${name}.${ending}`))
    await openssl(['req', '-new', ...NEW_KEY, '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', request])
    await openssl(['x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.path('ca.key'), '-set_serial', String(this.issued), '-copy_extensions', 'copy', '-days', String(days), '-out', cert])
    return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) }
  }
}

const listening = server =>
  new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port))
  })

/**
 * Passes requests on to `upstream`, the sandbox. What happens on the way:
 *
 *     client --wire (its bytes are kept)--> TLS --onRequest--> sandbox --onAnswer--> client
 *
 * The two hooks take { session, stream, response, count } and return true when they did away with the request
 * themselves.
 */
export class Terminator {
  /** `version`: the one it speaks alone; else the client may choose. */
  static async start({ upstream, certificate, version }) {
    const terminator = new Terminator()
    terminator.upstream = upstream
    terminator.agent = new http.Agent({ keepAlive: true })
    terminator.requests = { '1.1': 0, '2.0': 0 }
    terminator.inside = 0 // requests
    terminator.atOnce = 0 // the most of them
    terminator.handshakes = 0
    terminator.refused = 0 // handshakes that the client broke off
    terminator.begun = new WeakMap() // session: its highest stream that was passed on
    terminator.left = new WeakSet() // sessions that take no stream any more
    terminator.wires = new Set()
    terminator.clientBytes = []
    terminator.onRequest = () => false
    terminator.onAnswer = () => false
    const create = version === '1.1' ? https.createServer : http2.createSecureServer
    terminator.server = create({ allowHTTP1: version === undefined, ...certificate }, (request, response) => terminator.pass(request, response))
    terminator.server.on('secureConnection', () => terminator.handshakes++)
    terminator.server.on('tlsClientError', () => terminator.refused++)
    terminator.server.on('sessionError', () => {}) // a client that goes away
    terminator.innerPort = await listening(terminator.server)
    terminator.relay = net.createServer(wire => terminator.relayWire(wire))
    terminator.port = await listening(terminator.relay)
    return terminator
  }

  get url() {
    return `https://localhost:${this.port}`
  }

  /** New connections get this one; those that are open stay. */
  setCertificate(certificate) {
    this.server.setSecureContext(certificate)
  }

  /** Whether these bytes ever came over the wire as they are. */
  hasSeen(text) {
    return Buffer.concat(this.clientBytes).includes(text)
  }

  relayWire(wire) {
    const inner = net.connect(this.innerPort, '127.0.0.1')
    this.wires.add(wire)
    wire.on('data', bytes => this.clientBytes.push(bytes))
    wire.pipe(inner).pipe(wire)
    for (const [one, other] of [[wire, inner], [inner, wire]]) {
      one.on('error', () => {})
      one.on('close', () => {
        other.destroy()
        this.wires.delete(wire)
      })
    }
  }

  /** GOAWAY: streams that were not passed on are nobody's; the others are finished. */
  leave(session) {
    this.left.add(session)
    session.goaway(http2.constants.NGHTTP2_NO_ERROR, this.begun.get(session) ?? 0)
    session.close()
  }

  /** Ends every connection without a word. */
  cutWires() {
    for (const wire of this.wires) wire.resetAndDestroy()
  }

  /** Nothing more comes through on the connections there are; new ones are fine. */
  freezeWires() {
    for (const wire of this.wires) wire.unpipe().pause()
  }

  pass(request, response) {
    const parts = []
    request.on('error', () => {})
    response.on('error', () => {})
    request.on('data', part => parts.push(part))
    request.on('end', () => this.forward(request, response, Buffer.concat(parts)).catch(() => request.socket?.destroy()))
  }

  async forward(request, response, body) {
    await setImmediate() // Node's HTTP/2 must not be told to break off while it is still reading
    const count = ++this.requests[request.httpVersion]
    const call = { session: request.stream?.session, stream: request.stream, response, count }
    const { session, stream } = call
    if (this.left.has(session)) return void stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    if (this.onRequest(call)) return
    if (session !== undefined) this.begun.set(session, Math.max(stream.id, this.begun.get(session) ?? 0))
    this.atOnce = Math.max(this.atOnce, ++this.inside)
    const answer = await this.ask(request, body).finally(() => this.inside--)
    if (this.onAnswer(call)) return
    response.writeHead(answer.status, answer.headers)
    response.end(answer.body)
  }

  ask(request, body) {
    const headers = { authorization: request.headers.authorization, 'content-type': request.headers['content-type'], 'content-length': body.length }
    return new Promise((resolve, reject) => {
      const sent = http.request(this.upstream + request.url, { method: request.method, headers, agent: this.agent }, answer => {
        const parts = []
        answer.on('data', part => parts.push(part))
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode, headers: endToEnd(answer.headers), body: Buffer.concat(parts) }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  async stop() {
    this.cutWires()
    this.agent.destroy()
    this.relay.close()
    this.server.close()
  }
}

/** Headers without those that speak of one connection, which HTTP/2 forbids. */
function endToEnd({ connection, 'keep-alive': keepAlive, 'transfer-encoding': encoding, ...headers }) {
  return headers
}

/** A proxy that tunnels: `tunnels` are the heads of the CONNECT requests it got. */
export class Proxy {
  static async start() {
    const proxy = new Proxy()
    proxy.tunnels = []
    proxy.server = http.createServer((_, response) => response.writeHead(501).end())
    proxy.server.on('connect', (request, client, head) => {
      proxy.tunnels.push({ to: request.url, headers: request.headers })
      const [host, port] = request.url.split(':')
      const target = net.connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        target.write(head)
        target.pipe(client).pipe(target)
      })
      for (const [one, other] of [[target, client], [client, target]]) one.on('error', () => other.destroy())
    })
    proxy.url = `http://127.0.0.1:${await listening(proxy.server)}`
    return proxy
  }

  stop() {
    this.server.close()
    this.server.closeAllConnections()
  }
}
