'use strict'
/* Cases for fql: well-formed subscriptions, texts a little off, and soups of tokens. */
const { anyValue, anyObject, set, texts } = require('./random')

const subjects = ['type', 'event', 'name', 'userId', 'properties.a', 'properties.a.b', 'traits.email', 'context.page.url', 'properties',
  'traits.n', 'properties.n', 'properties.list.0', 'properties.a\\ b', 'context.o.b', 'properties.s', 'properties.length', 'properties.s.length']
const literals = ['"track"', '"identify"', '"Order Completed"', '"a"', "'track'", '5', '-5', '1.5', '0', '007', '1e3', 'true', 'false', 'null', 'track', '""', '"ß"', '"👍"', '"5"', '"x*"', '"*x"', '+1', '"Str"']
const operators = ['=', '!=', '<', '<=', '>', '>=', '==', 'in', 'contains', 'exists', 'is_true', 'number_equals', 'starts_with', '=!', '≠']
const soup = [...subjects, ...literals, ...operators, '(', ')', ',', '.', '[', ']', 'and', 'or', 'AND', 'not', '!', 'contains', 'match', 'lowercase', '\\', '\\.', '\\é', '\\👍', '_', '-', '+', '"', "'", '\n', '\r\n', '\t',
  '@', '#', 'é', '.5', '5.', '1..2', '1.2.3', 'properties', 'properties.', 'nulls', 'an', 'o', 'nu', 'andy', 'true', 'constructor', '__proto__.x', 'toString', 'properties\\.', 'properties.\\.', '\u0000', '👍', 'traitsx']
const inner = ['"x"', '"a"', '"St"', '"r"', '"*r"', '"St*"', '"*"', '5', 'x', '"👍*"', '"*👍"', 'true', 'null', '""']

const condition = (r) => r.weighted([
  [10, () => `${r.pick(subjects)}${r.pick([' ', ' ', ' ', ''])}${r.pick(operators.slice(0, r.chance(0.9) ? 6 : operators.length))}${r.pick([' ', ' ', ' ', ''])}${r.pick(literals)}`],
  [3, () => `${r.pick(['', '', '!', 'not '])}${r.pick(['contains', 'match'])}${r.pick(['', ' '])}(${r.pick(subjects)},${r.pick([' ', ''])}${r.pick(inner)})`]
])

const group = (r) => r.times(1, 4, () => (r.chance(0.15) ? `(${r.times(0, 3, () => condition(r)).join(r.pick([' and ', ' or ']))})` : condition(r)))
  .reduce((text, next) => text + r.pick([' and ', ' or ', ' and ', ' or ', ' AND ', ', ', ' ', '']) + next)

function mutate (r, text) {
  const units = Array.from(text)
  const at = r.below(units.length + 1)
  units.splice(at, r.below(3), ...(r.chance(0.6) ? [r.pick(soup)] : []))
  return units.join('')
}

function subscribe (r) {
  return r.weighted([
    [10, () => group(r)], [4, () => mutate(r, group(r))], [4, () => r.times(0, 8, () => r.pick(soup)).join(r.pick(['', ' ', ' ']))],
    [0.3, () => anyValue(r, 1)]
  ])
}

function event (r) {
  const result = {}
  const value = () => r.weighted([[3, () => r.pick(['track', 'identify', 'a', 'Order Completed', 'Str', 'x', '5', 'ß', '👍'])], [2, () => r.pick([5, -5, 1.5, 0, 7, 1])], [1, () => r.chance(0.5)], [1, () => null], [1, () => anyValue(r, 2)]])
  for (const key of ['type', 'event', 'name', 'userId']) if (r.chance(0.8)) result[key] = r.chance(0.7) ? r.pick(['track', 'identify', 'Order Completed', 'Str', 'x']) : value()
  for (const key of ['properties', 'traits', 'context']) {
    if (!r.chance(0.8)) continue
    result[key] = r.chance(0.85) ? anyObject(r, 2) : anyValue(r, 1)
    if (result[key] === null || typeof result[key] !== 'object' || Array.isArray(result[key])) continue
    for (const name of ['a', 'n', 's', 'email', 'list', 'o', 'page', 'a b', 'length']) if (r.chance(0.4)) set(result[key], name, r.chance(0.3) ? { a: value(), b: value(), url: value(), 0: value() } : value())
  }
  return result
}

module.exports = (r) => ({ op: 'fql', subscribe: subscribe(r), event: r.weighted([[60, () => event(r)], [1, () => anyValue(r, 1)], [1, () => undefined]]) })
