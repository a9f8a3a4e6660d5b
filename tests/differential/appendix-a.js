'use strict'
/*
 * The runnable reference is a little older than the release that is described; docs/spec/segment-actions.md, Appendix A, lists
 * the differences. generate-actions.js stays away from most. These cannot be avoided, so both sides lose them here:
 *
 * - a batch of the ecommerce actions reports in each node a copy of something else (`sent`, `body`), which also changes who
 *   reports it (`errorreporter`).
 */
const isEcommerce = (test) => {
  const lines = (test.settings && test.settings.subscriptions) || []
  return test.op === 'batch' ? /^ecommerce/.test(test.action) : test.op === 'event' && Array.isArray(lines) && lines.some((line) => line && /^ecommerce/.test(line.partnerAction))
}

module.exports = function withoutOldNodes (test, result) {
  if (!isEcommerce(test) || !Array.isArray(result.results)) return result
  const nodes = result.results.flatMap((entry) => (entry && entry.multistatus) || [entry])
  for (const node of nodes) {
    if (!node || node.errortype === 'PAYLOAD_VALIDATION_FAILED') continue
    for (const key of ['sent', 'body', 'errorreporter']) delete node[key]
  }
  return result
}
