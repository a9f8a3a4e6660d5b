'use strict'
/*
 * Cases of the ops action, batch and event: events as products send them, with odd values where a field is read, mapped by
 * the default mappings or by one of the case's own.
 *
 * What the runnable reference does differently from the release that is described (docs/spec/segment-actions.md, Appendix
 * A) is left out here, or made equal in appendix-a.js.
 */
const { anyValue, anyObject, dates, numbers, set } = require('./random')

const scalars = ['', 'x', '5', '5.5', 'true', 'false', 'a@b.co', 'https://a.b/c', '0x10', ' ', 'Infinity', '1e400', '00012', 0, 1, 5, 1.5,
  -1, 1e21, 9007199254740993, true, false, null]
const uris = ['https://a.b/c.png', 'a:b', 'urn:isbn:1', 'mailto:x@y', 'HTTP://A', 'http://[::1]/', 'http://a:99999/', 'a:', 'http:', '//a.b', '/x',
  'http://a b', 'http://é', 'http://a/%zz', 'http://a/%41', 'http://{', 'http://u:p@h:1/p?q#f', 'http://[1:2:3:4:5:6:7:8]', 'http://[1::2:3:4:5:6:7:8]',
  'http://[::1.2.3.4]', 'http://[::256.1.1.1]', 'http://[v1.a]', 'http:/a', 'x:///', 'a:b?c?d#e', 'a:b#c#d', 'http://a@b@c', '1a:b', 'a+b-c.d:e', 'http://a:b/']
const emails = ['a@b.co', 'a.b+c@d-e.f', 'a@b', '@b.co', 'a@@b.co', 'a..b@c.de', '.a@b.co', 'a@-b.co', 'a@b-.co', 'a@1.2.3.4', 'é@b.co', 'A@B.CO',
  "o'x@y.z", 'a@b.co\n', ' a@b.co', 'a@b..co']
const times = ['2024-01-02T03:04:05.678Z', '2024-01-02T03:04:05Z', '2024-01-02 03:04:05', '2024-01-02T03:04:05+02:00', '2024-01-02T03:04:05.5',
  '2024-02-30T00:00:00Z', '2024-01-02T23:59:60Z', '2024-01-02T03:04:05+05', '2024-01-02T03:04:05-99:99', '2024-01-02T03:04Z', '2024-01-02',
  '2024-01-02T03:04:05Z ', '2024-01-02t03:04:05z', '2024-01-02\n03:04:05', '2024-01-02\u00a003:04:05', '2000-02-29T00:00:00.123456Z', '1900-02-29T00:00:00Z',
  '2024-01-02T24:00:00Z', '2024-01-02T03:04:05+0530']
const genders = ['male', 'F', 'woman', 'Other', 'not applicable', ' male', 'prefer not to say', 'x', 'N', 'Ｍ']
const currencies = ['USD', 'EUR', 'usd', 'XYZ', 'JPY']
const modes = ['add', 'update', 'upsert', 'delete', 'mirror', 'Add', '', null, { '@path': '$.v.mode' }]

/* A value of a kind, odd in about a third of the draws. */
function value (r, kind) {
  if (r.chance(0.08) && kind !== 'content') return anyValue(r, 2)
  if (r.chance(0.12)) return r.pick(scalars)
  const good = kinds[kind](r)
  if (r.chance(0.05)) return [good]
  return good
}

/* Nothing wrong with these: an ecommerce event needs a dozen of them to come through. */
const tame = {
  time: () => '2024-01-02T03:04:05.678Z',
  email: () => 'a@b.co',
  uri: () => 'https://a.b/c.png',
  currency: () => 'USD',
  size: () => 75,
  boolean: () => true,
  items: (r) => r.times(0, 2, () => ({ product_id: 'p', product_name: 'n', variant_id: 'v', quantity: 1, price: 2.5, ...(r.chance(0.3) ? { image_url: 'a:b', color: 'red' } : {}) })),
  item: () => ({ variant_id: 'v', product_id: 'p', product_name: 'n', price: 2.5 }),
  discounts: (r) => r.times(0, 2, () => ({ code: 'c', amount: 1 })),
  alias: () => ({ alias_name: 'n', alias_label: 'l' })
}

