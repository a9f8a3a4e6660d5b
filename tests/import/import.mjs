// What a user does who moves: saves Segment's answers, imports them, checks, and maps a few events.
import fs from 'node:fs'
import path from 'node:path'
import { root, run, temporaryFolder } from '../lib/programs.mjs'
import { check, checkEqual, suite } from '../lib/tap.mjs'
import { appSource, classic, cohorts, cohortsSubscriptions, destination, filter, page, second, secondSubscriptions, subscriptions, warehouse, webSource } from './answers.mjs'

const DONE = 0
const USER = 1
const ENVIRONMENT = 2

const AT = '2024-01-02T03:04:05.000Z'
const env = { BRAZE_API_KEY: 'key', SPELTER_WEB_KEY: 'WK_WEB' }

const events = [
  { type: 'identify', userId: 'u1', receivedAt: AT, traits: { email: 'e@x.com', firstName: 'F', plan: 'pro' } },
  { type: 'track', userId: 'u1', event: 'Product Viewed', receivedAt: AT, properties: { sku: 's', price: 1.5 } },
  { type: 'track', userId: 'u1', event: 'Order Completed', receivedAt: AT, properties: { products: [{ product_id: 'p1', price: 5, quantity: 2 }, { product_id: 'p2', price: 1 }] } },
  { type: 'track', anonymousId: 'a', event: 'Nobody', receivedAt: AT },
  { type: 'page', userId: 'u1', name: 'Home', receivedAt: AT },
]
const input = events.map(event => `${JSON.stringify(event)}\n`).join('')

function folderOf(files) {
  const folder = temporaryFolder()
  for (const [name, value] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), typeof value === 'string' ? value : JSON.stringify(value, null, 2))
  return folder
}

function saved(folder, text) {
  const file = path.join(folder, 'spelter.yaml')
  fs.writeFileSync(file, text)
  return file
}

async function mapLines(file, variables = env) {
  const { code, out, err } = await run(['map', '-c', file], { input, env: variables })
  return { code, err, lines: out.split('\n').filter(line => line !== '').map(line => JSON.parse(line)) }
}

/** The same config as a user would write it, JSON being YAML. */
const byHand = list =>
  JSON.stringify({
    sources: [{ id: 'web', write_key: '${SPELTER_WEB_KEY}' }],
    destinations: [
      {
        id: 'braze-eu-production',
        settings: { api_key: '${BRAZE_API_KEY}', app_id: 'APP-1', endpoint: 'https://rest.fra-01.braze.eu' },
        parity: 'strict',
        subscriptions: list.map(({ name, enabled, trigger, actionSlug, settings }) => ({ name, enabled, subscribe: trigger, partnerAction: actionSlug ?? 'trackEvent', mapping: settings })),
      },
    ],
  }).replace(/[\u007f-\u009f\u2028\u2029]|\\u[0-9a-f]{4}/g, c => (c.length > 1 ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))

