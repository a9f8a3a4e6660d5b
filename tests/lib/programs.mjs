// Starts and stops the programs under test, and leaves nothing behind: no process, no file.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { get, request } from './wire.mjs'
import { until } from './wait.mjs'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const spelter = path.resolve(root, process.env.SPELTER ?? 'build/spelter')

const LOG_LINES_SHOWN = 20

const running = new Set()
const folders = []

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

/** A folder of this test's own, gone at its end. */
export function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spelter-test-'))
  folders.push(folder)
  return folder
}

/** A program that goes on until it is stopped. */
export class Program {
  constructor(args, { ready, setup = '' } = {}) {
    // `setup` is shell text that runs first: limits that only the program shall have.
    this.child = setup === '' ? spawn(spelter, args) : spawn('bash', ['-c', `${setup}; exec "$0" "$@"`, spelter, ...args])
    this.log = []
    this.exit = null
    running.add(this.child)
    this.exited = new Promise(resolve => {
      this.child.on('close', (code, signal) => {
        running.delete(this.child)
        this.exit = { code, signal }
        resolve(this.exit)
      })
    })
    this.ready = new Promise((resolve, reject) => {
      this.child.on('error', reject) // the program is not there
      const onLine = line => {
        this.log.push(line)
        const match = ready.exec(line)
        if (match !== null) resolve(match[1])
      }
      for (const stream of [this.child.stdout, this.child.stderr]) eachLine(stream, onLine)
      this.exited.then(({ code, signal }) => reject(new Error(`${args[0]} ended with ${code ?? signal}:\n${this.lastLog()}`)))
    })
    this.ready.catch(() => {}) // whoever waits for it sees the error; killing it before is no error
  }

  get pid() {
    return this.child.pid
  }

  lastLog() {
    return this.log.slice(-LOG_LINES_SHOWN).join('\n')
  }

  logged(pattern) {
    return this.log.find(line => pattern.test(line))
  }

  signal(name) {
    this.child.kill(name)
  }

  /** Ends it and says how it ended. */
  async stop(signal = 'SIGTERM') {
    this.signal(signal)
    return this.exited
  }
}

function eachLine(stream, onLine) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', text => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    lines.forEach(onLine)
  })
}

/** Runs a command of spelter to its end. */
export async function run(args, { input = '', env = {}, cwd } = {}) {
  const child = spawn(spelter, args, { env: { ...process.env, ...env }, cwd })
  let out = ''
  let err = ''
  running.add(child)
  child.stdout.setEncoding('utf8').on('data', text => (out += text))
  child.stderr.setEncoding('utf8').on('data', text => (err += text))
  child.stdin.on('error', () => {}) // a command that does not read its input
  child.stdin.end(input)
  const code = await new Promise(resolve => child.on('close', resolve))
  running.delete(child)
  return { code, out, err }
}

export class Sandbox {
  /** `options` go to the command line. The address stays the same over a restart. */
  static async start({ options = [] } = {}) {
    const sandbox = new Sandbox()
    sandbox.options = options
    sandbox.address = '127.0.0.1:0'
    await sandbox.restart()
    return sandbox
  }

  async restart() {
    this.program = new Program(['sandbox', '--listen', this.address, '--json', ...this.options], { ready: /"address":"([^"]+)"/ })
    this.address = await this.program.ready
  }

  get url() {
    return `http://${this.address}`
  }

  stats() {
    return get(`${this.url}/sandbox/stats`)
  }

  profile(id) {
    return get(`${this.url}/sandbox/profiles/${encodeURIComponent(id)}`)
  }

  async fault(rule) {
    const answer = await request(`${this.url}/sandbox/faults`, { method: 'POST', json: rule })
    if (answer.status !== 201) throw new Error(`the sandbox refused a fault: ${answer.text}`)
  }

  async faults() {
    return (await get(`${this.url}/sandbox/faults`)).faults
  }

  clearFaults() {
    return request(`${this.url}/sandbox/faults`, { method: 'DELETE' })
  }

  stop(signal) {
    return this.program.stop(signal)
  }
}

/** A config with one source and one destination; `overrides` replace top-level keys, `destination` the destination's. */
export function plainConfig(sandbox, { destination = {}, ...overrides } = {}) {
  return {
    listen: '127.0.0.1:0',
    data: './data',
    sources: [{ id: 'web', kind: 'segment', write_key: 'WK' }],
    destinations: [
      {
        id: 'braze',
        kind: 'braze-cloud',
        settings: { api_key: 'sandbox-key', app_id: 'app', endpoint: sandbox.url },
        batch_wait: '50ms',
        ...destination,
      },
    ],
    ...overrides,
  }
}

export class Server {
  /** Any JSON is YAML, so the config is written as JSON. `setup`: see Program. */
  static async start(config, { folder = temporaryFolder(), setup = '' } = {}) {
    const server = new Server()
    server.folder = folder
    server.config = path.join(folder, 'spelter.yaml')
    server.writeConfig(config)
    await server.restart({ setup })
    return server
  }

  writeConfig(config) {
    const data = path.join(this.folder, 'data')
    fs.writeFileSync(this.config, JSON.stringify({ ...config, data }, null, 2))
  }

  /** Begins to start; `program.ready` gives the address. */
  launch({ setup = '' } = {}) {
    this.program = new Program(['run', '-c', this.config], { ready: /listens on http:\/\/(\S+)/, setup })
  }

  async restart(options) {
    this.launch(options)
    this.address = await this.program.ready
  }

  get url() {
    return `http://${this.address}`
  }

  /** Sum of a metric over its labels, or over those that contain `label`; without any, `absent`. */
  async metric(name, label = '', absent = undefined) {
    const { text } = await request(`${this.url}/metrics`)
    let sum = 0
    let found = false
    for (const line of text.split('\n')) {
      const match = /^([a-z_:]+)(\{[^}]*\})? (\S+)$/.exec(line)
      if (match === null || match[1] !== name || !(match[2] ?? '').includes(label)) continue
      sum += Number(match[3])
      found = true
    }
    if (!found && absent !== undefined) return absent
    if (!found) throw new Error(`no metric ${name}{${label}}`)
    return sum
  }

  /** Everything stored so far is settled, and no request is on its way. */
  async drained({ seconds = 60 } = {}) {
    await until(
      'the server has delivered everything',
      // A reload replaces a destination; between the old one and the new one it has no figures.
      async () => (await this.metric('spelter_backlog_events', '', NaN)) === 0 && (await this.metric('spelter_requests_in_flight', '', NaN)) === 0,
      { seconds },
    ).catch(error => {
      throw new Error(`${error.message}\n${this.program.lastLog()}`)
    })
  }

  /** Kilobytes of a line of /proc/PID/status: VmRSS, VmHWM. */
  memoryKb(line) {
    const status = fs.readFileSync(`/proc/${this.program.pid}/status`, 'utf8')
    return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(status)[1])
  }

  signal(name) {
    this.program.signal(name)
  }

  stop(signal) {
    return this.program.stop(signal)
  }
}
