// A client that knows what it was promised: it sends events with their own numbers, and remembers each number that was
// answered with 200.
import http from 'node:http'
import { basicAuth, get, request } from './wire.mjs'
import { sleep, until } from './wait.mjs'

const RETRY_MS = 20
const EVENTS_A_USER = 400 // the sandbox shows the newest 1000 of a profile
const USERS_AT_A_TIME = 4 // of one connection

export class Sender {
  /**
   * `url()` gives the server's address of the moment. Each connection sends one batch after the other, so its users' events
   * have an order. A batch whose fate is unknown is sent again, with the same message ids, or given up, as `random` says. `pauseMs`: between two batches of a connection; `padding`: bytes that make an event larger.
   */
  constructor({ url, connections = 16, batch = 5, pauseMs = 0, padding = 0, random = () => 1 }) {
    this.url = url
    this.batch = batch
    this.pauseMs = pauseMs
    this.padding = 'x'.repeat(padding)
    this.random = random
    this.acknowledged = new Set()
    this.users = new Set()
    this.next = 0 // number of the next event
    this.unknown = 0 // batches without an answer
    this.refused = new Map() // status -> count
    this.lastRefusal = null
    this.stopping = false
    this.lines = Array.from({ length: connections }, (_, line) => this.sendOn(line))
  }

  /** No new batches; those on their way are finished. The server must be up. */
  async stop() {
    this.stopping = true
    await Promise.all(this.lines)
  }

  /** Waits until so many more events were acknowledged. */
  async more(count) {
    const enough = this.acknowledged.size + count
    await until(`${count} more events are acknowledged`, () => this.acknowledged.size >= enough)
  }

  makeBatch(line, sequence) {
    const numbers = Array.from({ length: this.batch }, () => this.next++)
    const events = numbers.map((number, i) => {
      const at = sequence + i
      const userId = `u${line}-${Math.floor(at / EVENTS_A_USER / USERS_AT_A_TIME)}-${at % USERS_AT_A_TIME}`
      this.users.add(userId)
      return { type: 'track', userId, event: 'Counted', messageId: `message-${number}`, properties: { number, padding: this.padding } }
    })
    return { numbers, body: JSON.stringify({ batch: events }) }
  }

  async sendOn(line) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    let sequence = 0
    while (!this.stopping) {
      const { numbers, body } = this.makeBatch(line, sequence)
      sequence += numbers.length
      await this.deliver(agent, numbers, body)
      if (this.pauseMs > 0) await sleep(this.pauseMs)
    }
    agent.destroy()
  }

  async deliver(agent, numbers, body) {
    for (;;) {
      const headers = { ...basicAuth('WK'), 'Content-Type': 'application/json' }
      const answer = await request(`${this.url()}/v1/batch`, { method: 'POST', body, headers, agent }).catch(() => null)
      if (answer?.status === 200) {
        for (const number of numbers) this.acknowledged.add(number)
        return
      }
      if (answer === null) this.unknown++
      else {
        this.refused.set(answer.status, (this.refused.get(answer.status) ?? 0) + 1)
        this.lastRefusal = answer
      }
      if (answer === null && this.random() < 0.3) return
      await sleep(RETRY_MS)
    }
  }

  /** What the sandbox holds of all this. */
  async compare(sandbox) {
    const seen = new Map()
    let outOfOrder = 0
    for (const userId of this.users) {
      const held = await get(`${sandbox.url}/sandbox/profiles/${userId}`).catch(() => null)
      let last = -1
      for (const { properties } of held?.received_events.reverse() ?? []) {
        const times = seen.get(properties.number) ?? 0
        seen.set(properties.number, times + 1)
        if (times === 0 && properties.number < last) outOfOrder++
        last = Math.max(last, properties.number)
      }
    }
    let duplicates = 0
    for (const times of seen.values()) duplicates += times - 1
    const lost = [...this.acknowledged].filter(number => !seen.has(number))
    return { acknowledged: this.acknowledged.size, arrived: seen.size, lost, duplicates, outOfOrder }
  }
}