async function move() {
  const folder = folderOf({
    'destination.json': { data: { destination } },
    'source.json': { data: { source: webSource } },
    'subscriptions-1.json': page('subscriptions', subscriptions.slice(0, 2), { current: 'MA==', next: 'Mg==', totalEntries: 4 }),
    'subscriptions-2.json': page('subscriptions', subscriptions.slice(2, 3), { current: 'Mg==', next: 'Mw==', totalEntries: 4 }),
    'subscriptions-10.json': page('subscriptions', subscriptions.slice(3), { current: 'Mw==', totalEntries: 4 }),
    'notes.txt': 'not JSON, and no business of the import',
  })
  const imported = await run(['import', 'segment', folder])
  check('an export in several files and pages is imported', imported.code === DONE, imported)
  checkEqual('it says which secrets are wanted, and nothing else', imported.err.trim().split('\n'), [
    'set SPELTER_WEB_KEY to the write key of source web: the config holds no secrets',
    'set BRAZE_API_KEY to the Braze REST API key of braze-eu-production: the config holds no secrets',
  ])
  check('no secret of the export gets into the config', !/WK_WEB|••/.test(imported.out), imported.out)
  const file = saved(folder, imported.out)
  const checked = await run(['check', '-c', file], { env })
  checkEqual('check takes the config without a warning', [checked.code, checked.out, checked.err], [DONE, `${file}: fine. 1 source, 1 destination, 4 subscriptions\n`, ''])
  const order = [...imported.out.matchAll(/^ {6}- name: (".*")$/gm)].map(match => JSON.parse(match[1]))
  checkEqual('the mappings stand in the order of the pages, numbers by value', order, subscriptions.map(s => s.name))

  const got = await mapLines(file)
  const expected = await mapLines(saved(temporaryFolder(), byHand(subscriptions)))
  checkEqual('map gives the same as with a config written by hand', JSON.stringify(got.lines), JSON.stringify(expected.lines))
  checkEqual('map: five events, three requests', [got.code, got.lines.length, got.lines.flatMap(line => line.requests).length], [DONE, 5, 3])
  checkEqual('map: the mapping did its work', got.lines[1].requests[0].json.events[0], {
    external_id: 'u1',
    app_id: 'APP-1',
    name: 'shop: Product Viewed',
    time: AT,
    properties: { sku: 's', price: 1.5, channel: 'web', 'weird "key"\u2028': '\u0000\u007f\u{1f6d2}' },
  })
  await output(folder, imported.out)
}

// ------------------------------------------------------------------------------------------ --output

async function output(folder, text) {
  const file = path.join(folder, 'out.yaml')
  const read = () => fs.readFileSync(file, 'utf8')
  const first = await run(['import', 'segment', folder, '--output', file])
  checkEqual('--output writes what would go to standard output', [first.code, first.out, read()], [DONE, '', text])
  fs.writeFileSync(file, 'mine')
  const refused = await run(['import', 'segment', folder, '--output', file])
  checkEqual('--output never overwrites', [refused.code, refused.err, read()], [USER, `spelter: ${file} is there already, --force overwrites it\n`, 'mine'])
  const forced = await run(['import', 'segment', folder, '-o', file, '--force', '--batching', 'per_action'])
  checkEqual('--force does, and --batching is written', [forced.code, read()], [DONE, text.replace('batching: combined', 'batching: per_action')])
  fs.writeFileSync(file, 'mine')
  fs.writeFileSync(path.join(folder, 'zz-broken.json'), '{')
  const broken = await run(['import', 'segment', folder, '-o', file, '-f'])
  checkEqual('a refused import leaves the old file alone', [broken.code, read(), fs.existsSync(`${file}.new`)], [USER, 'mine', false])
  fs.rmSync(path.join(folder, 'zz-broken.json'))
  const nowhere = await run(['import', 'segment', folder, '-o', `${folder}/none/out.yaml`])
  check('a file that cannot be written is the machine’s trouble', nowhere.code === ENVIRONMENT && /none\/out\.yaml: No such file or directory\n$/.test(nowhere.err), nowhere)
}

// ------------------------------------------------------------------------------------------ several destinations

