// HTTP as the tests need it: plain requests, a keep-alive client that tells what was acknowledged, and raw bytes.
import http from 'node:http'
import net from 'node:net'

const REQUEST_SECONDS_MAX = 60

/** Sends one request, over a connection of its own unless there is an `agent`. `json` is sent as a JSON body. Gives { status, headers, text }. */
export function request(url, { method = 'GET', headers = {}, body, json, agent = false } = {}) {
  const payload = json === undefined ? body : JSON.stringify(json)
  return new Promise((resolve, reject) => {
    const sent = http.request(url, {
      method,
      agent,
      headers: {
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(payload === undefined ? {} : { 'Content-Length': Buffer.byteLength(payload) }),
        ...headers,
      },
      timeout: REQUEST_SECONDS_MAX * 1000,
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url}`)))
    sent.on('error', reject)
    sent.on('response', answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', part => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }))
      answer.on('error', reject)
      answer.on('aborted', () => reject(new Error('the answer was cut off')))
    })
    sent.end(payload)
  })
}

/** The JSON of a GET that must succeed. */
export async function get(url) {
  const answer = await request(url)
  if (answer.status !== 200) throw new Error(`GET ${url}: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text)
}

export const basicAuth = key => ({ Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` })

/** One keep-alive connection. */
export const oneConnection = () => new http.Agent({ keepAlive: true, maxSockets: 1 })

/** Sends a call to Segment's API. */
export const send = (server, route, json, { key = 'WK', ...options } = {}) =>
  request(`${server.url}/v1/${route}`, { method: 'POST', json, ...options, headers: { ...basicAuth(key), ...options.headers } })

export function connect(address) {
  const [, host, port] = /^(.*):(\d+)$/.exec(address)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host)
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Sends raw bytes and gives the first answer { status, headers, text }, or null when the connection ended without one. */
export async function exchange(address, bytes) {
  const socket = await connect(address)
  socket.write(bytes)
  return readAnswer(socket)
}

export function readAnswer(socket) {
  return new Promise(resolve => {
    let got = Buffer.alloc(0)
    const finish = answer => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('error', () => finish(null))
    socket.on('close', () => finish(parseAnswer(got)))
    socket.on('data', part => {
      got = Buffer.concat([got, part])
      const answer = parseAnswer(got)
      if (answer !== null) finish(answer)
    })
  })
}

/** A whole answer with a Content-Length, or null. */
function parseAnswer(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [statusLine, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  const body = bytes.subarray(end + 4)
  const length = Number(headers['content-length'] ?? 0)
  if (body.length < length) return null
  return { status: Number(statusLine.split(' ')[1]), headers, text: body.subarray(0, length).toString('utf8') }
}
