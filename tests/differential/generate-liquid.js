'use strict'
/* Templates for @liquid: every tag and filter that Segment allows, some that it disables, and a little broken syntax. */
const { texts, dates } = require('./random')

const filters = ['abs', 'append', 'at_least', 'at_most', 'base64_decode', 'base64_encode', 'capitalize', 'ceil', 'cgi_escape', 'compact', 'date',
  'date_to_long_string', 'date_to_rfc822', 'date_to_string', 'date_to_xmlschema', 'default', 'divided_by', 'downcase', 'escape', 'escape_once', 'first', 'floor',
  'hmac_sha256', 'inspect', 'join', 'json', 'jsonify', 'last', 'lstrip', 'minus', 'modulo', 'normalize_whitespace', 'number_of_words', 'plus', 'pop', 'prepend',
  'push', 'raw', 'remove', 'remove_first', 'remove_last', 'replace', 'replace_first', 'replace_last', 'round', 'rstrip', 'sha256', 'shift', 'size', 'slice',
  'slugify', 'split', 'strip', 'strip_html', 'strip_newlines', 'sum', 'times', 'to_integer', 'truncate', 'truncatewords', 'unshift', 'upcase', 'uri_escape',
  'url_decode', 'url_encode', 'where', 'xml_escape', 'nosuch', 'map', 'concat', 'type']
const names = ['a', 'b', 'c', 's', 'n', 'o', 'arr', 'x', 'y', 'prims', 'nested', 'e', 'f', 'missing', 'o.b', 'o.a', 'arr[0]', 'arr[-1]', 'arr.first', 'arr.last', 'arr.size', 's.size', 'o.size',
  "o['a b']", 'o["b"]', 'arr[0].x', 'nested.a', 'nested[0]', 'o[s]', 'a.b.c', 'v', 'w', 's.length', 'arr.length', 's[0]', 'prims[1]', 'nil.x', 'empty.size']
const formats = ['%Y-%m-%d', '%A, %B %-d', '%H:%M:%S', '%I %l %k', '%j %U %W %u %w', '%y %C', '%z %:z %Z', '%s %L %N %3N', '%^a %#B %#p %_5d %010Y %-m', '%c', '%x %X', '%q %e %P %p %h %b', '%Q %5 %- %%%', '%é', '%E %OY %Ed', '%t|%n']

/* Without characters that JavaScript can cut in two: docs/parity.md. */
const whole = texts.filter((text) => text.length === Array.from(text).length)

const quoted = (r) => {
  const text = r.pick([...whole, ...whole, ' ', ',', '-', 'a,b,,c,', 'one two  three', '<b>x</b>', '<script>a</script>b', '&amp;&', 'a\\nb', '\\u00e9', '\\101', "it\\'s", '<!-- x --> <', 'Élan vital!', 'a.b', '%41%zz', 'a+b%20c', 'YWI=', '10', '3.7', 'x', 'b'])
  return text.includes('"') ? `'${text}'` : r.chance(0.5) && !text.includes("'") ? `'${text}'` : `"${text}"`
}
const literal = (r) => r.weighted([[6, () => quoted(r)], [4, () => String(r.pick([0, 1, 2, 3, -1, 1.5, 10, 100, -2.5]))], [1, () => r.pick(['true', 'false', 'nil', 'null', 'empty', 'blank'])], [0.5, () => `(${r.below(3)}..${r.below(5)})`], [0.3, () => '(a..n)'], [0.5, () => `"${r.pick(dates).replace('today', 'Jan 1 2000')}"`]])
const operand = (r) => (r.chance(0.6) ? r.pick(names) : literal(r))

function filter (r) {
  const name = r.pick(filters)
  const args = r.weighted([[3, () => []], [5, () => [operand(r)]], [2, () => [operand(r), operand(r)]], [0.3, () => ['allow_false: true']], [0.3, () => [operand(r), 'allow_false: true']], [0.2, () => [operand(r), operand(r), `allow_false: ${operand(r)}`]]])
  if (name === 'date' && r.chance(0.2)) return `date: ${operand(r)}`
  if (name === 'date') return `date: '${r.pick(formats)}'${r.chance(0.2) ? `, ${r.pick(['0', '60', '-330', '480', '0.5', '-90.25', 'nil', 'empty', '"é"'])}` : ''}`
  if (/^date_to.*string/.test(name) && r.chance(0.5)) return `${name}: 'ordinal'${r.chance(0.5) ? ", 'US'" : ''}`
  if (name === 'where' && r.chance(0.4)) return `where: ${r.pick(['"size"', '"first"', '"x"', '"length"', '"[0]"', '"size.size"'])}${r.chance(0.4) ? `, ${operand(r)}` : ''}`
  if (name === 'base64_decode' && r.chance(0.5)) return 'base64_decode | url_encode'
  if (name === 'slugify' && r.chance(0.6)) return `slugify: '${r.pick(['raw', 'default', 'pretty', 'ascii', 'latin', 'none', 'x'])}'${r.chance(0.2) ? ', true' : ''}`
  if (name === 'number_of_words' && r.chance(0.6)) return `number_of_words: '${r.pick(['cjk', 'auto', 'x'])}'`
  return args.length ? `${name}:${r.pick([' ', ''])}${args.join(', ')}` : name
}