async function several() {
  const folder = folderOf({
    'destinations.json': page('destinations', [destination, second, classic], { current: 'MA==', totalEntries: 3 }),
    'subscriptions.json': [page('subscriptions', [...subscriptions, warehouse], { current: 'MA==' }), page('subscriptions', secondSubscriptions, { current: 'MA==' })],
    'filters.json': { data: { filters: [filter] } },
    'sources.json': page('sources', [webSource, appSource], { current: 'MA==' }),
  })
  const { code, out, err } = await run(['import', 'segment', folder])
  check('several destinations are imported', code === DONE, err)
  checkEqual('what is left out is named, with the reason', err.split('\n').filter(line => line.startsWith('left out')).map(line => line.split(':').slice(0, 3).join(':')), [
    'left out: destination "Old Braze" (Braze): Spelter has no destination of this kind; it would need to become Braze Cloud Mode (Actions) at Segment, with mappings',
    'left out: mapping "From the warehouse": it reads a warehouse (reverse ETL), and Spelter takes events only; it would need to arrive as events',
    'left out: filter "No tests" of destination "Braze EU (production)": Spelter has no filters of destinations; where it drops events, its condition can go into each subscription',
  ])
  const variables = [...out.matchAll(/"\$\{(\w+)\}"/g)].map(match => match[1])
  checkEqual('each secret has a variable of its own', variables, ['SPELTER_WEB_KEY', 'SPELTER_APP_KEY', 'BRAZE_API_KEY_BRAZE_EU_PRODUCTION', 'BRAZE_API_KEY_BRAZE_US'])
  const values = Object.fromEntries(variables.map(name => [name, `value of ${name}`]))
  const file = saved(folder, out)
  checkEqual('check takes it', (await run(['check', '-c', file], { env: values })).out, `${file}: fine. 2 sources, 2 destinations, 5 subscriptions\n`)
  const { lines } = await mapLines(file, values)
  checkEqual('an event goes to both, each with its own key', lines[1].requests.map(r => [new URL(r.url).host, r.headers.authorization]), [
    ['rest.fra-01.braze.eu', 'Bearer value of BRAZE_API_KEY_BRAZE_EU_PRODUCTION'],
    ['rest.iad-01.braze.com', 'Bearer value of BRAZE_API_KEY_BRAZE_US'],
  ])
}

// ------------------------------------------------------------------------------------------ cohorts

async function audiences() {
  const folder = folderOf({
    'destinations.json': page('destinations', [destination, cohorts], { current: 'MA==', totalEntries: 2 }),
    'subscriptions.json': [page('subscriptions', subscriptions, {}), page('subscriptions', cohortsSubscriptions, {})],
    'source.json': { data: { source: webSource } },
  })
  const { code, out, err } = await run(['import', 'segment', folder])
  checkEqual('a Braze Cohorts destination is imported, and it is said what it needs', [code, err.trim().split('\n')], [
    DONE,
    [
      'destination "VIPs" has a mapping for each audience, and each calls the other audiences\' events errors: one with personas_audience_key {"@path": "$.context.personas.computation_key"} does for all of them',
      'set SPELTER_WEB_KEY to the write key of source web: the config holds no secrets',
      'set BRAZE_API_KEY to the Braze REST API key of braze-eu-production: the config holds no secrets',
      'set BRAZE_CLIENT_SECRET to the Braze client secret of vips: the config holds no secrets',
      'set BRAZE_PARTNER_API_KEY to the partner API key that Braze gave you for vips: the config holds no secrets',
    ],
  ])
  const file = saved(folder, out)
  const missing = await run(['check', '-c', file], { env: { ...env, BRAZE_CLIENT_SECRET: 'CS' } })
  check('check says when the partner API key is not there yet', missing.code === USER && /'partner_api_key' wants the environment variable BRAZE_PARTNER_API_KEY, which is not set/.test(missing.err), missing)
  const values = { ...env, BRAZE_CLIENT_SECRET: 'CS', BRAZE_PARTNER_API_KEY: 'PK' }
  checkEqual('check takes it', (await run(['check', '-c', file], { env: values })).out, `${file}: fine. 1 source, 2 destinations, 6 subscriptions\n`)
  const event = { type: 'track', event: 'Audience Entered', userId: 'u1', timestamp: AT, properties: { vip: true }, context: { personas: { computation_id: 'aud_1', computation_key: 'vip' } } }
  const mapped = await run(['map', '-c', file, '--destination', 'vips'], { input: JSON.stringify(event), env: values })
  const line = JSON.parse(mapped.out)
  checkEqual('map makes the requests that Segment makes', line.requests.map(r => [new URL(r.url).pathname, r.json]), [
    ['/partners/segment/cohorts', { partner_api_key: 'PK', client_secret: 'CS', name: 'vip', cohort_id: 'aud_1', created_at: AT }],
    ['/partners/segment/cohorts/users', { partner_api_key: 'PK', client_secret: 'CS', cohort_id: 'aud_1', cohort_changes: [{ user_ids: ['u1'], device_ids: [], aliases: [] }] }],
  ])
  checkEqual('and refuses the event in the mapping of another audience', line.errors.map(e => e.message), ['The value of `personas computation key` and `personas_audience_key` must match.'])
}

