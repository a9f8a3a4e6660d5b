// Compares a profile of the sandbox with what it must be, regardless of the order in which batches arrived.
import { isDeepStrictEqual, inspect } from 'node:util'

const canonical = value => JSON.stringify(sorted(value))

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key])]),
  )
}

const asSet = list => list.map(canonical).sort()

/** The differences as text, '' when there are none. `held` is the sandbox's answer for one profile. */
export function differences(held, expected) {
  const profile = held.profile
  const found = {
    email: profile.email,
    first_name: profile.first_name,
    last_name: profile.last_name,
    gender: profile.gender,
    custom_attributes: profile.custom_attributes,
    events: asSet(held.received_events.map(e => [e.name, e.properties])),
    purchases: asSet(held.received_purchases.map(({ product_id, currency, price, quantity, properties }) => ({ product_id, currency, price, quantity, properties }))),
  }
  const wanted = { ...expected, events: asSet(expected.events), purchases: asSet(expected.purchases) }
  return Object.keys(wanted)
    .filter(key => !isDeepStrictEqual(sorted(found[key]), sorted(wanted[key])))
    .map(key => describe(key, found[key], wanted[key]))
    .join('\n')
}

function describe(key, found, wanted) {
  if (!Array.isArray(wanted)) return `${key}: ${inspect(found, { depth: 6 })}, expected ${inspect(wanted, { depth: 6 })}`
  const missing = subtract(wanted, found)
  const surplus = subtract(found, wanted)
  return `${key}: ${missing.length} missing (${missing[0] ?? ''}), ${surplus.length} too many (${surplus[0] ?? ''})`
}

/** Multiset difference. */
function subtract(from, what) {
  const left = new Map()
  for (const item of what) left.set(item, (left.get(item) ?? 0) + 1)
  return from.filter(item => {
    const count = left.get(item) ?? 0
    if (count > 0) left.set(item, count - 1)
    return count === 0
  })
}

export const sum = (list, of) => list.reduce((total, item) => total + of(item), 0)
