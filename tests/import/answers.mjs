// Answers of Segment's Public API, as docs/spec/sources.md §7 describes them, with data of a made-up shop.

export const webSource = { id: 'srcWeb', slug: 'web', name: 'Shop (web)', enabled: true, writeKeys: ['WK_WEB'], metadata: { id: 'm', slug: 'javascript' }, workspaceId: 'ws', settings: {}, labels: [] }
export const appSource = { ...webSource, id: 'srcApp', slug: 'app', name: 'Shop (app)', writeKeys: ['WK_APP'] }

const cloud = { id: '60f9d0d048950c356be2e4da', name: 'Braze Cloud Mode (Actions)', slug: 'actions-braze-cloud', status: 'PUBLIC', actions: [], presets: [] }

export const destination = {
  id: '5f00000000000000000000d1',
  name: 'Braze EU (production)',
  enabled: true,
  sourceId: webSource.id,
  settings: { api_key: '••••••••••', app_id: 'APP-1', endpoint: 'https://rest.fra-01.braze.eu' },
  metadata: cloud,
}
export const second = { ...destination, id: '5f00000000000000000000d2', name: 'Braze US', sourceId: appSource.id, settings: { api_key: '****', endpoint: 'https://rest.iad-01.braze.com' } }
export const classic = { ...destination, id: '5f00000000000000000000d3', name: 'Old Braze', settings: {}, metadata: { id: '54efbf12db31d978f14aa8b5', name: 'Braze', slug: 'braze' } }

const userId = { '@if': { exists: { '@path': '$.userId' }, then: { '@path': '$.userId' }, else: { '@path': '$.traits.userId' } } }

const mappings = {
  trackEvent: {
    external_id: userId,
    name: { '@template': 'shop: {{event}}' },
    time: { '@path': '$.receivedAt' },
    properties: { '@merge': { objects: [{ '@path': '$.properties' }, { channel: 'web', 'weird "key"\u2028': '\u0000\u007f\u{1f6d2}' }], direction: 'right' } },
  },
  updateUserProfile: {
    external_id: userId,
    email: { '@path': '$.traits.email' },
    first_name: { '@path': '$.traits.firstName' },
    custom_attributes: { '@path': '$.traits' },
  },
  trackPurchase: {
    external_id: userId,
    time: { '@path': '$.receivedAt' },
    products: { '@arrayPath': ['$.properties.products', { product_id: { '@path': '$.product_id' }, price: { '@path': '$.price' }, quantity: { '@path': '$.quantity' }, currency: 'EUR' }] },
  },
}

const subscription = (id, name, actionId, actionSlug, trigger, settings, more = {}) => ({ id, name, actionId, actionSlug, destinationId: destination.id, enabled: true, trigger, settings, ...more })

export const subscriptions = [
  subscription('sub1', 'Profiles', '2P24zUSAL8BUpyGYNGmD7M', 'updateUserProfile', 'type = "identify"', mappings.updateUserProfile),
  subscription('sub2', 'Events: "all" but orders', '3pnc4QJvUjWGi2bp6EnDt', undefined, 'type = "track" and event != "Order Completed"', mappings.trackEvent),
  subscription('sub3', 'Orders', 'vE7Gf9yobj2gTuMBhwmg7g', 'trackPurchase', 'event = "Order Completed"', mappings.trackPurchase),
  subscription('sub4', 'Switched off', '3pnc4QJvUjWGi2bp6EnDt', 'trackEvent', 'type = "page"', { name: 'page' }, { enabled: false }),
]
export const secondSubscriptions = [subscription('sub5', 'Events', '3pnc4QJvUjWGi2bp6EnDt', 'trackEvent', 'type = "track"', mappings.trackEvent, { destinationId: second.id })]
export const warehouse = subscription('sub6', 'From the warehouse', '2P24zUSAL8BUpyGYNGmD7M', 'updateUserProfile', 'event = "new"', {}, { modelId: 'model1' })
export const filter = { id: 'filter1', sourceId: webSource.id, destinationId: destination.id, title: 'No tests', enabled: true, if: 'properties.test = true', actions: [{ type: 'DROP' }] }

export const cohorts = {
  ...destination,
  id: '5f00000000000000000000d4',
  name: 'VIPs',
  settings: { client_secret: '••••••••••', endpoint: 'https://rest.fra-01.braze.eu' },
  metadata: { id: '63872c01c0c112b9b4d75412', name: 'Braze Cohorts', slug: 'actions-braze-cohorts', status: 'PUBLIC', actions: [], presets: [] },
}
const audience = key => ({
  external_id: { '@path': '$.userId' },
  cohort_id: { '@path': '$.context.personas.computation_id' },
  cohort_name: { '@path': '$.context.personas.computation_key' },
  enable_batching: true,
  personas_audience_key: key,
  event_properties: { '@if': { exists: { '@path': '$.properties' }, then: { '@path': '$.properties' }, else: { '@path': '$.traits' } } },
  time: { '@path': '$.timestamp' },
  batch_keys: ['cohort_name', 'cohort_id'],
})
const audienceCalls = 'event = "Audience Entered" or event = "Audience Exited"'
export const cohortsSubscriptions = [
  subscription('sub7', 'VIPs', 'sW4CKfq2r8LXZhXDfmbQW6', 'syncAudiences', audienceCalls, audience('vip'), { destinationId: cohorts.id }),
  subscription('sub8', 'New ones', 'sW4CKfq2r8LXZhXDfmbQW6', undefined, audienceCalls, audience('new'), { destinationId: cohorts.id }),
]

/** An answer with one page of a list. */
export const page = (key, list, pagination) => ({ data: { [key]: list, pagination } })