// ------------------------------------------------------------------------------------------ refusals

async function refusals() {
  const [first] = subscriptions
  const withMapping = settings => [destination, { ...first, settings }]
  const rows = [
    ['broken JSON', { 'a.json': '{"data":\n[1,}' }, /\/a\.json:2: not JSON: /],
    ['not Segment’s JSON', { 'a.json': { hello: 'world' } }, /\/a\.json: not an answer of Segment's Public API, expected a destination/],
    ['an unknown action', { 'a.json': [destination, { ...first, actionSlug: 'updateUserProfil' }] }, /\/a\.json: \/1\/actionSlug: 'updateUserProfil' is no action .*, did you mean 'updateUserProfile'\?/],
    ['no subscriptions', { 'a.json': { data: { destination } } }, /\/a\.json: \/data\/destination: no subscriptions of this destination were read, expected the answer of GET \/destinations\/5f00000000000000000000d1\/subscriptions/],
    ['no destination', { 'a.json': page('subscriptions', subscriptions, {}) }, /no destination among what was read, expected the answer of GET \/destinations\/ID/],
    ['a missing trigger', { 'a.json': [destination, { ...first, trigger: undefined }] }, /\/a\.json: \/1: 'trigger' is missing, expected the condition/],
    ['a missing page', { 'a.json': [destination, page('subscriptions', subscriptions, { current: 'A', next: 'B' })] }, /\/a\.json: \/1\/data\/pagination\/next: there is a next page of subscriptions/],
    ['a mapping that cannot be compiled', { 'a.json': withMapping({ email: { '@pth': '$.x' } }) }, /\/a\.json: \/1\/settings.*: .*invalid directive: @pth/],
    ['a trigger that cannot be compiled', { 'a.json': [destination, { ...first, trigger: 'type' }] }, /\/a\.json: \/1\/trigger: /],
    ['an endpoint that is none', { 'a.json': [{ ...destination, settings: { endpoint: 'rest.braze' } }, first] }, /\/a\.json: \/0\/settings\/endpoint: expected Braze's REST endpoint/],
    ['a folder without JSON', { 'a.txt': 'x' }, /: no file called \*\.json in this folder\n$/],
  ]
  for (const [what, files, message] of rows) {
    const { code, out, err } = await run(['import', 'segment', folderOf(files)])
    check(`refused with file, place and what was expected: ${what}`, code === USER && out === '' && err.split('\n').length === 2 && message.test(err), { code, out, err })
  }
  for (const [args, message] of [
    [[], /^spelter: import segment: DIR-OR-FILE\.\.\. is missing/],
    [['/nowhere/at/all'], /^spelter: \/nowhere\/at\/all: No such file or directory\n$/],
    [['x', '--batching', 'both'], /^spelter: --batching is 'both', expected combined or per_action\n$/],
  ]) {
    const { code, err } = await run(['import', 'segment', ...args])
    check(`refused: spelter import segment ${args.join(' ')}`, code === USER && message.test(err), err)
  }
}

// ------------------------------------------------------------------------------------------ round trip

/** A mapping with odd texts in every place; the same for the same seed. */
function oddMapping(seed) {
  let state = seed
  const random = n => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % n
  }
  const pieces = ['a', '"', '\\', '\n', '\u0000', '\u0085', '\u2028', '\ud83d\ude00', ': ', ' #', '- ', "'", 'yes', '{{x}}', '${A}', '\ufeff', '\uffff', '\u007f', ' ', '']
  const text = () => Array.from({ length: random(5) }, () => pieces[random(pieces.length)]).join('')
  const value = depth => {
    const kinds = [() => text(), () => random(1e6) / 7, () => random(2) === 0, () => null, () => ({ '@path': `$.properties.${random(3)}` }), () => 'x'.repeat(random(3000))]
    if (depth > 0) kinds.push(() => Array.from({ length: random(4) }, () => value(depth - 1)), () => Object.fromEntries(Array.from({ length: random(4) }, () => [`k${text()}`, value(depth - 1)])))
    return kinds[random(kinds.length)]()
  }
  return { external_id: { '@path': '$.userId' }, name: 'E', time: { '@path': '$.receivedAt' }, properties: { [`long ${'k'.repeat(random(2000))}`]: 1, first: value(4), [text()]: value(3), 1: value(2) } }
}

const MAPPINGS = 40

async function roundTrip() {
  const list = Array.from({ length: MAPPINGS }, (_, n) => ({ ...subscriptions[1], id: `odd${n}`, name: `odd ${n}`, actionSlug: 'trackEvent', trigger: 'type = "track"', settings: oddMapping(n + 1) }))
  const folder = folderOf({ 'a.json': [destination, webSource, ...list] })
  const imported = await run(['import', 'segment', folder])
  const got = await mapLines(saved(folder, imported.out))
  const direct = temporaryFolder()
  fs.writeFileSync(path.join(direct, 'list.json'), JSON.stringify(list.map(s => ({ name: s.name, enabled: true, subscribe: s.trigger, partnerAction: s.actionSlug, mapping: s.settings }))))
  const config = JSON.parse(byHand([]))
  config.destinations[0].subscriptions = 'file:list.json'
  const expected = await mapLines(saved(direct, JSON.stringify(config)))
  const count = lines => lines.flatMap(line => line.requests).length
  checkEqual(`${MAPPINGS} odd mappings give the same requests as their JSON does without YAML`, JSON.stringify(got.lines), JSON.stringify(expected.lines))
  check('and there are requests to compare', count(expected.lines) > MAPPINGS, count(expected.lines))
}

// ------------------------------------------------------------------------------------------ documents

async function documents() {
  const { out } = await run(['help', 'config'])
  const keys = [...new Set([...out.matchAll(/^ *(\w+):/gm)].map(match => match[1]))]
  const read = name => fs.readFileSync(path.join(root, 'docs', name), 'utf8')
  const configuration = read('configuration.md')
  checkEqual('docs/configuration.md names every key of help config', keys.filter(key => !configuration.includes(`\`${key}\``)), [])
  const described = [...configuration.matchAll(/^\| `(\w+)` \|/gm)].map(match => match[1])
  checkEqual('and no key that is none', described.filter(key => !keys.includes(key)), [])
  const defaults = [...out.matchAll(/^ *(\w+): (\S+)$/gm)]
  checkEqual('and gives each default', defaults.filter(([, key, preset]) => !new RegExp(`^\\| \`${key}\` \\|.*\`${preset.replaceAll('.', '\\.')}\``, 'm').test(configuration)).map(([, key]) => key), [])
  for (const [n, match] of [...configuration.matchAll(/```yaml\n# spelter\.yaml\n([^]*?)```/g)].entries()) {
    const file = saved(temporaryFolder(), match[1])
    const checked = await run(['check', '-c', file], { env: { SPELTER_WEB_KEY: 'a', SPELTER_APP_KEY: 'b', BRAZE_API_KEY: 'c', BRAZE_US_API_KEY: 'd', BRAZE_CLIENT_SECRET: 'e', BRAZE_PARTNER_API_KEY: 'f' } })
    checkEqual(`whole config ${n + 1} of docs/configuration.md is fine, without a warning`, [checked.code, checked.err], [DONE, ''])
  }
  const moving = read('moving-from-segment.md')
  const { out: help } = await run(['import', 'segment', '--help'])
  const options = [...help.matchAll(/--([a-z]+)/g)].map(match => match[1]).filter(name => name !== 'help')
  checkEqual('docs/moving-from-segment.md names every option of the import', options.filter(name => !moving.includes(`--${name}`)), [])
}

await suite(async () => {
  await move()
  await several()
  await audiences()
  await refusals()
  await roundTrip()
  await documents()
})
