// Waiting for something to become true: the deadline only bounds how long a broken program may hold up the test.
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Asks until the answer is truthy and returns it. */
export async function until(what, ask, { seconds = 60, everyMs = 25 } = {}) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain until ${what}`)
    await sleep(everyMs)
  }
}

/** A generator that gives the same numbers for the same seed (mulberry32): 0 to 1, 1 excluded. */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