const id = (r) => r.pick(['u1', 'u2', 'user@x.y', '', '0', 7])
const parts = (r, rows) => {
  const object = {}
  for (const [key, kind, p] of rows) if (r.chance(p)) object[key] = value(r, kind)
  if (r.chance(0.1)) set(object, r.pick(['z', 'extra', '1', '__proto__']), anyValue(r, 1))
  return object
}
const list = (make) => (r) => r.times(0, 3, () => (r.chance(0.08) ? r.pick([null, '', 'x', 5, []]) : make(r)))
const alias = (r) => parts(r, [['alias_name', 'string', 0.9], ['alias_label', 'string', 0.9]])
const priority = (r) => r.pick(['unidentified', 'identified', 'most_recently_updated', 'least_recently_updated', 'x'])
const priorities = (r) => parts(r, [['first_priority', 'priority', 0.8], ['second_priority', 'priority', 0.6]])

const kinds = {
  string: (r) => r.pick(['Str', 'p1', 'é👍', 'x y', 12, 'a"b']),
  id,
  number: (r) => r.pick([1, 2.5, 0, '3', '4.5', -1, ...numbers]),
  integer: (r) => r.pick([1, 2, 0, '3', 1.5, -1]),
  boolean: (r) => r.pick([true, false, 'true', 0, 1]),
  datetime: (r) => r.pick(dates.concat(numbers, times)),
  time: (r) => r.pick(times),
  uri: (r) => r.pick(uris),
  email: (r) => r.pick(emails),
  gender: (r) => r.pick(genders),
  currency: (r) => r.pick(currencies),
  object: (r) => anyObject(r, 2),
  // A prototype would decide whether the reference calls it empty (docs/parity.md).
  content: (r) => { const object = anyObject(r, 2); delete object['__proto__']; return object },
  priority,
  priorities,
  alias,
  location: (r) => parts(r, [['latitude', 'number', 0.8], ['longitude', 'number', 0.8]]),
  facebook: (r) => parts(r, [['id', 'string', 0.8], ['likes', 'likes', 0.7], ['num_friends', 'integer', 0.7]]),
  likes: (r) => r.times(0, 3, () => r.pick(['a', '', null, 5, {}, true])),
  twitter: (r) => parts(r, [['id', 'string', 0.8], ['screen_name', 'string', 0.7], ['followers_count', 'integer', 0.7], ['friends_count', 'integer', 0.3]]),
  tokens: list((r) => parts(r, [['app_id', 'string', 0.9], ['token', 'string', 0.9], ['device_id', 'string', 0.4]])),
  groups: list((r) => parts(r, [['subscription_group_id', 'string', 0.9], ['subscription_state', 'state', 0.95]])),
  state: (r) => r.pick(['subscribed', 'unsubscribed', 'x']),
  products: list((r) => parts(r, [['product_id', 'string', 0.95], ['currency', 'currency', 0.5], ['price', 'number', 0.95], ['quantity', 'integer', 0.5], ['name', 'string', 0.3], ['sku', 'object', 0.2]])),
  items: list((r) => parts(r, [['product_id', 'string', 0.97], ['product_name', 'string', 0.97], ['variant_id', 'string', 0.97], ['image_url', 'uri', 0.4], ['product_url', 'uri', 0.3], ['quantity', 'number', 0.97], ['price', 'number', 0.97]])),
  item: (r) => parts(r, [['product_id', 'string', 0.97], ['product_name', 'string', 0.97], ['variant_id', 'string', 0.97], ['image_url', 'uri', 0.4], ['product_url', 'uri', 0.3], ['price', 'number', 0.97]]),
  discounts: list((r) => parts(r, [['code', 'string', 0.95], ['amount', 'number', 0.95]])),
  merge: (r) => r.pick(['none', 'merge', 'x']),
  item_id: (r) => r.pick(['a', 'b', 'A_1-', 'é', 'a b', 'x'.repeat(250), 'x'.repeat(251), '', 5]),
  size: (r) => r.pick([75, 50, 2, 1, 76, 51, '10', 0, 'x']),
  attachments: list((r) => parts(r, [['file_name', 'string', 0.9], ['url', 'string', 0.9]])),
  recipients: list((r) => parts(r, [['external_user_id', 'id', 0.7], ['user_alias', 'alias', 0.3], ['email', 'email', 0.3], ['trigger_properties', 'object', 0.3],
    ['canvas_entry_properties', 'object', 0.2], ['send_to_existing_only', 'boolean', 0.3], ['attributes', 'object', 0.2]])),
  event_name: (r) => r.pick(['ecommerce.product_viewed', 'ecommerce.checkout_started', 'ecommerce.order_placed', 'ecommerce.order_cancelled', 'ecommerce.order_refunded']),
  attributes: (r) => {
    const object = anyObject(r, 1)
    for (const name of r.times(0, 8, () => r.pick(['plan', 'country', 'language', 'dob', 'time', 'products', 'properties', 'firstName', 'avatar', 'email',
      'external_id', 'user_alias', 'braze_id', 'gender', 'phone', 'address', 'twitter', 'subscription_groups', 'current_location', '_update_existing_only', 'batch_size',
      'first_name', 'custom_attributes', 'push_tokens', '10', '2']))) set(object, name, value(r, 'string'))
    return object
  }
}

