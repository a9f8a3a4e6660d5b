// Verdicts as tests/README.md wants them: `ok SENTENCE`, `not ok SENTENCE`, and an exit code.
import { isDeepStrictEqual, inspect } from 'node:util'

let failed = 0

/** One verdict. `detail` says, when it is false, what was there instead. */
export function check(sentence, holds, detail = '') {
  if (holds) {
    console.log(`ok ${sentence}`)
    return
  }
  failed++
  if (detail !== '') note(typeof detail === 'string' ? detail : inspect(detail, { depth: 8, breakLength: 120 }))
  console.log(`not ok ${sentence}`)
}

export function checkEqual(sentence, actual, expected) {
  const show = value => (typeof value === 'string' ? value : inspect(value, { depth: 12, breakLength: 120 }))
  check(sentence, isDeepStrictEqual(actual, expected), `got      ${show(actual)}\nexpected ${show(expected)}`)
}

export function skip(sentence, why) {
  console.log(`ok ${sentence} # SKIP ${why}`)
}

/** For people: stays in the log. */
export function note(text) {
  console.log(text.replace(/^/gm, '# '))
}

/** Runs a whole test file; what it throws is a failure too. */
export async function suite(body) {
  const started = Date.now()
  try {
    await body()
  } catch (error) {
    failed++
    note(error.stack ?? String(error))
    console.log(`not ok the test runs to its end: ${String(error.message ?? error).split('\n')[0]}`)
  }
  note(`took ${((Date.now() - started) / 1000).toFixed(1)} s`)
  process.exit(failed === 0 ? 0 : 1)
}
