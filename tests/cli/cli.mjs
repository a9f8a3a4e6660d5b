// The command line: help, exit codes, messages with FILE:LINE, what map prints, dead letters, the demo's figures.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { plainConfig, run, Sandbox, Server, temporaryFolder } from '../lib/programs.mjs'
import { check, checkEqual, suite } from '../lib/tap.mjs'
import { request as ask, send } from '../lib/wire.mjs'
import { until } from '../lib/wait.mjs'

const DONE = 0
const USER = 1
const ENVIRONMENT = 2

const folder = temporaryFolder()

function write(name, text) {
  const file = path.join(folder, name)
  fs.writeFileSync(file, text)
  return file
}

const goodConfig = `listen: 127.0.0.1:0
data: ${folder}/data
sources: [{id: web, write_key: "\${KEY}"}]
destinations:
  - id: braze
    settings: {api_key: "\${KEY}", app_id: APP, endpoint: "https://rest.example"}
`
const env = { KEY: 'k' }

// ------------------------------------------------------------------------------------------ help

async function help() {
  const overview = await run(['--help'])
  const commands = [...overview.out.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}\S/gm)].map(match => match[1])
  check('--help lists the commands', overview.code === DONE && ['run', 'check', 'map', 'dead list', 'dead show', 'dead retry', 'dead drop', 'destination list', 'destination forget', 'demo', 'sandbox'].every(name => commands.includes(name)), overview)
  for (const command of commands) {
    const { code, out, err } = await run([...command.split(' '), '--help'])
    check(`${command} --help tells its usage and its options`, code === DONE && err === '' && new RegExp(`usage: spelter ${command}`, 'i').test(out) && out.includes('--help'), { code, out, err })
  }
  const about = async (...words) => (await run(words)).out
  checkEqual('help COMMAND says what COMMAND --help says', [await about('help', 'dead', 'show'), await about('help', 'run'), await about('help', 'sandbox')], [await about('dead', 'show', '--help'), await about('run', '--help'), await about('sandbox', '--help')])
  const family = await about('help', 'dead')
  check('help for a first word lists its commands, as does --help behind it', /^ {2}dead list /m.test(family) && /^ {2}dead show /m.test(family) && !family.includes('  run') && family === (await about('dead', '--help')) && family === (await about('dead', '-h')), family)
  await bashCompletion()
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await run(['completions', shell])
    check(`completions for ${shell} know every command`, code === DONE && commands.every(name => name.split(' ').every(word => out.includes(word))), out.slice(0, 500))
  }
  const { code, out } = await run(['manual'])
  check('the manual page has every command and the exit codes', code === DONE && out.startsWith('.TH SPELTER 1') && commands.every(name => out.includes(name)), out.slice(0, 300))
  const keys = await run(['help', 'config'])
  check('help config explains every key', keys.code === DONE && ['listen', 'write_key', 'batch_wait', 'idle_timeout', 'journal'].every(key => keys.out.includes(`${key}:`)), keys.out.slice(0, 300))
  check('--version names the version', /^spelter \d+\.\d+\.\d+\n$/.test((await run(['--version'])).out))
}