/* key, kind, how often the case's own mapping has it. */
const who = [['external_id', 'id', 0.7], ['user_alias', 'alias', 0.3], ['email', 'email', 0.3], ['braze_id', 'string', 0.2]]
const travel = [['_update_existing_only', 'boolean', 0.4], ['enable_batching', 'boolean', 0.4], ['batch_size', 'size', 0.4]]
const profile = [...who, ['country', 'string', 0.3], ['current_location', 'location', 0.3], ['date_of_first_session', 'datetime', 0.2], ['date_of_last_session', 'datetime', 0.2],
  ['dob', 'datetime', 0.3], ['email_subscribe', 'string', 0.2], ['email_open_tracking_disabled', 'boolean', 0.2], ['email_click_tracking_disabled', 'boolean', 0.2],
  ['facebook', 'facebook', 0.2], ['first_name', 'string', 0.3], ['gender', 'gender', 0.3], ['home_city', 'string', 0.2], ['image_url', 'uri', 0.2], ['language', 'string', 0.2],
  ['last_name', 'string', 0.2], ['marked_email_as_spam_at', 'datetime', 0.1], ['phone', 'string', 0.2], ['push_subscribe', 'string', 0.1], ['push_tokens', 'tokens', 0.2],
  ['time_zone', 'string', 0.1], ['twitter', 'twitter', 0.2], ['subscription_groups', 'groups', 0.2], ['custom_attributes', 'attributes', 0.6], ...travel]
const event = [...who, ['name', 'string', 0.95], ['time', 'datetime', 0.95], ['properties', 'object', 0.6], ...travel]
const purchase = [...who, ['time', 'datetime', 0.95], ['products', 'products', 0.95], ['properties', 'object', 0.6], ...travel]
const aliases = [['external_id', 'id', 0.6], ['alias_name', 'string', 0.95], ['alias_label', 'string', 0.95]]
const identify = [['external_id', 'id', 0.95], ['user_alias', 'alias', 0.7], ['email_to_identify', 'email', 0.5], ['prioritization', 'priorities', 0.5], ['merge_behavior', 'merge', 0.4]]
const ecommerce = [['name', 'event_name', 1], ['external_id', 'id', 0.8], ['user_alias', 'alias', 0.15], ['email', 'email', 0.2], ['phone', 'string', 0.2], ['braze_id', 'string', 0.2],
  ['cancel_reason', 'string', 0.9], ['time', 'time', 0.97], ['checkout_id', 'string', 0.9], ['order_id', 'string', 0.9], ['cart_id', 'string', 0.5],
  ['total_value', 'number', 0.9], ['total_discounts', 'number', 0.4], ['discounts', 'discounts', 0.4], ['currency', 'currency', 0.97], ['source', 'string', 0.97],
  ['metadata', 'object', 0.3], ['enable_batching', 'boolean', 0.97], ['batch_size', 'size', 0.97]]

