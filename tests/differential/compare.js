#!/usr/bin/env node
'use strict'
/*
 * Compares two files of results line by line, members in order:
 *
 *   node compare.js CASES REFERENCE OURS [--show N]
 *
 * appendix-a.js takes out what only an older release does. Two more things are not compared, since they are no behaviour: the stack traces inside the reference's aggregated messages, and
 * lone surrogates, which UTF-8 cannot carry (docs/parity.md). Exit 1 when a line differs.
 */
const fs = require('fs')
const withoutOldNodes = require('./appendix-a')

const lines = (path) => fs.readFileSync(path, 'utf8').split('\n').filter(Boolean)

/* Lone surrogates, bare or as JSON inside a text; a pair cut in two may be one or two of them. */
const mend = (text) => text.replace(/\p{Surrogate}/gu, '\ufffd').replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd').replace(/\ufffd+/g, '\ufffd')

function canonical (line, test) {
  const result = JSON.parse(line, (key, value) => (typeof value === 'string' ? mend(value) : value))
  const message = result.error && result.error.message
  if (typeof message === 'string' && result.error.name === 'AggregateError') {
    result.error.message = message.split('\n').filter((text) => !/^ {8,}at /.test(text)).join('\n')
  }
  return JSON.stringify(withoutOldNodes(test, result))
}

const [casesPath, referencePath, oursPath] = process.argv.slice(2)
const show = process.argv.indexOf('--show') > 0 ? Number(process.argv[process.argv.indexOf('--show') + 1]) : 5
const cases = lines(casesPath)
const reference = lines(referencePath)
const ours = lines(oursPath)
let differing = 0
for (let i = 0; i < cases.length; i++) {
  const expected = reference[i] === undefined ? 'no result' : canonical(reference[i], JSON.parse(cases[i]))
  const got = ours[i] === undefined ? 'no result' : canonical(ours[i], JSON.parse(cases[i]))
  if (expected === got) continue
  differing++
  if (differing <= show) console.log(`case ${i + 1}: ${cases[i]}\n  reference: ${expected}\n  ours:      ${got}`)
}
console.log(`${cases.length - differing} of ${cases.length} agree`)
process.exit(differing === 0 && ours.length === cases.length ? 0 : 1)
