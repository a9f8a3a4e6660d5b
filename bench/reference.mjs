// The cases of bench/reference.sh, and the comparison: PAIRS runs of each side in turn, the middle ones count. Other work on
// the machine then falls on both.
import { execFileSync } from 'node:child_process'

const rounds = Number(process.argv[2])
const PAIRS = 5
const OURS_FACTOR = 200 // rounds of ours for one of the reference: both runs take seconds
const ORACLE = 'tests/differential/oracle/oracle.js'
const RUN_CASES = 'build/tests/run-cases'

const base = {
  messageId: 'node-next-1795315716102-0123456789abcdef',
  userId: 'user-4711',
  timestamp: '2026-11-22T02:48:36.102Z',
  receivedAt: '2026-11-22T02:48:36.110Z',
  sentAt: '2026-11-22T02:48:36.108Z',
  context: { library: { name: '@segment/analytics-node', version: '3.1.0' }, locale: 'en-GB' },
  integrations: {}
}
const track = (event, properties) => ({ ...base, type: 'track', event, properties })
const product = { product_id: 'sku-1', name: 'Spelter rod', variant: 'long', quantity: 2, price: 19.95, url: 'https://forge.example/p/1' }
const order = { order_id: 'o-1', total: 39.9, currency: 'EUR', source: 'web', products: [product] }
const identify = {
  ...base,
  type: 'identify',
  traits: { email: 'ada@example.com', firstName: 'Ada', lastName: 'Byron', gender: 'female', address: { city: 'London' }, plan: 'pro', logins: 7, phone: '+441234' }
}
const clicked = track('Product Clicked', { ...product, position: 3, category: 'welding', in_stock: true })
const path = (p) => ({ '@path': p })

const heavy = {
  external_id: path('$.userId'),
  name: { '@template': '{{event}} in {{properties.category}}' },
  time: path('$.receivedAt'),
  email: { '@if': { exists: path('$.context.traits.email'), then: path('$.context.traits.email'), else: path('$.properties.email') } },
  properties: {
    ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`field_${i}`, { '@template': `{{properties.name}} ${i} {{properties.price}}` }])),
    flat: { '@flatten': { value: path('$.context'), separator: '.' } },
    items: { '@arrayPath': ['$.properties.items', { id: path('$.product_id'), label: { '@template': '{{name}} x{{quantity}}' } }] },
    upper: { '@case': { operator: 'upper', value: path('$.properties.name') } },
    merged: { '@merge': { direction: 'right', objects: [path('$.context.library'), path('$.properties')] } }
  }
}

const cases = {
  trackEvent: { action: 'trackEvent', event: clicked },
  trackEvent2: { action: 'trackEvent2', event: clicked, mapping: { __segment_internal_sync_mode: 'add' } },
  updateUserProfile: { action: 'updateUserProfile', event: identify },
  updateUserProfile2: { action: 'updateUserProfile2', event: identify, mapping: { __segment_internal_sync_mode: 'update' } },
  trackPurchase: { action: 'trackPurchase', event: track('Order Completed', order) },
  ecommerce: { action: 'ecommerce', event: track('Order Completed', order), mapping: { name: 'ecommerce.order_placed', __segment_internal_sync_mode: 'add' } },
  ecommerceSingleProduct: { action: 'ecommerceSingleProduct', event: track('Product Viewed', { ...product, currency: 'EUR', source: 'web' }), mapping: { name: 'ecommerce.product_viewed', __segment_internal_sync_mode: 'add' } },
  trackPurchase2: { action: 'trackPurchase2', event: track('Order Completed', order), mapping: { __segment_internal_sync_mode: 'add' } },
  upsertCatalogItem: {
    action: 'upsertCatalogItem',
    event: track('Product Added', product),
    mapping: { item: { name: path('$.properties.name'), price: path('$.properties.price') }, item_id: path('$.properties.product_id'), __segment_internal_sync_mode: 'upsert', onMappingSave: { outputs: { catalog_name: 'rods' } } }
  },
  createAlias: { action: 'createAlias', event: identify, mapping: { external_id: path('$.userId'), alias_name: path('$.messageId'), alias_label: 'message' } },
  createAlias2: { action: 'createAlias2', event: identify, mapping: { external_id: path('$.userId'), alias_name: path('$.messageId'), alias_label: 'message', __segment_internal_sync_mode: 'add' } },
  identifyUser2: { action: 'identifyUser2', event: identify, mapping: { external_id: path('$.userId'), user_alias: { alias_name: path('$.messageId'), alias_label: 'message' }, __segment_internal_sync_mode: 'upsert' } },
  identifyUser: { action: 'identifyUser', event: identify, mapping: { external_id: path('$.userId'), user_alias: { alias_name: path('$.messageId'), alias_label: 'message' } } },
  triggerCampaign: { action: 'triggerCampaign', event: clicked, mapping: { campaign_id: 'c1', broadcast: false, recipients: [{ external_user_id: path('$.userId') }] } },
  triggerCanvas: { action: 'triggerCanvas', event: clicked, mapping: { canvas_id: 'c1', broadcast: false, recipients: [{ external_user_id: path('$.userId') }] } },
  heavy: { action: 'trackEvent', event: track('Product Clicked', { ...clicked.properties, items: [product, product, product] }), mapping: heavy }
}

function rate (command, args, input) {
  return JSON.parse(execFileSync(command, args, { input, env: { ...process.env, TZ: 'UTC' } })).events_per_second
}

const middle = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

for (const [name, c] of Object.entries(cases)) {
  const input = JSON.stringify({ op: 'action', useDefaultMappings: true, ...c }) + '\n'
  const requests = (command, args) => JSON.stringify(JSON.parse(execFileSync(command, args, { input })).requests)
  const expected = requests('node', [ORACLE])
  if (expected === '[]') throw new Error(`${name}: the reference sends nothing`)
  if (requests(RUN_CASES, []) !== expected) throw new Error(`${name}: not what the reference sends`)
  const reference = []
  const ours = []
  for (let i = 0; i < PAIRS; i++) {
    reference.push(rate('node', [ORACLE, '--bench', String(rounds)], input))
    ours.push(rate(RUN_CASES, ['--bench', String(rounds * OURS_FACTOR)], input))
  }
  const ratio = middle(ours.map((rate, i) => rate / reference[i]))
  console.log(JSON.stringify({
    bench: 'reference',
    case: name,
    event_bytes: JSON.stringify(c.event).length,
    events_per_s: middle(ours),
    reference_events_per_s: middle(reference),
    ratio: Math.round(ratio)
  }))
}