const actions = {
  updateUserProfile: profile,
  updateUserProfile2: profile,
  trackEvent: event,
  trackEvent2: event,
  trackPurchase: purchase,
  trackPurchase2: purchase,
  createAlias: aliases,
  createAlias2: aliases,
  identifyUser: identify,
  identifyUser2: identify,
  upsertCatalogItem: [['item', 'content', 0.8], ['item_id', 'item_id', 0.95], ['enable_batching', 'boolean', 0.3], ['batch_size', 'size', 0.3]],
  triggerCampaign: [['campaign_id', 'string', 0.95], ['send_id', 'string', 0.3], ['trigger_properties', 'object', 0.4], ['broadcast', 'boolean', 0.4], ['attachments', 'attachments', 0.2],
    ['recipients', 'recipients', 0.6], ['prioritization', 'priorities', 0.4], ['audience', 'object', 0.2], ['dynamicAuthSettings', 'object', 0.05]],
  triggerCanvas: [['canvas_id', 'string', 0.95], ['canvas_entry_properties', 'object', 0.4], ['broadcast', 'boolean', 0.4], ['recipients', 'recipients', 0.6],
    ['prioritization', 'priorities', 0.4], ['audience', 'object', 0.2], ['dynamicAuthSettings', 'object', 0.05]],
  ecommerce: [...ecommerce, ['products', 'items', 0.97]],
  ecommerceSingleProduct: [...ecommerce, ['product', 'item', 0.97]]
}
/* Leaving the properties of an ecommerce event alone keeps its default mappings from reading what the reference does not know yet. */
const names = Object.keys(actions)
const batchable = names.filter((name) => !/Alias|identify|trigger/.test(name))
const presetable = names.filter((name) => !/Alias|identify|trigger|Catalog/.test(name))

function traits (r) {
  const object = parts(r, [['email', 'email', 0.6], ['firstName', 'string', 0.5], ['lastName', 'string', 0.5], ['gender', 'gender', 0.4], ['phone', 'string', 0.4], ['avatar', 'uri', 0.4],
    ['plan', 'string', 0.5], ['country', 'string', 0.2], ['language', 'string', 0.2]])
  if (r.chance(0.5)) object.address = parts(r, [['city', 'string', 0.9], ['zip', 'string', 0.5]])
  return r.chance(0.3) ? { ...value(r, 'attributes'), ...object } : object
}

function wildEvent (r, action) {
  const e = { type: r.pick(['track', 'identify', 'page']), event: r.pick(['Order Completed', 'E', 'Product Viewed', 'Create Alias', '']) }
  if (r.chance(0.85)) e.userId = value(r, 'id')
  if (r.chance(0.95)) e.receivedAt = value(r, 'datetime')
  if (r.chance(0.95)) e.timestamp = value(r, 'time')
  if (r.chance(0.8)) e.traits = r.chance(0.05) ? anyValue(r, 1) : traits(r)
  if (r.chance(0.7)) {
    e.properties = parts(r, [['email', 'email', 0.3], ['braze_id', 'string', 0.2], ['products', 'products', 0.6], ['currency', 'currency', 0.8], ['total', 'number', 0.7], ['order_id', 'string', 0.8],
      ['checkout_id', 'string', 0.6], ['reason', 'string', 0.6], ['source', 'string', 0.9], ['discount', 'number', 0.3], ['product_id', 'string', 0.5], ['name', 'string', 0.5],
      ['variant', 'string', 0.5], ['price', 'number', 0.5], ['url', 'uri', 0.2]])
    if (r.chance(0.05) && !/ecommerce/.test(action)) e.properties = anyValue(r, 2)
  }
  if (r.chance(0.4)) {
    e.context = r.chance(0.06) ? r.pick([null, {}, { personas: null }, 'x', { personas: {} }])
      : { location: r.pick([{}, { latitude: 1.5, longitude: '-2', country: 'US' }, null]), traits: traits(r), personas: r.pick([undefined, { computation_class: 'audience', computation_key: 'plan' }]) }
  }
  return e
}

/* Directives around a value that the event carries. */
function mapped (r, key) {
  const path = { '@path': `$.v.${key}` }
  return r.weighted([[20, () => path], [1, () => ({ '@if': { exists: path, then: path, else: 'none' } })], [1, () => ({ '@template': `{{v.${key}}}` })],
    [1, () => ({ '@case': { operator: 'lower', value: path } })], [1, () => r.pick(['lit', 5, true, null, ''])]])
}

function syncMode (r, action) {
  if (/ecommerce/.test(action)) return r.pick(['add', 'update'])
  return r.chance(0.7) ? r.pick(action === 'upsertCatalogItem' ? ['upsert', 'delete'] : action === 'identifyUser2' ? ['add', 'upsert'] : ['add', 'update']) : r.pick(modes)
}

