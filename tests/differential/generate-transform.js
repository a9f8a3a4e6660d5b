'use strict'
/* Cases for transform: mappings of every directive, mostly well formed, over payloads whose keys they are likely to hit. */
const { anyValue, anyObject, set, texts, keys } = require('./random')
const liquidTemplate = require('./generate-liquid')

/* Names that every JavaScript object inherits are left out of paths, and mappings set no prototypes: docs/parity.md. */
const inherited = new Set(['__proto__', 'toString', 'valueOf', 'constructor'])
const steps = [...keys, ...keys, 'length', '0', '1', '2', '9', 'missing'].filter((key) => !inherited.has(key))

const pathText = (r) => {
  let text = r.weighted([[12, () => '$.'], [3, () => ''], [1, () => '$'], [1, () => '$$.'], [1, () => ' $.'], [1, () => '$..']])
  const count = r.weighted([[1, () => 0], [6, () => 1], [5, () => 2], [3, () => 3], [1, () => 4]])
  for (let i = 0; i < count; i++) {
    const step = r.pick(steps)
    const dot = i > 0 && r.chance(0.9) ? '.' : ''
    text += r.weighted([[8, () => dot + step], [1, () => `['${step}']`], [1, () => `["${step}"]`], [1, () => `[${step}]`],
      [1, () => `[${r.below(3)}]`], [0.3, () => `${dot}'${step}'`], [0.3, () => `${dot}${step}]]`], [0.3, () => `${dot}${step}.$.`], [0.2, () => `[`]])
  }
  return text
}

const templateText = (r) => r.times(0, 4, () => r.weighted([
  [4, () => r.pick(texts)], [6, () => `{{${r.pick(['', ' ', '\u00a0'])}${templateKey(r)}${r.pick(['', ' '])}}}`], [2, () => `{{{${templateKey(r)}}}}`],
  [1, () => r.pick(['{{', '}}', '{', '}', '{{}}', '{{{}}}', '{{ }}', '{{.}}', '{{{{s}}}}', '{{{s}}', '{{s}}}', '{{a}b}}', '{{{a}}b}}}'])]
])).join('')

function templateKey (r) {
  return r.chance(0.7) ? r.pick(steps) : pathText(r).replace(/^\$\./, '')
}

function withoutPrototypes (value) {
  if (Array.isArray(value)) return value.map(withoutPrototypes)
  if (value === null || typeof value !== 'object') return value
  const result = {}
  for (const key of Object.keys(value)) if (key !== '__proto__') set(result, key, withoutPrototypes(value[key]))
  return result
}

const or = (r, p, good, bad) => (r.chance(p) ? good() : bad())
const text = (r, depth) => or(r, 0.6, () => r.pick(texts), () => directive(r, depth))
const wrong = (r) => withoutPrototypes(anyValue(r, 2))

function fields (r, rows) {
  const object = {}
  for (const [key, p, make] of rows) if (r.chance(p)) set(object, key, r.chance(0.95) ? make() : wrong(r))
  if (r.chance(0.03)) set(object, r.pick(keys), mapping(r, 1))
  return object
}