const value = (r) => operand(r) + r.times(0, 3, () => ` |${r.pick([' ', ''])}${filter(r)}`).join('')
const condition = (r) => r.times(1, 3, () => (r.chance(0.1) ? 'not ' : '') + (r.chance(0.8) ? `${operand(r)} ${r.pick(['==', '!=', '<', '>', '<=', '>=', 'contains'])} ${operand(r)}` : operand(r))).join(r.pick([' and ', ' or ']))
const open = (r) => (r.chance(0.15) ? '{%-' : '{%')
const close = (r) => (r.chance(0.15) ? '-%}' : '%}')
const tag = (r, text) => `${open(r)} ${text} ${close(r)}`

function part (r, depth, counters) {
  const inner = () => template(r, depth - 1, counters)
  return r.weighted([
    [4, () => r.pick([...texts, ' ', '\n', ' text ', '}}', '%}', '{'])],
    [8, () => `{{${r.chance(0.1) ? '-' : ''} ${value(r)} ${r.chance(0.1) ? '-' : ''}}}`],
    [2, () => tag(r, `assign ${r.pick(['v', 'w'])} = ${value(r)}`)],
    [1, () => tag(r, `echo ${value(r)}`)],
    [counters ? 1 : 0, () => tag(r, `${r.pick(['increment', 'decrement'])} ${r.pick(['count', 'other'])}`)],
    [0.5, () => tag(r, `cycle ${r.chance(0.3) ? `${operand(r)}: ` : ''}${r.times(1, 3, () => operand(r)).join(', ')}`)],
    [0.1, () => tag(r, r.pick(['break', 'continue']))],
    [0.5, () => tag(r, r.pick(['# comment', '# a\n # b', '# a\n b']))],
    [0.4, () => tag(r, r.pick(['for x in arr', 'case a', 'nosuch', 'endif', 'else', 'include "x"', 'render "x"', '', '-', 'assign', 'assign = 1', 'assign v 1', 'if', 'capture', 'raw', 'comment']))],
    [0.3, () => r.pick(['{{ }}', '{{ a', '{% if a', '{{ a | }}', '{{ a | upcase x }}', '{{ a b }}', '{{ | upcase }}', '{{ a[ }}', '{{ (1..) }}', '{{ "x }}', '{{ a.b. }}', '{{ a..b }}', '{{ a == }}', '{{ a | append }}', '{{ == }}', '{{ a | plus: 1 2 }}', '{{- -}}', '{{ a | append: "x", }}'])],
    [depth > 0 ? 2 : 0, () => tag(r, `if ${condition(r)}`) + inner() + (r.chance(0.3) ? tag(r, `elsif ${condition(r)}`) + inner() : '') + (r.chance(0.5) ? tag(r, 'else') + inner() : '') + (r.chance(0.03) ? '' : tag(r, r.chance(0.02) ? 'endif x' : 'endif'))],
    [depth > 0 ? 1 : 0, () => tag(r, `unless ${condition(r)}`) + inner() + (r.chance(0.3) ? tag(r, `elsif ${condition(r)}`) + inner() : '') + (r.chance(0.4) ? tag(r, 'else') + inner() : '') + (r.chance(0.1) ? tag(r, 'else') + inner() : '') + tag(r, 'endunless')],
    [depth > 0 ? 1 : 0, () => tag(r, `capture ${r.pick(['v', 'w', "'v'", '"w x"'])}`) + inner() + tag(r, 'endcapture')],
    [depth > 0 ? 0.5 : 0, () => tag(r, 'comment') + inner() + tag(r, 'endcomment')],
    [depth > 0 ? 0.5 : 0, () => tag(r, 'raw') + inner() + tag(r, 'endraw')],
    [depth > 0 ? 0.3 : 0, () => tag(r, `block ${r.pick(['x', ''])}`) + inner() + tag(r, 'endblock')],
    [depth > 0 ? 0.5 : 0, () => `{% liquid\n${r.times(0, 4, () => r.pick([`assign v = ${value(r)}`, `echo ${value(r)}`, `if ${condition(r)}\n echo 1\nelse\n echo 2\nendif`, '# note', '', counters ? 'increment count' : ''])).join('\n')}\n%}`]
  ])
}

function template (r, depth, counters) {
  return r.times(0, 4, () => part(r, depth, counters)).join('')
}

/* `counters`: with increment and decrement, which in the reference write into the event (docs/parity.md). */
module.exports = (r, counters) => {
  const text = template(r, 2, counters)
  return r.chance(0.002) ? text.padEnd(1001, 'x') : Array.from(text).slice(0, 900).join('')
}