/* The keys of the action's own mapping, in an order of the case's. */
function ownMapping (r, action) {
  const rows = actions[action].filter(([, , p]) => r.chance(p))
  if (r.chance(0.3)) rows.sort(() => r.chance(0.5) ? -1 : 1)
  const mapping = {}
  for (const [key] of rows) mapping[key] = /name/.test(key) && /ecommerce/.test(action) ? { '@path': `$.v.${key}` } : mapped(r, key)
  // order_placed has its cart before its discounts now and behind them before.
  if (/ecommerce/.test(action) && mapping.cart_id) for (const key of ['total_discounts', 'discounts']) delete mapping[key]
  if (r.chance(0.1)) mapping.unknown = 'x'
  return mapping
}

function values (r, action, wild) {
  const v = {}
  for (const [key, kind] of actions[action]) {
    if (r.chance(0.05)) continue
    if (kind === 'event_name') v[key] = kinds.event_name(r)
    else if (wild) v[key] = value(r, kind)
    else v[key] = (/ecommerce/.test(action) && tame[kind] && !r.chance(0.05) ? tame : kinds)[kind](r)
  }
  v.mode = 'add'
  return v
}

/* A case may say anything of a status and of a content type; HTTP may not. */
const statuses = [0, 99, 100, 200.5, 204, 299.5, 304, 599, 600, 1000, -1, 1e21, '200', '404', '', 'x', ' 201 ', '0x190', '0', null, true, false, [200], ['400'], {}]
const types = ['application/json; charset=utf-8', 'Application/JSON', 'text/plain', '', 'application/vnd.api+json', 'a, application/json', null, 5, ['application/json']]

function odd (r, response) {
  if (r.chance(0.1)) response.status = r.pick(statuses)
  if (r.chance(0.05)) response.headers = { [r.pick(['content-type', 'content-type', 'Content-Type'])]: r.pick(types) }
  return response
}

function response (r, count) {
  const error = () => {
    const e = { type: r.pick(['t1', 't2', "'external_id' is required"]), index: r.pick([0, 1, count, 99].filter((i) => i < count || r.chance(0.2))) }
    if (r.chance(0.2)) delete e.index
    if (r.chance(0.2)) Object.assign(e, r.pick([{ index: '0' }, { index: '1' }, { index: '01' }, { index: [0] }, { index: null }, { type: {} }, { type: null }]))
    return r.chance(0.05) ? r.pick([null, 5, 's']) : e
  }
  const body = r.weighted([[6, () => ({ message: 'success' })], [2, () => ({ message: r.pick(['m', '', null, 5]), errors: r.times(0, 3, error) })], [1, () => ({ errors: r.pick(['x', ['s'], [], {}]) })],
    [1, () => r.pick([{}, 'text', 5])]])
  return odd(r, { status: r.pick([200, 201, 201, 201, 202, 400, 401, 404, 413, 429, 500, 503, 599]), body })
}

/* Positions of errors count differently for the older ecommerce actions, and null among them is a row of docs/parity.md. */
function withoutErrors (response) {
  if (response.body) delete response.body.errors
  return response
}

function catalogResponse (r) {
  const error = () => ({ id: r.pick(['item-not-found', 'catalog-not-found', 'ids-not-unique', 'x']), message: r.pick(['bad', undefined]), parameters: r.pick([undefined, ['item_id'], ['a', 'b']]),
    parameter_values: r.pick([undefined, ['a'], ['a', 'b'], [{ id: 'a' }], [null], null, 'a']) })
  const oddBody = () => ({ errors: r.pick([null, {}, 'x', [null], [5]]) })
  return odd(r, { status: r.pick([200, 201, 400, 404, 401, 500]), body: r.weighted([[3, () => ({ message: 'ok' })], [4, () => ({ errors: r.times(1, 2, error), message: 'm' })], [1, () => ({})], [1, oddBody]]) })
}

function base (r, op, action) {
  const wild = r.chance(/ecommerce/.test(action) ? 0.25 : 0.5)
  const test = { op, action }
  if (presetable.includes(action) && r.chance(0.4)) test.useDefaultMappings = true
  test.mapping = test.useDefaultMappings && r.chance(0.7) ? {} : ownMapping(r, action)
  if (!/ecommerce/.test(action) && r.chance(0.03)) test.mapping.__segment_internal_directive = r.pick([{ '@merge': { objects: [{ '@path': '$.v' }], direction: 'right' } }, { '@if': { exists: 1, then: { '@path': '$.v.name' } } }, { '@path': '$.v' }])
  if (/ecommerce/.test(action)) {
    test.mapping.name = { '@path': '$.v.name' }
    if (test.useDefaultMappings) { delete test.mapping.cart_id }
  }
  const mode = syncMode(r, action)
  if (mode !== undefined && r.chance(/2|Catalog|ecommerce/.test(action) ? 0.97 : 0.2)) test.mapping.__segment_internal_sync_mode = mode
  if (/ecommerce/.test(action)) test.mapping.__segment_internal_sync_mode = mode
  if (action === 'upsertCatalogItem' && r.chance(0.9)) test.mapping.onMappingSave = { outputs: { catalog_name: 'cat' } }
  return [test, () => ({ ...wildEvent(r, action), v: values(r, action, wild && r.chance(0.7)) })]
}