const argument = {
  '@path': (r, d) => or(r, 0.9, () => pathText(r), () => directive(r, d)),
  '@template': (r, d) => or(r, 0.9, () => templateText(r), () => directive(r, d)),
  '@literal': (r, d) => mapping(r, d),
  '@if': (r, d) => fields(r, [['exists', 0.5, () => mapping(r, d)], ['blank', 0.55, () => mapping(r, d)], ['then', 0.8, () => mapping(r, d)], ['else', 0.7, () => mapping(r, d)]]),
  '@case': (r, d) => fields(r, [['operator', 0.97, () => r.pick(['lower', 'upper', 'lower', 'upper', 'LOWER', ''])], ['value', 0.97, () => text(r, d)]]),
  '@replace': (r, d) => fields(r, [['pattern', 0.98, () => r.pick(['a', 'b', 'S', 's', '.', 'ß', 'ss', 'σ', 'ς', 'Σ', ' ', '-', '$', '(', '[a', '\\', '👍', 'k', 'K', 'ſ', 'İ', 'i', 'ŉ', 'ǆ', '\n', 'tr', '1', '0', '/', '#', ','])],
    ['replacement', 0.8, () => r.pick(['', 'x', '$&', '$$', '$`', "$'", '$1', '$', 'a$', '$&$&', '👍', '$<a>', '0123456789', '01234567890'])],
    ['pattern2', 0.3, () => r.pick(['', 'x', 'a', '12345678901', 'é'])], ['replacement2', 0.25, () => r.pick(['', 'y', '$&z', '12345678901'])],
    ['value', 0.98, () => text(r, d)], ['ignorecase', 0.4, () => r.chance(0.6)], ['global', 0.4, () => r.chance(0.5)]]),
  '@arrayPath': (r, d) => [or(r, 0.7, () => pathText(r), () => directive(r, d)), ...(r.chance(0.85) ? [mapping(r, d)] : []), ...(r.chance(0.05) ? [wrong(r)] : [])],
  '@json': (r, d) => fields(r, [['mode', 0.97, () => r.pick(['encode', 'decode', 'encode', 'decode', 'ENCODE', 'x'])], ['value', 0.97, () => mapping(r, d)]]),
  '@flatten': (r, d) => fields(r, [['separator', 0.97, () => r.pick(['.', '_', '', ' ', '-->', '👍'])], ['value', 0.97, () => mapping(r, d)], ['omitArrays', 0.3, () => r.pick([true, false, 'false', 0, { '@path': '$.a' }])]]),
  '@merge': (r, d) => fields(r, [['direction', 0.97, () => r.pick(['left', 'right', 'LEFT', 'x'])], ['objects', 0.97, () => r.times(0, 3, () => or(r, 0.9, () => or(r, 0.5, () => directive(r, d), () => object(r, d)), () => wrong(r)))]]),
  '@transform': (r, d) => fields(r, [['apply', 0.98, () => or(r, 0.8, () => object(r, d), () => directive(r, d))], ['mapping', 0.98, () => or(r, 0.7, () => object(r, d), () => directive(r, d))]]),
  '@excludeWhenNull': (r, d) => mapping(r, d),
  '@liquid': (r) => liquidTemplate(r, false)
}

function directive (r, depth) {
  const name = r.weighted([[30, () => '@path'], [8, () => '@template'], [4, () => '@if'], [2, () => '@liquid'], [2, () => r.pick(Object.keys(argument))]])
  const d = depth > 0 ? depth - 1 : 0
  const make = depth > 0 ? argument[name] : argument[r.pick(['@path', '@template'])]
  const result = { [depth > 0 ? name : make === argument['@path'] ? '@path' : '@template']: r.chance(0.97) ? make(r, d) : wrong(r) }
  if (depth > 0 && r.chance(0.15)) {
    const other = r.pick(Object.keys(argument))
    return { [other]: argument[other](r, d) }
  }
  if (r.chance(0.02)) result._metadata = wrong(r)
  if (r.chance(0.01)) result[r.pick(['@path', '@if', '@foo', 'z', '@'])] = wrong(r)
  if (r.chance(0.005)) return { [r.pick(['@foo', '@Path', '@', '@toString'])]: wrong(r) }
  return result
}

function object (r, depth) {
  const result = {}
  for (const key of r.times(0, 4, () => r.pick(keys))) {
    const value = mapping(r, depth > 0 ? depth - 1 : 0)
    const isPrototype = key === '__proto__' && typeof value === 'object'
    set(result, key === '@path' || isPrototype ? 'p' : key, value)
  }
  return result
}

function mapping (r, depth) {
  return r.weighted([
    [8, () => directive(r, depth)], [2, () => wrong(r)], [depth > 0 ? 3 : 0, () => object(r, depth)],
    [depth > 0 ? 1 : 0, () => r.times(0, 3, () => mapping(r, depth - 1))]
  ])
}

function payload (r) {
  const result = anyObject(r, 3)
  for (const key of ['a', 'b', 's', 'o', 'arr', 'n', 'nested']) {
    if (!r.chance(0.6)) continue
    set(result, key, key === 'arr' ? r.times(0, 4, () => anyValue(r, 2)) : key === 'o' ? anyObject(r, 2) : key === 's' ? r.pick(texts) : anyValue(r, 3))
  }
  return result
}

function rootMapping (r) {
  const result = object(r, 3)
  const name = r.pick(['@merge', '@transform', '@flatten', '@json', '@if', '@arrayPath', '@path', 'z'])
  result.__segment_internal_directive = or(r, 0.9, () => ({ [name]: argument[name] ? argument[name](r, 2) : wrong(r) }), () => or(r, 0.5, () => directive(r, 2), () => wrong(r)))
  return result
}

module.exports = (r) => ({
  op: 'transform',
  mapping: r.weighted([[85, () => object(r, 4)], [8, () => rootMapping(r)], [5, () => directive(r, 3)], [4, () => ({ k: { '@liquid': liquidTemplate(r, true) } })], [1, () => wrong(r)]]),
  payload: r.weighted([[97, () => payload(r)], [2, () => wrong(r)], [1, () => undefined]])
})
