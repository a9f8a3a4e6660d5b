#!/usr/bin/env node
'use strict'
/*
 * Compares the field tables and presets of run-cases with the reference's, down to what our tables hold:
 *
 *   echo '{"op":"defaults"}' | node oracle/oracle.js > REFERENCE
 *   echo '{"op":"defaults"}' | run-cases > OURS
 *   node compare-defaults.js REFERENCE OURS
 *
 * The ecommerce actions and the presets that an older release has otherwise are left out (docs/spec/segment-actions.md, Appendix A).
 */
const fs = require('fs')
const [reference, ours] = process.argv.slice(2).map((path) => JSON.parse(fs.readFileSync(path, 'utf8')).value)
const newer = /Product (Added|Removed)|Track Calls|\(beta\)/

function plain (fields) {
  return Object.fromEntries(Object.entries(fields || {}).map(([key, f]) => {
    const row = { label: f.label, type: f.type === 'text' || f.type === 'password' ? 'string' : f.type }
    if (f.format) row.format = f.format
    if (f.required) row.required = f.required.conditions ? { match: f.required.match || 'all', conditions: f.required.conditions.map(({ type, ...condition }) => condition) } : f.required
    for (const flag of ['allowNull', 'multiple']) if (f[flag]) row[flag] = true
    if (f.additionalProperties && f.properties) row.additionalProperties = true
    for (const limit of ['minimum', 'maximum']) if (f[limit]) row[limit] = f[limit]
    if (f.choices && !f.dynamic) row.choices = f.choices.map((choice) => (choice.value === undefined ? choice : choice.value))
    if (f.properties) row.properties = plain(f.properties)
    if (f.default !== undefined) row.default = f.default
    return [key, row]
  }))
}

let differing = 0
function check (what, expected, got) {
  if (JSON.stringify(expected) === JSON.stringify(got)) return
  differing++
  console.log(`${what}:\n  reference: ${JSON.stringify(expected)}\n  ours:      ${JSON.stringify(got)}`)
}

check('actions', Object.keys(reference.actions), Object.keys(ours.actions))
for (const [key, action] of Object.entries(reference.actions)) {
  const mine = ours.actions[key]
  const sync = action.syncMode && { label: action.syncMode.label, default: action.syncMode.default, choices: action.syncMode.choices }
  check(`${key} title`, action.title, mine.title)
  check(`${key} subscription`, action.defaultSubscription, mine.defaultSubscription)
  check(`${key} sync mode`, sync, mine.syncMode)
  if (/^ecommerce/.test(key)) continue
  const expected = plain(action.fields)
  const got = plain(mine.fields)
  check(`${key} fields`, Object.keys(expected), Object.keys(got))
  for (const field of Object.keys(expected)) check(`${key}.${field}`, expected[field], got[field])
}
const preset = (p) => JSON.stringify([p.name, p.subscribe, p.partnerAction, p.mapping, p.type, p.eventSlug])
check('presets', reference.presets.filter((p) => !newer.test(p.name)).map(preset), ours.presets.filter((p) => !newer.test(p.name)).map(preset))
console.log(differing === 0 ? 'field tables and presets agree' : `${differing} differ`)
process.exit(differing === 0 ? 0 : 1)