function settings (r) {
  return r.pick([{ api_key: '', endpoint: 'https://rest.iad-01.braze.com' }, { api_key: 'k', app_id: '', endpoint: 'https://rest.fra-01.braze.eu' },
    { api_key: 'k', app_id: null, endpoint: 'https://rest.iad-02.braze.com' }])
}

function makeAction (r) {
  if (r.chance(0.05)) return makeCohorts(r, 'action')
  const [test, event] = base(r, 'action', r.pick(names))
  test.event = event()
  if (r.chance(0.1)) test.settings = settings(r)
  if (r.chance(0.2)) test.response = test.action === 'upsertCatalogItem' ? catalogResponse(r) : response(r, 1)
  if (test.response && /ecommerce/.test(test.action)) withoutErrors(test.response)
  if (r.chance(0.02)) test.event = r.pick([null, [], 'x', 5, {}])
  return test
}

function makeBatch (r) {
  if (r.chance(0.05)) return makeCohorts(r, 'batch')
  const [test, event] = base(r, 'batch', r.chance(0.03) ? r.pick(names) : r.pick(batchable))
  test.events = r.times(r.chance(0.03) ? 0 : 1, 6, event)
  if (r.chance(0.03)) test.events.push(r.pick([null, 'x', 5, [], {}]))
  if (/Purchase/.test(test.action) && r.chance(0.1)) {
    const product = { product_id: 'p', price: 1 }
    for (const e of test.events) {
      if (!e || !e.v) continue
      e.v.products = Array.from({ length: r.pick([0, 20, 40, 60, 75, 76]) }, () => product)
    }
  }
  if (r.chance(0.3)) test.response = test.action === 'upsertCatalogItem' ? catalogResponse(r) : response(r, test.events.length)
  if (test.response && /ecommerce/.test(test.action)) withoutErrors(test.response)
  return test
}

const cohort = [['external_id', 'id', 0.8], ['user_alias', 'halves', 0.2], ['device_id', 'id', 0.3], ['cohort_id', 'string', 0.97], ['cohort_name', 'key', 0.97],
  ['personas_audience_key', 'key', 0.97], ['event_properties', 'flags', 0.97], ['time', 'zulu', 0.97], ['batch_keys', 'likes', 0.2], ['enable_batching', 'boolean', 0.2]]
actions.syncAudiences = cohort
kinds.key = (r) => r.chance(0.95) ? 'aud' : 'other'
kinds.flags = (r) => (r.chance(0.9) ? { aud: r.pick([true, false, 'false', 0, null]) } : {})
kinds.zulu = (r) => (r.chance(0.95) ? `2024-01-0${1 + r.below(9)}T00:00:00.000Z` : r.pick(['never', '2024', 'Jan 5 2024', ' ']))

kinds.half = (r) => r.pick(['a', 'b', 'a:b', 'b:a', ':', 'a:', 5])
kinds.halves = (r) => parts(r, [['alias_name', 'half', 0.97], ['alias_label', 'half', 0.97]])

/* Members of an audience. */
function makeCohorts (r, op) {
  const event = () => {
    const v = values(r, 'syncAudiences', false)
    if (r.chance(0.1)) v[r.pick(cohort)[0]] = r.pick(scalars)
    v.time = r.chance(0.97) ? kinds.zulu(r) : null
    return { type: 'track', userId: 'u', context: { personas: { computation_id: 'c', computation_key: 'aud' } }, timestamp: kinds.zulu(r), properties: kinds.flags(r), v }
  }
  const test = { op, destination: 'braze-cohorts', action: 'syncAudiences', mapping: ownMapping(r, 'syncAudiences'), settings: { client_secret: 's', endpoint: 'https://rest.iad-01.braze.com' } }
  test.mapping.time = { '@path': '$.v.time' }
  if (r.chance(0.3)) test.useDefaultMappings = true
  if (op === 'batch') test.events = r.times(r.chance(0.03) ? 0 : 1, r.chance(0.9) ? 6 : 40, event)
  else test.event = event()
  if (r.chance(0.2)) test.response = response(r, 1)
  if (r.chance(0.1)) delete test.settings
  else if (r.chance(0.02)) delete test.settings.endpoint
  return test
}