/** What bash offers behind these words; the last is the one under the cursor. */
async function offered(...words) {
  const file = write('completions.bash', (await run(['completions', 'bash'])).out)
  const script = `. "${file}"; COMP_WORDS=(spelter ${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _spelter; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).trim().split('\n').sort()
}

async function bashCompletion() {
  const rows = [
    [['de'], ['dead', 'demo', 'destination']],
    [['se'], ['']],
    [['dead', ''], ['drop', 'list', 'retry', 'show']],
    [['dead', 'sh'], ['show']],
    [['dead', 'show', '--d'], ['--data']],
    [['dead', 'retry', '--de'], ['--destination']],
    [['destination', 'f'], ['forget']],
    [['destination', 'forget', '--c'], ['--config']],
    [['run', '--config', '/dev/nul'], ['/dev/null']],
    [['sandbox', '--no'], ['--no-limits', '--no-sync']],
    [['help', 'con'], ['config']],
    [['completions', 'z'], ['zsh']],
  ]
  for (const [words, expected] of rows) checkEqual(`bash completes: spelter ${words.join(' ')}`, await offered(...words), expected)
}

// ------------------------------------------------------------------------------------------ exit codes

async function exitCodes() {
  const good = write('good.yaml', goodConfig)
  const noFolder = write('nofolder.yaml', goodConfig.replace(`${folder}/data`, `${good}/data`))
  const sandbox = await Sandbox.start()
  const taken = write('taken.yaml', goodConfig.replace('127.0.0.1:0', sandbox.address))
  const rows = [
    [[], USER, /^$/],
    [['chek'], USER, /^spelter: unknown command 'chek', did you mean 'check'\?\n$/],
    [['dead', 'lst'], USER, /did you mean 'dead list'\?\n$/],
    [['check'], USER, /^spelter: check: --config FILE is missing \(the config file\)\n$/],
    [['destination'], USER, /^spelter: 'destination' wants a second word: 'destination list' or 'destination forget'\n$/],
    [['destination', 'forget', '-c', good], USER, /^spelter: destination forget: ID is missing/],
    [['destination', 'list', '-c', good], USER, /there is no data in .*data \(no server has run with this folder yet\)\n$/],
    [['dead'], USER, /^spelter: 'dead' wants a second word: 'dead list' or 'dead show' or 'dead retry' or 'dead drop'\n$/],
    [['dead', 'frobnicate', '1'], USER, /^spelter: unknown command 'dead frobnicate', expected 'dead list' or 'dead show' or 'dead retry' or 'dead drop'\n$/],
    [['help', 'dead', 'frobnicate'], USER, /^spelter: unknown command 'dead frobnicate', expected 'dead list' or 'dead show' or 'dead retry' or 'dead drop'\n$/],
    [['help', 'rnu'], USER, /^spelter: unknown command 'rnu', did you mean 'run'\?\n$/],
    [['dead', 'list', '--limit', '-3', '-c', good], USER, /^spelter: --limit is '-3', expected a whole number of 0 or more\n$/],
    [['check', '--confg', good], USER, /^spelter: unknown option '--confg', did you mean '--config'\?\n$/],
    [['check', '--nonsense'], USER, /^spelter: unknown option '--nonsense' \(see 'spelter check --help'\)\n$/],
    [['check', '-c', good, 'more'], USER, /^spelter: check: 'more' is one operand too many/],
    [['check', '-c', `${folder}/none.yaml`], USER, /none\.yaml: No such file or directory\n$/],
    [['run', '-c', `${folder}/none.yaml`], USER, /none\.yaml: No such file or directory\n$/],
    [['dead', 'show', '-c', good], USER, /^spelter: dead show: ID is missing/],
    [['dead', 'show', '-c', good, 'x'], USER, /^spelter: dead show: 'x' is no number; 'spelter dead list' shows the ids\n$/],
    [['dead', 'list', '-c', good], USER, /there is no data in .*data \(no server has run with this folder yet\)\n$/],
    [['dead', 'retry', '1'], USER, /^spelter: dead retry: --config FILE is missing/],
    [['dead', 'retry', '-c', good], USER, /^spelter: dead retry: ID\.\.\. or --all is missing \('spelter dead list' shows the ids\)\n$/],
    [['dead', 'retry', '-c', good, '--all', '1'], USER, /^spelter: dead retry: either ids or --all, not both\n$/],
    [['dead', 'drop', '-c', good, '1', '2x'], USER, /^spelter: dead drop: '2x' is no number; 'spelter dead list' shows the ids\n$/],
    [['dead', 'retry', '-c', good, '99999999999999999999'], USER, /^spelter: dead retry: '99999999999999999999' is no number/],
    [['dead', 'retry', '-c', good, '--all'], USER, /there is no data in .*data \(no server has run with this folder yet\)\n$/],
    [['map', '-c', good, '--destination', 'nope'], USER, /no destination 'nope'\n$/],
    [['completions', 'tcsh'], USER, /^spelter: completions: expected bash, zsh or fish\n$/],
    [['run', '-c', taken], ENVIRONMENT, new RegExp(`${sandbox.address}.*in use`)],
    [['run', '-c', noFolder], USER, /cannot create the directory .*data: Not a directory\n$/],
    [['check', '-c', good], DONE, /^$/],
  ]
  for (const [args, code, err] of rows) {
    const got = await run(args, { env })
    check(`exit code ${code} for: spelter ${args.map(word => path.basename(word)).join(' ')}`, got.code === code && err.test(got.err), got)
  }
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ check

const SOURCE = 'sources: [{id: web, write_key: "${KEY}"}]\n'
const SETTINGS = '    settings: {api_key: "${KEY}", endpoint: "https://rest.example"}\n'
const DESTINATION = `${SOURCE}destinations:\n  - id: braze\n${SETTINGS}`
const subscription = lines => `${DESTINATION}    subscriptions:\n      - name: Tracks\n        enabled: true\n${lines.map(line => `        ${line}\n`).join('')}`

const badConfigs = [
  ['', '1: empty, expected a config'],
  ['a: [1\n', "2: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence"],
  [`${SOURCE}destination: []\n`, "2: unknown key 'destination', did you mean 'destinations'?"],
  ['sources:\n  - id: web\n    kind: segmnt\n    write_key: x\ndestinations: []\n', '3: \'kind\' is "segmnt", expected one of: segment'],
  ['sources:\n  - id: web\n    write_key: ${SPELTER_NOT_SET}\ndestinations: []\n', "3: 'write_key' wants the environment variable SPELTER_NOT_SET, which is not set"],
  ['sources: [{id: web}]\ndestinations: []\n', "1: 'write_key' is missing (the key that its SDKs send)"],
  [`${SOURCE}destinations: []\njournal:\n  size: 5XB\n`, '4: \'size\' is "5XB", expected a size such as 512MB'],
  [`${SOURCE}destinations:\n  - id: braze\n    batch_objects: 500\n${SETTINGS}`, "4: 'batch_objects' must be between 1 and 225, it is 500"],
  [`${SOURCE}destinations:\n  - id: braze\n    from: [wep]\n${SETTINGS}`, "4: no source has the id 'wep', did you mean 'web'?"],
  [`${DESTINATION}    parity: lose\n`, '5: \'parity\' is "lose", expected one of: safe, strict'],
  [subscription(['subscribe: type = "track"', 'partnerAction: trackEvnt', 'mapping: {}']), "9: 'trackEvnt' is no action, did you mean 'trackEvent'?"],
  [subscription(['subscribe: type = "track"', 'partnerAction: trackEvent', 'mapping:', '  time: {"@pth": "$.timestamp"}']), '11: /time has an invalid directive: @pth.'],
]

// What is accepted, as at Segment, and does nothing.
const trackEvent = ['partnerAction: trackEvent', 'mapping:', '  name: {"@path": "$.event"}']
const oddSubscriptions = [
  [['subscribe: type = "track"', ...trackEvent, '  tiem: {"@path": "$.timestamp"}'], ["12: 'tiem' is no field of trackEvent and changes nothing, did you mean 'time'?"]],
  [['subscribe: type = "track"', ...trackEvent, '  colour_of_hat: red', '  __segment_internal_sync_mode: add', '  onMappingSave: {}'], ["12: 'colour_of_hat' is no field of trackEvent and changes nothing"]],
  [['subscribe: event = "a" and type == "track" or event = "==" and event = "\\"=="', ...trackEvent], ["8: '==' at byte 21 is accepted, as at Segment, and never true: a condition compares with one '='"]],
  [['subscribe: type == "track"', ...trackEvent, '  tiem: 1'], [], 'enabled: false'],
  [['subscribe: type = "track"', 'partnerAction: trackEvent', 'mapping: {"@merge": {"direction": "left", "objects": [{}, {"@path": "$.properties"}]}}'], []],
]

async function checkCommand() {
  const file = write('bad.yaml', '')
  for (const [text, expected] of badConfigs) {
    fs.writeFileSync(file, text)
    const { code, err } = await run(['check', '-c', file], { env })
    checkEqual(`check says FILE:${expected}`, [code, err], [USER, `spelter: ${file}:${expected}\n`])
  }
  const good = write('good.yaml', goodConfig)
  checkEqual('check says that a good config is fine, and what is in it', (await run(['check', '-c', good], { env })).out, `${good}: fine. 1 source, 1 destination, 9 subscriptions\n`)
  const silent = await run(['check', '-c', write('silent.yaml', `${goodConfig}    subscriptions: []\n`)], { env })
  checkEqual('check warns of a destination that gets nothing, and goes on', [silent.code, silent.err], [DONE, `spelter: warning: ${folder}/silent.yaml:7: 'subscriptions' is an empty list: nothing is sent to this destination\n`])
  for (const [lines, expected, enabled = 'enabled: true'] of oddSubscriptions) {
    const odd = write('odd.yaml', subscription(lines).replace('enabled: true', enabled))
    const { code, out, err } = await run(['check', '-c', odd], { env })
    checkEqual(`check warns, and goes on: ${lines[0]} ${lines.at(-1)}`, [code, out.includes(': fine.'), err], [DONE, true, expected.map(line => `spelter: warning: ${odd}:${line}\n`).join('')])
  }
  const literal = write('literal.yaml', goodConfig.replace('write_key: "${KEY}"', 'write_key: abc'))
  const warned = await run(['check', '-c', literal, '--json'], { env })
  checkEqual('check --json is JSON, with the secret in plain text as a warning', JSON.parse(warned.out), {
    ok: true,
    sources: 1,
    destinations: 1,
    subscriptions: 9,
    warnings: [`${literal}:3: 'write_key' is a secret in plain text; \${ENV} or file:PATH keeps it out of this file`],
  })
}

// ------------------------------------------------------------------------------------------ map

const AT = '2024-01-02T03:04:05.000Z'
const request = json => ({
  method: 'POST',
  url: 'https://rest.example/users/track',
  headers: { authorization: 'Bearer k', 'content-type': 'application/json', 'user-agent': 'Segment (Actions)' },
  json,
})
const mapped = [
  {
    name: 'a track call',
    event: { type: 'track', userId: 'u1', event: 'E', receivedAt: AT, properties: { a: 1 } },
    requests: [request({ events: [{ external_id: 'u1', app_id: 'APP', name: 'E', time: AT, properties: { a: 1 }, _update_existing_only: false }] })],
  },
  {
    name: 'an identify call',
    event: { type: 'identify', userId: 'u1', receivedAt: AT, traits: { email: 'e@x.com', firstName: 'F', plan: 'pro' } },
    requests: [request({ attributes: [{ plan: 'pro', external_id: 'u1', email: 'e@x.com', first_name: 'F', _update_existing_only: false }] })],
  },
  {
    name: 'an order',
    event: {
      type: 'track',
      userId: 'u1',
      event: 'Order Completed',
      timestamp: AT,
      properties: { order_id: 'ord', total: 10, currency: 'USD', source: 'web', order_status_url: 'https://o', products: [{ product_id: 'p1', name: 'N', variant: 'v', price: 5, quantity: 2 }] },
    },
    requests: [
      request({
        events: [
          {
            external_id: 'u1',
            app_id: 'APP',
            name: 'ecommerce.order_placed',
            time: AT,
            properties: {
              currency: 'USD',
              source: 'web',
              metadata: { order_status_url: 'https://o' },
              products: [{ quantity: 2, product_id: 'p1', product_name: 'N', variant_id: 'v', price: 5 }],
              total_value: 10,
              order_id: 'ord',
            },
          },
        ],
      }),
    ],
  },
  { name: 'a page call', event: { type: 'page', userId: 'u1', name: 'Home', receivedAt: AT }, requests: [], skipped: { reason: 'not subscribed', count: 9 } },
  { name: 'an event not meant for it', event: { type: 'track', userId: 'u1', event: 'E', integrations: { All: false }, receivedAt: AT }, requests: [], skipped: { reason: 'FILTERED_BY_INTEGRATIONS_OBJECT', count: 1 } },
  {
    name: 'an event of nobody',
    event: { type: 'track', anonymousId: 'a', event: 'E', receivedAt: AT, properties: {} },
    requests: [],
    errors: [{ destination: 'braze', subscription: 'Track Calls', action: 'trackEvent', code: 'PAYLOAD_VALIDATION_FAILED', message: 'One of "external_id" or "user_alias" or "braze_id" or "email" is required.' }],
  },
]

async function map() {
  const good = write('good.yaml', goodConfig)
  const input = mapped.map(row => `${JSON.stringify(row.event)}\n`).join('')
  const { code, out } = await run(['map', '-c', good], { input, env })
  const lines = out.split('\n').filter(line => line !== '')
  checkEqual('map prints a line for each event', [code, lines.length], [DONE, mapped.length])
  mapped.forEach((row, n) => {
    const got = JSON.parse(lines[n] ?? '{}')
    // As text: the order of members is part of what is sent.
    checkEqual(`map: ${row.name} gives these requests`, JSON.stringify(got.requests), JSON.stringify(row.requests))
    checkEqual(`map: ${row.name} gives these errors`, got.errors, row.errors ?? [])
    if (row.skipped) checkEqual(`map: ${row.name} is skipped with a reason`, [...new Set(got.skipped.map(s => s.reason)), got.skipped.length], [row.skipped.reason, row.skipped.count])
  })
  const bad = await run(['map', '-c', good], { input: 'not json\n', env })
  checkEqual('map: a line that is no JSON is an error in its place', [bad.code, JSON.parse(bad.out).errors[0].code], [USER, 'NOT_JSON'])
}

// ------------------------------------------------------------------------------------------ dead letters

async function deadLetters() {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const server = await Server.start(plainConfig(sandbox))
  const dead = (...args) => run(['dead', ...args, '-c', server.config])
  checkEqual('dead list: none yet', (await dead('list')).out, 'No dead letters.\n')
  await send(server, 'identify', { userId: 'good', messageId: 'm-good', traits: { email: 'good@mail.example' } })
  await send(server, 'identify', { userId: 'bad', messageId: 'm-bad', traits: { email: 'no address' } })
  await send(server, 'track', { event: 'Nobody', messageId: 'm-nobody' })
  await server.drained()
  const listed = await until('both letters are there', async () => {
    const { out } = await dead('list', '--json')
    const letters = out.split('\n').filter(line => line !== '')
    return letters.length >= 2 && letters.map(line => JSON.parse(line))
  })
  checkEqual('dead list: what Braze refused and what was no event', listed.map(l => l.stage).sort().length, 2)
  const refused = listed.find(letter => letter.destination === 'braze')
  check('dead list: a refusal of Braze has its reason, its status and where it went', /email/i.test(refused?.reason) && refused.message_id === 'm-bad' && refused.request.path === '/users/track' && refused.status >= 200, refused)
  checkEqual('dead list: it has the object that was sent and the event that it came from', [refused?.object.email, refused?.event.traits.email], ['no address', 'no address'])
  const table = await dead('list')
  check('dead list: a table for people says the same', table.out.includes('m-bad') && table.out.includes('2 of 2 shown'), table.out)
  checkEqual('dead list --destination: only that one', JSON.parse((await dead('list', '--json', '--destination', 'braze')).out).id, refused?.id)
  checkEqual('dead list --limit: only the newest', (await dead('list', '--json', '--limit', '1')).out.trim().split('\n').length, 1)
  checkEqual('dead show: the whole letter', JSON.parse((await dead('show', String(refused?.id))).out), refused)
  const missing = await dead('show', '999')
  checkEqual('dead show: no such letter', [missing.code, missing.err], [USER, 'spelter: dead show: there is no dead letter 999\n'])
  checkEqual('dead letters do not hold up the others', (await sandbox.profile('good')).profile.email, 'good@mail.example')
  await server.stop()
  checkEqual('dead list: works without a server too', (await dead('list', '--json')).out.trim().split('\n').length, 2)
  await sandbox.stop()
}

/** Sent again and thrown away, beside a server and without one. */
async function deadChanges() {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const path = text => ({ '@path': text })
  const rule = (subscribe, partnerAction, mapping) => ({ name: partnerAction, enabled: true, subscribe, partnerAction, mapping: { external_id: path('$.userId'), ...mapping } })
  const subscriptions = [
    rule('type = "identify"', 'updateUserProfile', { email: path('$.traits.email'), first_name: path('$.traits.firstName') }),
    rule('event = "Counted"', 'trackEvent', { name: path('$.event'), time: path('$.receivedAt') }),
    rule('event = "Order Completed"', 'trackPurchase', { time: path('$.receivedAt'), products: path('$.properties.products') }),
  ]
  const config = plainConfig(sandbox, { destination: { subscriptions } })
  config.destinations.push({ ...config.destinations[0], id: 'old' })
  const server = await Server.start(config)
  const dead = async (...args) => {
    const { code, out, err } = await run(['dead', ...args, '-c', server.config])
    return [code, out, err]
  }
  const list = async () => (await dead('list', '--json'))[1].split('\n').filter(line => line !== '').map(line => JSON.parse(line))
  const ids = async (destination, messageId) => (await list()).filter(letter => letter.destination === destination && letter.message_id === messageId).map(letter => letter.id)
  let reloads = 0
  const reload = async () => {
    server.writeConfig(config)
    server.signal('SIGHUP')
    reloads++
    await until('the config is in use', () => server.program.log.filter(line => /reload: .* is in use now/.test(line)).length === reloads)
  }
  checkEqual('dead retry: nothing to do is no mistake', await dead('retry', '--all', '--yes'), [DONE, 'No dead letters to send again.\n', ''])
  checkEqual('dead drop: nothing to do is no mistake', await dead('drop', '--all'), [DONE, 'No dead letters to drop.\n', ''])

  await sandbox.fault({ status: 400, path: '/users/track' })
  const products = ['a', 'b', 'c'].map(product_id => ({ product_id, currency: 'EUR', price: 10, quantity: 1 }))
  await send(server, 'track', { userId: 'buyer', messageId: 'm-order', event: 'Order Completed', properties: { products } })
  for (const user of ['u1', 'u2', 'u3']) await send(server, 'track', { userId: user, messageId: `m-${user}`, event: 'Counted' })
  await send(server, 'identify', { userId: 'mended', messageId: 'm-mended', traits: { email: 'no address', firstName: 'Ann' } })
  await send(server, 'track', { event: 'Nobody', messageId: 'm-nobody' })
  await server.drained()
  await sandbox.clearFaults()
  config.destinations.pop()
  await reload()
  const [nobody] = await ids(undefined, 'm-nobody')
  const order = await ids('braze', 'm-order')
  const oldOrder = await ids('old', 'm-order')
  const [u1] = await ids('braze', 'm-u1')
  const [oldU1] = await ids('old', 'm-u1')
  check('dead retry: there is an event with several letters', order.length > 1 && oldOrder.length === order.length, order)

  checkEqual(
    'dead retry: what was refused on arrival cannot go again',
    await dead('retry', String(nobody)),
    [USER, '', `spelter: dead retry: dead letter ${nobody} was refused on arrival: what came was no event, so nothing can go again ('spelter dead show ${nobody}' tells why); mend the sender, then 'spelter dead drop ${nobody}'\n`],
  )
  checkEqual(
    'dead retry: not to a destination that left the config',
    await dead('retry', String(oldU1)),
    [USER, '', "spelter: destination 'old' is not in the config in use: put it there first (a running server reads it again with SIGHUP), or give its letters up with 'spelter dead drop'\n"],
  )
  checkEqual('dead retry --destination: not what is none of its own', await dead('retry', '-d', 'braze', String(oldU1)), [USER, '', `spelter: dead retry: dead letter ${oldU1} is none of 'braze'\n`])
  const asked = await dead('retry', '--all', '--destination', 'braze')
  checkEqual(
    'dead retry: more than one event wants --yes',
    asked,
    [USER, '', `spelter: dead retry: this sends 5 events of ${4 + order.length} dead letters again, also those of their objects that Braze has taken; --yes does it\n`],
  )
  checkEqual('dead retry: nothing has changed so far', (await sandbox.stats()).events + (await sandbox.stats()).purchases, 0)
  checkEqual(
    'dead retry: one letter takes the others of its event along',
    await dead('retry', String(order.at(-1))),
    [DONE, `1 event is sent again, ${order.length} dead letters are gone. Objects of theirs that Braze had taken go once more.\n`, ''],
  )
  await server.drained()
  checkEqual('dead retry: the event arrives once, whole', [(await sandbox.stats()).purchases, await ids('braze', 'm-order'), await ids('old', 'm-order')], [3, [], oldOrder])
  checkEqual('dead retry: unknown ids are named, the others go', await dead('retry', '--json', '998', String(u1), '999'), [
    USER,
    '{"events":1,"letters":1,"refused":0,"unknown":[998,999]}\n',
    'spelter: dead retry: there is no dead letter 998\nspelter: dead retry: there is no dead letter 999\n',
  ])

  // The mapping of now: the one that made the letter had sent what Braze does not take.
  config.destinations[0].subscriptions = [rule('type = "identify"', 'updateUserProfile', { first_name: path('$.traits.firstName') }), ...subscriptions.slice(1)]
  await reload()
  const [mended] = await ids('braze', 'm-mended')
  checkEqual('dead retry: an event that is mapped anew', (await dead('retry', String(mended)))[0], DONE)
  await server.drained()
  checkEqual('dead retry: goes with the mapping of now', [(await sandbox.profile('mended')).profile.first_name, await ids('braze', 'm-mended')], ['Ann', []])

  const [code, out, err] = await dead('retry', '--all', '--yes', '--json')
  const left = (await list()).length
  checkEqual('dead retry --all: what can go goes, what stays is said', [code, JSON.parse(out)], [USER, { events: 2, letters: 2, refused: left, unknown: [] }])
  check('dead retry --all: it is said why it stays', err.startsWith("spelter: dead retry: 1 dead letter stays: refused on arrival, or without an event that can go again; 'spelter dead list' tells which, 'spelter dead drop' removes them\n") && /destination 'old' is not in the config in use/.test(err), err)

  checkEqual('dead drop: wants --yes', await dead('drop', String(oldU1)), [USER, '', 'spelter: dead drop: this removes 1 dead letter for good; --yes does it\n'])
  checkEqual('dead drop: exactly what is named', [await dead('drop', '--yes', String(oldOrder[0])), await ids('old', 'm-order')], [[DONE, '1 dead letter is gone.\n', ''], oldOrder.slice(1)])
  check('dead drop: the server says so', server.program.logged(/1 dead letter dropped, as asked/) !== undefined, server.program.lastLog())
  await server.drained()
  await server.stop()

  checkEqual('dead retry: not to a destination that is not in the config, without a server either', (await dead('retry', String(oldU1)))[0], USER)
  config.destinations.push({ ...config.destinations[0], id: 'old' })
  server.writeConfig(config)
  const before = (await sandbox.stats()).events
  checkEqual('dead retry: without a server', await dead('retry', String(oldU1)), [DONE, '1 event is sent again as soon as a server runs, 1 dead letter is gone. Objects of theirs that Braze had taken go once more.\n', ''])
  await server.restart()
  await server.drained()
  checkEqual('dead retry: the next server sends it', (await sandbox.stats()).events - before, 1)
  await server.stop()

  const { code: forgotten } = await run(['destination', 'forget', 'old', '--yes', '-c', write('without.json', JSON.stringify({ ...config, data: `${server.folder}/data`, destinations: config.destinations.slice(0, 1) }))])
  checkEqual('dead retry: not before the destination has a place, where it would begin behind the event', [forgotten, ...(await dead('retry', '--all', '-d', 'old', '--yes'))], [DONE, USER, '', "spelter: destination 'old' has no place in the journal yet: let a server run with it first\n"])
  checkEqual('dead drop: without a server', (await dead('drop', '--destination', 'old', '--all', '-y')).slice(0, 2), [DONE, `${left - 3} dead letters are gone.\n`])
  checkEqual('dead drop: the last one', [await dead('drop', '--all', '-y', '--json'), await list()], [[DONE, '{"events":0,"letters":1,"refused":0,"unknown":[]}\n', ''], []])
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ destinations

async function destinations() {
  const sandbox = await Sandbox.start({ options: ['--no-limits'] })
  const config = plainConfig(sandbox)
  const old = { ...config.destinations[0], id: 'old', settings: { ...config.destinations[0].settings, api_key: 'wrong' } }
  config.destinations.push(old)
  const server = await Server.start(config)
  const destination = (...args) => run(['destination', ...args, '-c', server.config])
  const list = async () => {
    const { out } = await destination('list', '--json')
    return Object.fromEntries(out.trim().split('\n').map(line => JSON.parse(line)).map(({ id, ...rest }) => [id, rest]))
  }
  const reloaded = times => until('the config is in use', () => server.program.log.filter(line => /reload: .* is in use now/.test(line)).length === times)

  for (let n = 1; n <= 5; n++) await send(server, 'track', { userId: `u${n}`, event: 'Counted', properties: { n } })
  await until('old pauses', async () => (await server.metric('spelter_destination_paused')) === 1)
  await until('the other has delivered', async () => (await list()).braze.undelivered === 0)
  const before = await list()
  checkEqual('destination list: who has a place, and what waits for each', [before.braze, before.old.state, before.old.undelivered], [{ state: 'enabled', undelivered: 0, oldest: null }, 'enabled', 5])
  check('destination list: since when', Date.now() - Date.parse(before.old.oldest) < 60_000, before)

  const inUse = await destination('forget', 'old', '--yes')
  checkEqual('destination forget: not one that is in the config', [inUse.code, inUse.err], [USER, `spelter: destination forget: 'old' is in ${server.config}; take it out there first (and let the server read it again, SIGHUP)\n`])
  config.destinations.pop()
  server.writeConfig(config)
  const tooEarly = await destination('forget', 'old', '--yes')
  check('destination forget: not one that a running server still delivers to', tooEarly.code === USER && /the running server still has 'old' in its config: .*SIGHUP/.test(tooEarly.err), tooEarly)
  server.signal('SIGHUP')
  await reloaded(1)
  await until('the log tells of it', () => server.program.logged(/old: not in the config, but its place in the journal is kept: 5 events wait/))
  checkEqual('destination list: one that left the config', (await list()).old.state, 'not in the config')
  const table = await destination('list')
  check('destination list: a table for people says the same', /^old +not in the config +5 +\d{4}-/m.test(table.out) && /destination forget ID/.test(table.out), table.out)

  const loss = await destination('forget', 'old')
  checkEqual('destination forget: not without --yes when events are lost with it', [loss.code, loss.err], [USER, "spelter: destination forget: 'old' has 5 undelivered events; --yes gives them up\n"])
  const unknown = await destination('forget', 'older')
  checkEqual('destination forget: not one that nobody knows', [unknown.code, unknown.err], [USER, "spelter: destination forget: 'older' has no place in the journal; 'spelter destination list' shows who has\n"])
  const done = await destination('forget', 'old', '--yes')
  checkEqual('destination forget: through the running server', [done.code, done.out], [DONE, "'old' is forgotten; 5 undelivered events were given up.\n"])
  check('destination forget: the server says so', server.program.logged(/old: forgotten/) !== undefined, server.program.lastLog())
  checkEqual('destination forget: its place is gone, the other stays', await list(), { braze: { state: 'enabled', undelivered: 0, oldest: null } })
  await send(server, 'track', { userId: 'u6', event: 'Counted', properties: { n: 6 } })
  await until('the other goes on', async () => (await list()).braze.undelivered === 0 && (await sandbox.stats()).events === 6)

  config.destinations.push(old)
  server.writeConfig(config)
  server.signal('SIGHUP')
  await reloaded(2)
  checkEqual('destination forget: an id that comes back begins with what arrives then', (await list()).old.undelivered, 0)
  await send(server, 'track', { userId: 'u7', event: 'Counted', properties: { n: 7 } })
  await until('it waits for the one that came back', async () => (await list()).old.undelivered === 1)
  await server.stop()
  config.destinations.pop()
  server.writeConfig(config)
  const one = await destination('forget', 'old')
  checkEqual('destination forget: one event is spoken of as one', one.err, "spelter: destination forget: 'old' has 1 undelivered event; --yes gives it up\n")
  checkEqual('destination forget: without a server', [(await destination('forget', 'old', '-y')).code, Object.keys(await list())], [DONE, ['braze']])
  await sandbox.stop()
}

async function reloadWhileSending() {
  const sandbox = await Sandbox.start({ options: ['--no-limits', '--fault', 'latency=3000'] })
  const config = plainConfig(sandbox)
  const server = await Server.start(config)
  await send(server, 'track', { userId: 'u1', event: 'Slow' })
  await until('the request is on its way', async () => (await server.metric('spelter_requests_in_flight')) === 1)
  config.destinations[0].timeout = '20s'
  server.writeConfig(config)
  server.signal('SIGHUP')
  await new Promise(resolve => setTimeout(resolve, 500)) // the old request is waited for
  const { text } = await ask(`${server.url}/healthz`)
  checkEqual('a destination that finishes its requests for a reload is still counted', [await server.metric('spelter_requests_in_flight', '', NaN), JSON.parse(text).destinations.map(d => [d.id, d.backlog])], [1, [['braze', 1]]])
  await server.drained()
  checkEqual('and has delivered once', (await sandbox.stats()).events, 1)
  await server.stop()
  await sandbox.stop()
}

// ------------------------------------------------------------------------------------------ demo

async function demo() {
  const events = 730
  const { code, out } = await run(['demo', '--events', String(events)])
  const number = pattern => Number(pattern.exec(out)?.[1])
  const cameIn = Object.fromEntries([...out.matchAll(/^ {2}(identify|track|Order Completed|page|screen|group|alias) +(\d+) /gm)].map(([, type, count]) => [type, Number(count)]))
  const total = Object.values(cameIn).reduce((sum, count) => sum + count, 0)
  checkEqual('demo: ends well', code, DONE)
  checkEqual('demo: shows all seven kinds of calls, and they add up', [Object.keys(cameIn).length, total, number(/^ {2}all +(\d+) /m)], [7, events, events])
  checkEqual('demo: each identify call became a profile object', number(/with (\d+) profile objects/), cameIn.identify)
  checkEqual('demo: each track call became an event', number(/profile objects and (\d+) events/), cameIn.track + cameIn['Order Completed'])
  checkEqual('demo: Braze refused nothing, and nothing is dead', [number(/(\d+) objects refused/), number(/(\d+) dead letters/)], [0, 0])
  check('demo: looks for each event in the sandbox itself', out.includes(`Expected ${cameIn.identify} profile objects and ${cameIn.track + cameIn['Order Completed']} events in the sandbox, found each exactly once.`), out.slice(-400))
  check('demo: shows one request in full', /^One of them in full: POST \/users\/track\n\{\n[^]*^\}\n=> 201 /m.test(out))
  check('demo: shows profiles and the time to delivery', /Profiles in the sandbox: [1-9]/.test(out) && /half within \d/.test(out) && /99 % within \d/.test(out), out.slice(-800))
}

async function demoAgain() {
  const data = path.join(folder, 'demo-data')
  for (const time of ['first', 'second']) {
    const { code, out, err } = await run(['demo', '--events', '20', '--data', data])
    check(`demo --data DIR: the ${time} time in one folder ends well`, code === DONE && /found each exactly once/.test(out), { code, err })
  }
}

await suite(async () => {
  await help()
  await exitCodes()
  await checkCommand()
  await map()
  await deadLetters()
  await deadChanges()
  await destinations()
  await reloadWhileSending()
  await demo()
  await demoAgain()
})
