'use strict'
/*
 * Does our JSON print like JavaScript's? node json_text.js JSON-ECHO [SEED]
 *
 * Every case is a line of JSON; JSON-ECHO (json_echo.c) must print what JSON.stringify(JSON.parse(line)) prints.
 */
const { spawnSync } = require('child_process')

const DOUBLES = 20000
const DOCUMENTS = 5000
const FAILURES_SHOWN = 10

const [echo, seedText = '1'] = process.argv.slice(2)

// xorshift32: the same cases for the same seed on every machine.
let state = (Number(seedText) * 2654435761 + 1) >>> 0 || 1
function random32 () {
  state ^= state << 13
  state >>>= 0
  state ^= state >>> 17
  state ^= state << 5
  state >>>= 0
  return state
}
const below = (n) => random32() % n
const pick = (list) => list[below(list.length)]

const bits = new DataView(new ArrayBuffer(8))
function anyDouble () {
  bits.setUint32(0, random32())
  bits.setUint32(4, random32())
  const number = bits.getFloat64(0)
  return Number.isFinite(number) ? number : 0
}

function neighbour (number) {
  bits.setFloat64(0, number)
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(below(5) - 2))
  const moved = bits.getFloat64(0)
  return Number.isFinite(moved) ? moved : number
}

const doubleKinds = [
  anyDouble, // mostly huge or tiny
  () => (random32() - 2147483648) / pick([1, 2, 8, 10, 100, 1000, 1e6, 1e9]), // prices, coordinates
  () => neighbour(10 ** (below(632) - 324)) || 1, // where notation and digit count change
  () => neighbour(pick([2 ** 53, 2 ** 63, 2 ** 64, 1e21, 1e-6, 1e-7, 5e-324, Number.MAX_VALUE, 0.1])),
  () => below(1000) * 10 ** below(22),
  () => random32() * 4294967296 + random32()
]

function doubleText () {
  const number = pick(doubleKinds)() * pick([1, 1, -1])
  return pick([
    () => String(number),
    () => number.toPrecision(17),
    () => number.toExponential(below(21)),
    () => number.toExponential(17).replace('e+', pick(['e', 'E', 'e+0', 'E+']))
  ])()
}

// Numbers as no double can hold them: JavaScript rounds, or overflows to what prints as null.
function longNumberText () {
  let digits = String(1 + below(9))
  for (let left = below(40) + (below(50) === 0 ? 600 : 0); left > 0; left--) digits += below(10)
  return pick(['', '-']) + pick([
    () => digits,
    () => `0.${digits}`,
    () => `${digits}.${digits}`,
    () => `${digits}e${below(700) - 350}`,
    () => `0.${'0'.repeat(below(600))}${digits}e${below(900)}`
  ])()
}

const characters = ['a', 'Z', '0', ' ', '"', '\\', '/', '\b', '\f', '\n', '\r', '\t', '\0', '\x1f', '\x7f', '\x80', 'é',
  '\u2028', '\ufeff', '\uffff', '日', '😀']

function randomString () {
  let text = ''
  for (let left = below(12); left > 0; left--) text += pick(characters)
  return text
}

function stringText (text) {
  let out = '"'
  for (const character of text) {
    const plain = JSON.stringify(character).slice(1, -1)
    const escaped = [...Array(character.length).keys()]
      .map(i => '\\u' + character.charCodeAt(i).toString(16).padStart(4, '0')).join('')
    out += below(4) === 0 ? pick([escaped, escaped.replace(/[A-F]/gi, c => c.toUpperCase())]) : plain
  }
  return out + '"'
}

const keys = ['a', 'b', 'name', '0', '1', '2', '10', '01', '-1', '1.5', '4294967294', '4294967295', '99999999999', '',
  '__proto__', 'constructor', 'toString', 'length', 'é']
const space = () => pick(['', '', '', ' ', '\t', '  '])

function documentText (depth) {
  switch (below(depth > 5 ? 5 : 8)) {
    case 0: return pick(['null', 'true', 'false'])
    case 1: return longNumberText()
    case 2: return doubleText()
    case 3:
    case 4: return stringText(randomString())
    case 5: return `[${space()}${list(() => documentText(depth + 1))}${space()}]`
    default:
      return `{${space()}${list(() => {
        const key = below(3) === 0 ? randomString() : pick(keys)
        return `${stringText(key)}${space()}:${space()}${documentText(depth + 1)}`
      })}${space()}}`
  }
}

function list (item) {
  const count = below(20) === 0 ? below(100) : below(6)
  return Array.from({ length: count }, item).join(`${space()},${space()}`)
}

function firstDifference (a, b) {
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  return i
}

function compare (name, cases) {
  const run = spawnSync(echo, { input: cases.join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 30 })
  const lines = (run.stdout || '').split('\n')
  let wrong = run.status === 0 ? 0 : 1
  if (wrong) console.log(`${echo} ended with ${run.error || run.signal || run.status}: ${run.stderr}`)
  cases.forEach((text, i) => {
    const expected = JSON.stringify(JSON.parse(text))
    if (lines[i] !== expected && wrong++ < FAILURES_SHOWN) {
      const from = Math.max(0, firstDifference(lines[i] || '', expected) - 40)
      const shown = (line) => String(line).slice(from, from + 120)
      console.log(`case:     ${text}\nfrom byte ${from} on\ngot:      ${shown(lines[i])}\nexpected: ${shown(expected)}`)
    }
  })
  console.log(`${wrong === 0 ? 'ok' : 'not ok'} ${cases.length} ${name} print as JSON.stringify prints them (seed ${seedText})`)
  return wrong === 0
}

const make = (count, text) => Array.from({ length: count }, text)
const results = [
  compare('doubles', make(DOUBLES, doubleText)),
  compare('long numbers', make(DOCUMENTS, longNumberText)),
  compare('documents', make(DOCUMENTS, () => documentText(0)))
]
process.exitCode = results.every(Boolean) ? 0 : 1