/* A line that is none, or names no action as a line should. */
function oddLine (r, line) {
  return r.pick([null, 'x', 5, [], {}, [line], { ...line, subscribe: ['type = "track"'] }, { ...line, partnerAction: r.pick([null, 5, [line.partnerAction], 'syncAudiences']) }])
}

const subscriptions = ['type = "track"', 'type = "identify"', 'event = "E"', 'type = "track" and event != "Order Completed"', '', 'type =', 'foo', 5, null,
  'properties.email != null', 'type = "page" or type = "track"']
const wrongSettings = [{}, { api_key: 5 }, { endpoint: 'x' }, { endpoint: 'https://a.b' }, { api_key: null }, { app_id: null }, { extra: 1 }, { app_id: ['a'] }, { api_key: {} }]

/* Of an event, or of an array of them as a host passes a batch. */
function manyEvents (r, event, make) {
  if (r.chance(0.02)) return r.pick([null, 'x', 5, true, [], [[]], [null]])
  if (r.chance(0.65)) return event
  return r.times(1, 5, () => (r.chance(0.05) ? r.pick([null, 'x', 5, [], {}]) : r.chance(0.3) ? event : { ...event, ...make(), v: event.v }))
}

/* The same entry for the other destination. */
function makeCohortsEvent (r) {
  const { event, events, settings = {}, mapping, response } = makeCohorts(r, r.pick(['action', 'batch']))
  const line = { partnerAction: 'syncAudiences', subscribe: r.pick(['type = "track"', 'type != "x"', 'properties.aud = true']), mapping }
  if (r.chance(0.1)) Object.assign(settings, r.pick([{ client_secret: null }, { client_secret: 5 }, { client_secret: [] }, { endpoint: 'x' }, { endpoint: 'https://rest.us-10.braze.com' }, { endpoint: 5 }, { extra: 1 }]))
  return { op: 'event', destination: 'braze-cohorts', event: event || events, settings: { ...settings, subscriptions: [line] }, response }
}

/* Several subscriptions run at once. The ecommerce actions stay alone, since their `name` is not what others call so. */
function makeEvent (r) {
  if (r.chance(0.05)) return makeCohortsEvent(r)
  const lines = []
  let event
  let another
  const count = r.chance(0.6) ? 1 : 2
  for (let i = 0; i < count; i++) {
    const [test, make] = base(r, 'event', r.pick(count === 1 ? names : names.filter((name) => !/ecommerce/.test(name))))
    const first = make()
    another = another || make
    const mapping = { ...test.mapping }
    event = event === undefined ? first : { ...event, v: { ...first.v, ...event.v } }
    const line = { partnerAction: r.chance(0.03) ? 'nosuch' : test.action, subscribe: r.chance(0.7) ? `type = "${event.type}"` : r.pick(subscriptions), mapping }
    if (r.chance(0.05)) delete line.mapping
    if (r.chance(0.2)) line.enabled = r.chance(0.5)
    lines.push(r.chance(0.03) ? oddLine(r, line) : line)
  }
  const own = { api_key: 'k', app_id: 'app', endpoint: 'https://rest.iad-01.braze.com', ...(r.chance(0.2) ? r.pick(wrongSettings) : {}) }
  if (r.chance(0.02)) delete own.api_key
  if (r.chance(0.02)) delete own.endpoint
  if (r.chance(0.03)) own.subscription = r.pick([lines[0], 'x', 5, true, [], 0, null])
  const test = { op: 'event', event: manyEvents(r, event, another), settings: { ...own, subscriptions: r.chance(0.02) ? r.pick([null, {}, 'x']) : lines } }
  if (r.chance(0.2)) test.response = response(r, 1)
  if (test.response && lines.some((line) => line && /ecommerce/.test(line.partnerAction))) withoutErrors(test.response)
  if (r.chance(0.01)) delete test.settings
  return test
}

const makers = { action: makeAction, batch: makeBatch, event: makeEvent }
module.exports = (r, op) => makers[op](r)
