// A shop's customers: which calls an app makes for each, and what Braze must hold of them afterwards. The expectation is
// written from Segment's and Braze's documents, not computed by anything of ours.

const IDENTIFY_ROUNDS = 2 // the second brings newer values
const PAGES = 8
const SCREENS = 6
const ARTICLES = 20
const ORDERS = 6
const VIEWS = 2
const ADDITIONS = 2
const GROUPS = 3
const ALIASES = 3

export const CALLS_A_CUSTOMER = IDENTIFY_ROUNDS + PAGES + SCREENS + ARTICLES + ORDERS + VIEWS + ADDITIONS + GROUPS + ALIASES

function traits(customer, round) {
  return {
    email: `c${customer}@shop.example`,
    firstName: `First${customer}`,
    lastName: 'Naïve 🦊', // text beyond ASCII must come through as it is
    gender: 'female',
    plan: round === 1 ? 'free' : 'pro',
    logins: customer * 10 + round,
    rate: customer + 0.25,
    newsletter: round === 2,
    tags: ['a', `t${customer % 7}`],
  }
}

function product(customer, n) {
  return { product_id: `sku-${(customer + n) % 5}`, name: `Thing ${n}`, variant: `v${n}`, price: 10 + n + 0.5, quantity: 1 + (n % 3) }
}

function order(customer, n) {
  return {
    order_id: `o-${customer}-${n}`,
    cart_id: `cart-${customer}`,
    total: 100.5 + n,
    subtotal: 90,
    tax: 5.5,
    shipping: 5,
    discount: n,
    discount_items: [{ code: 'TEN', amount: 10 }],
    currency: 'USD',
    source: 'web',
    order_status_url: `https://shop.example/o/${n}`,
    products: [product(customer, n), product(customer, n + 1)],
  }
}

const article = (customer, n) => ({
  n,
  title: `Article ${n} of ${customer}`,
  minutes: n / 4,
  finished: n % 2 === 0,
  tags: ['x', 'y'],
  author: { name: 'A. Writer', city: { name: 'Zürich' } },
})

/** The calls of one customer as [method of the SDK, its argument]. `round` 1 goes before `round` 2. */
export function callsOf(customer, round) {
  const userId = `customer-${customer}`
  const calls = [['identify', { userId, traits: traits(customer, round) }]]
  const times = (count, make) => {
    for (let n = 0; n < count; n++) if ((n % 2) + 1 === round) calls.push(make(n))
  }
  times(ARTICLES, n => ['track', { userId, event: 'Article Read', properties: article(customer, n) }])
  times(ORDERS, n => ['track', { userId, event: 'Order Completed', properties: order(customer, n) }])
  times(VIEWS, n => ['track', { userId, event: 'Product Viewed', properties: { ...product(customer, n), currency: 'EUR', source: 'app' } }])
  times(ADDITIONS, n => ['track', { userId, event: 'Product Added', properties: { ...product(customer, n), cart_id: 'k', total: 7, currency: 'EUR', source: 'app' } }])
  times(PAGES, n => ['page', { userId, name: `Page ${n}`, properties: { n, path: `/p/${n}` } }])
  times(SCREENS, n => ['screen', { userId, name: `Screen ${n}`, properties: { n } }])
  times(GROUPS, n => ['group', { userId, groupId: `company-${n}`, traits: { name: `Company ${n}` } }])
  times(ALIASES, n => ['alias', { userId, previousId: `visitor-${customer}-${n}` }])
  return calls
}

/** What SDKs send for people who are not signed in: an email address in the context is all Braze could know them by. */
export const visitorsCalls = visitors => [
  ...Array.from({ length: visitors }, (_, n) => [
    'track',
    { anonymousId: `visitor-${n}`, event: 'Newsletter Opened', properties: { n }, context: { traits: { email: `visitor${n}@mail.example` } } },
  ]),
  ...Array.from({ length: visitors }, (_, n) => ['track', { anonymousId: `visitor-${n}`, event: 'Nobody Knows Me', properties: { n } }]),
]

// ------------------------------------------------------------------------------------------ what Braze must hold

const brazeProduct = p => ({ quantity: p.quantity, product_id: p.product_id, product_name: p.name, variant_id: p.variant, price: p.price })

