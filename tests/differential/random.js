'use strict'
/* Seeded randomness and the odd values that every generator draws from. The same seed gives the same cases. */

class Random {
  constructor (seed) { this.state = seed >>> 0 }

  /* 32 random bits (mulberry32). */
  bits () {
    this.state = (this.state + 0x6D2B79F5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  below (n) { return Math.floor(this.bits() / 4294967296 * n) }
  chance (p) { return this.bits() / 4294967296 < p }
  pick (list) { return list[this.below(list.length)] }
  times (low, high, make) { return Array.from({ length: low + this.below(high - low + 1) }, make) }

  /* One of [weight, make] rows. */
  weighted (rows) {
    let at = this.below(rows.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, make] of rows) {
      if (at < weight) return make()
      at -= weight
    }
  }
}

const numbers = [0, -0, 1, -1, 2, 5, 10, 1.5, -2.5, 0.1, 0.3, 1e21, 1e-7, 123456789012345680000, 9007199254740993,
  1e300, 5e-324, 1700000000, 1700000000000, 8640000000000001, 100, 3.14159, 4294967295, -0.000001, 1e20]

const dates = ['2024-01-02', '2024-01-02T03:04:05.678Z', '2024-01-02 03:04:05', '2024-01-02T03:04:05+02:00', '2024-01-02T03:04:05.5',
  '2024-01-02T24:00:00Z', '1990-13-45', '2024-00-10', 'Jan 2, 2024', '5/6/1990', 'May 6 1990', '1-2-3', '0099-01-01',
  'Tue, 02 Jan 2024 03:04:05 GMT', '2024-01-02 03:04:05 +0000', '20240102T030405', '2024-W01', 'today', '12:30', '1700000000',
  '1700000000000', '19900506', '12', '13', '-5', '1.5', '99999999999999999999', '2024-02-30', '2024-01-01T00:00:00+05',
  '+010000-01-01T00:00:00Z', '2024-01-02T03:04:05z', '2024/01/02', '2024-1-2 3:4:5 pm', 'Sat, 1 Jan 2000 00:00:00 EST',
  '2000-01-01T00:00:00-99:99', '1969-12-31T23:59:59.999Z', '2024-01-02T03:04', '(x) Jan 1 2000', '0000-05-06']

const texts = ['', ' ', 'a', 'b', 'Str', 'true', 'false', 'null', 'undefined', '0', '5', '-0', '1e3', '0x10', ' 7 ', 'Infinity', 'NaN',
  'ß', 'İ', 'ΑΣ', 'ΑΣΒ Σ', "ΠΕΣ'ΤΟ ΑΣʰ", 'ﬁx', 'straße', 'ÀÉ', 'ŉ', 'ῼ', 'ǰ', 'e\u0301', '日本', '👍', 'a👍b', '\u0000', '\u2028', '\u00a0x\ufeff', '\t\n',
  '"', '\\', "'", '<b>&', '{{s}}', '{{{s}}}', '$.s', '$& $1 $$', '[object Object]', '{"a":1}', '[1,2]', '{"a":', '-1', '1.0',
  'A B', 'x@y.z', 'Order Completed', 'track', 'a.b', 'K\u212a', 'ſ', 'ǅ', 'Ⅷ', 'ⓐ', 'Ꮳ', '\ud801\udc00']

const keys = ['a', 'b', 'c', 's', 'n', 'o', 'arr', 'x', 'y', 'z', 'e', 'f', 'prims', 'nested', '0', '1', '01', '10', '-1', '4294967294', '4294967295',
  '', ' ', 'a b', 'a.b', 'k-e.y', "quo'te", 'b[c]', 'length', '__proto__', 'toString', 'valueOf', 'constructor', 'é', '👍', '$', '@path', 'Abc', '_']

/* Any JSON value; `depth` levels at most. */
function anyValue (r, depth) {
  return r.weighted([
    [6, () => r.pick(texts)], [1, () => r.pick(dates)], [4, () => r.pick(numbers)], [2, () => r.chance(0.5)], [2, () => null],
    [1, () => r.pick(texts) + r.pick(texts)],
    [depth > 0 ? 3 : 0, () => r.times(0, 4, () => anyValue(r, depth - 1))],
    [depth > 0 ? 5 : 0, () => anyObject(r, depth - 1)]
  ])
}

/* Own members only, whatever they are called. */
function set (object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function anyObject (r, depth) {
  const object = {}
  for (const key of r.times(0, 5, () => r.pick(keys))) {
    if (key === 'toString' && r.chance(0.8)) continue
    set(object, key, anyValue(r, depth))
  }
  return object
}

module.exports = { Random, anyValue, anyObject, set, numbers, dates, texts, keys }
