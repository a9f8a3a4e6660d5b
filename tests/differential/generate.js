#!/usr/bin/env node
'use strict'
/*
 * Cases for the differential test, one JSON object a line:
 *
 *   node generate.js --op transform --seed 1 --count 500
 *
 * A generator is a function from a Random to a case, in a file of its own.
 */
const { Random } = require('./random')

const generators = {
  transform: './generate-transform',
  fql: './generate-fql',
  action: './generate-actions',
  batch: './generate-actions',
  event: './generate-actions'
}

function option (name, fallback) {
  const at = process.argv.indexOf(`--${name}`)
  return at > 0 ? process.argv[at + 1] : fallback
}

const op = option('op')
if (!Object.hasOwn(generators, op)) {
  console.error(`usage: generate.js --op ${Object.keys(generators).join('|')} [--seed S] [--count N]`)
  process.exit(2)
}
const make = require(generators[op])
const seed = Number(option('seed', 1))
const count = Number(option('count', 500))
let out = ''
for (let i = 0; i < count; i++) {
  out += JSON.stringify(make(new Random(seed * 1000003 + i), op)) + '\n'
  if (out.length > 1 << 20) {
    require('fs').writeSync(1, out)
    out = ''
  }
}
require('fs').writeSync(1, out)