function orderPlaced(customer, n) {
  const o = order(customer, n)
  return {
    currency: 'USD',
    source: 'web',
    metadata: { order_status_url: o.order_status_url },
    products: o.products.map(brazeProduct),
    total_value: o.total,
    order_id: o.order_id,
    cart_id: o.cart_id,
    subtotal_value: o.subtotal,
    tax: o.tax,
    shipping: o.shipping,
    total_discounts: o.discount,
    discounts: o.discount_items,
  }
}

function productViewed(customer, n) {
  const p = product(customer, n)
  return { currency: 'EUR', source: 'app', product_id: p.product_id, product_name: p.name, variant_id: p.variant, price: p.price }
}

const cartUpdated = (customer, n) => ({
  currency: 'EUR',
  source: 'app',
  products: [brazeProduct(product(customer, n))],
  total_value: 7,
  cart_id: 'k',
  action: 'add',
})

const all = (count, make) => Array.from({ length: count }, (_, n) => make(n))

function attributes(customer) {
  const t = traits(customer, IDENTIFY_ROUNDS)
  const { email, firstName, lastName, gender, ...custom } = t
  return { email, first_name: firstName, last_name: lastName, gender: 'F', custom_attributes: custom }
}

/** With the presets: what is left of page, screen, group and alias is nothing. */
export function expectedFromPresets(customer) {
  return {
    ...attributes(customer),
    events: [
      ...all(ARTICLES, n => ['Article Read', article(customer, n)]),
      ...all(ORDERS, n => ['ecommerce.order_placed', orderPlaced(customer, n)]),
      ...all(VIEWS, n => ['ecommerce.product_viewed', productViewed(customer, n)]),
      ...all(ADDITIONS, n => ['ecommerce.cart_updated', cartUpdated(customer, n)]),
    ],
    purchases: [],
  }
}

/** Subscriptions of an owner who wants purchases, pages and screens. */
export const ownSubscriptions = [
  {
    name: 'People',
    enabled: true,
    subscribe: 'type = "identify"',
    partnerAction: 'updateUserProfile',
    mapping: {
      external_id: { '@path': '$.userId' },
      email: { '@path': '$.traits.email' },
      first_name: { '@path': '$.traits.firstName' },
      last_name: { '@path': '$.traits.lastName' },
      gender: { '@path': '$.traits.gender' },
      custom_attributes: { '@path': '$.traits' },
      enable_batching: true,
    },
  },
  {
    name: 'Articles',
    enabled: true,
    subscribe: 'type = "track" and event != "Order Completed"',
    partnerAction: 'trackEvent',
    mapping: {
      external_id: { '@path': '$.userId' },
      name: { '@path': '$.event' },
      time: { '@path': '$.timestamp' },
      properties: { '@path': '$.properties' },
      enable_batching: true,
    },
  },
  {
    name: 'Orders',
    enabled: true,
    subscribe: 'event = "Order Completed"',
    partnerAction: 'trackPurchase',
    mapping: {
      external_id: { '@path': '$.userId' },
      time: { '@path': '$.timestamp' },
      products: { '@path': '$.properties.products' },
      properties: { order: { '@path': '$.properties.order_id' } },
      enable_batching: true,
    },
  },
  {
    name: 'Pages and screens',
    enabled: true,
    subscribe: 'type = "page" or type = "screen"',
    partnerAction: 'trackEvent',
    mapping: {
      external_id: { '@path': '$.userId' },
      name: { '@template': 'Saw {{name}}' },
      time: { '@path': '$.timestamp' },
      properties: { '@path': '$.properties' },
      enable_batching: true,
    },
  },
]

export function expectedFromOwn(customer) {
  return {
    ...attributes(customer),
    events: [
      ...all(ARTICLES, n => ['Article Read', article(customer, n)]),
      ...all(VIEWS, n => ['Product Viewed', { ...product(customer, n), currency: 'EUR', source: 'app' }]),
      ...all(ADDITIONS, n => ['Product Added', { ...product(customer, n), cart_id: 'k', total: 7, currency: 'EUR', source: 'app' }]),
      ...all(PAGES, n => [`Saw Page ${n}`, { n, path: `/p/${n}` }]),
      ...all(SCREENS, n => [`Saw Screen ${n}`, { n }]),
    ],
    purchases: all(ORDERS, n => order(customer, n))
      .flatMap(o => o.products.map(p => ({ ...p, order: o.order_id })))
      .map(p => ({
        product_id: p.product_id,
        currency: 'USD',
        price: p.price,
        quantity: p.quantity,
        properties: { name: p.name, variant: p.variant, order: p.order },
      })),
  }
}
