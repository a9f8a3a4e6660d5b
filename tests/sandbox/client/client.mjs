// Every method of the braze-api package, unmodified, against a running sandbox: each must get a valid answer.
// usage: node client.mjs http://127.0.0.1:8990 API_KEY
import assert from "node:assert/strict";
import { Braze } from "braze-api";

const [url, key] = process.argv.slice(2);
const braze = new Braze(url, key);
const group = "12345678-1234-1234-1234-123456789abc";
const alias = { alias_name: "ada", alias_label: "crm" };
const time = "2026-01-05T10:00:00.000Z";
let failures = 0;

async function check(name, call, verify = answer => assert.equal(answer.message, "success")) {
  try {
    verify(await call());
    console.log("ok braze-api " + name);
  } catch (error) {
    failures++;
    console.log("not ok braze-api " + name + ": " + error.message);
  }
}

const refused = async call => {
  try { await call(); } catch (error) { return error; }
  throw new Error("was not refused");
};

const post = (path, body) => fetch(url + path, { method: "POST", headers: { "Content-Type": "application/json", Authorization: "Bearer " + key },
  body: JSON.stringify(body) });

await check("users.track", () => braze.users.track({
  attributes: [{ external_id: "ada", first_name: "Ada", email: "ada@example.com", plan: "pro" }],
  events: [{ external_id: "ada", name: "signup", time, properties: { ref: "ad" } }],
  purchases: [{ external_id: "ada", product_id: "book", currency: "USD", price: 12.5, time }] }),
  answer => assert.deepEqual(answer, { attributes_processed: 1, events_processed: 1, purchases_processed: 1, message: "success" }));
await check("users.track, bulk", () => braze.users.track({ attributes: [{ external_id: "bob", plan: "free" }] }, true));
await check("users.track, refused", () => refused(() => braze.users.track({ attributes: [{ plan: "free" }] })),
  error => { assert.equal(error.status, 400); assert.equal(error.errors[0].input_array, "attributes"); });
await check("users.alias.new", () => braze.users.alias.new({ user_aliases: [alias] }), answer => assert.equal(answer.aliases_processed, 1));
await check("users.alias.update", () => braze.users.alias.update({ alias_updates: [{ alias_label: "crm", old_alias_name: "ada", new_alias_name: "ada2" }] }));
await check("users.identify", () => braze.users.identify({ aliases_to_identify: [{ external_id: "ada", user_alias: { alias_name: "ada2", alias_label: "crm" } }] }));
await check("users.export.ids", () => braze.users.export.ids({ external_ids: ["ada"], fields_to_export: ["first_name", "user_aliases", "custom_attributes"] }),
  answer => assert.deepEqual(answer.users, [{ user_aliases: [{ alias_name: "ada2", alias_label: "crm" }], first_name: "Ada", custom_attributes: { plan: "pro" } }]));
await check("users.export.segment", () => braze.users.export.segment({ segment_id: "s", fields_to_export: ["email"] }));
await check("users.export.global_control_group", () => braze.users.export.global_control_group({ fields_to_export: ["email"] }));
await check("users.external_ids.rename", () => braze.users.external_ids.rename({ external_id_renames: [{ current_external_id: "bob", new_external_id: "robert" }] }),
  answer => assert.deepEqual(answer.rename_errors, []));
await check("users.external_ids.remove", () => braze.users.external_ids.remove({ external_ids: ["bob"] }), answer => assert.deepEqual(answer.removed_ids, ["bob"]));
await check("users.merge", () => braze.users.merge({ merge_updates: [{ identifier_to_merge: { external_id: "robert" }, identifier_to_keep: { external_id: "ada" } }] }));
await check("subscription.status.set", () => braze.subscription.status.set({ subscription_group_id: group, subscription_state: "subscribed", external_id: "ada" }));
await check("v2.subscription.status.set", () => braze.v2.subscription.status.set({ subscription_groups: [{ subscription_group_id: group, subscription_state: "unsubscribed", external_ids: ["ada"] }] }));
await check("subscription.status.get", () => braze.subscription.status.get({ subscription_group_id: group, external_id: ["ada", "nobody"] }),
  answer => assert.deepEqual(answer.status, { ada: "Unsubscribed", nobody: "Unknown" }));
await check("subscription.user.status", () => braze.subscription.user.status({ external_id: ["ada"] }), answer => assert.equal(answer.users[0].subscription_groups[0].status, "Unsubscribed"));
await check("email.blacklist", () => braze.email.blacklist({ email: ["a@example.com"] }));
await check("email.bounce.remove", () => braze.email.bounce.remove({ email: "a@example.com" }));
await check("email.spam.remove", () => braze.email.spam.remove({ email: "a@example.com" }));

const audience = { AND: [{ custom_attribute: { custom_attribute_name: "plan", comparison: "equals", value: "pro" } }] };
const schedule = { time: "2036-01-01T00:00:00Z" };
const dispatched = answer => { assert.equal(answer.message, "success"); assert.match(answer.dispatch_id, /^[0-9a-f]{32}$/); };
await check("campaigns.trigger.send", () => braze.campaigns.trigger.send({ campaign_id: "c", recipients: [{ external_user_id: "ada" }] }), dispatched);
await check("canvas.trigger.send", () => braze.canvas.trigger.send({ canvas_id: "k", broadcast: true, audience }), dispatched);
await check("messages.send", () => braze.messages.send({ external_user_ids: ["ada"], messages: { email: { app_id: "a", subject: "s", from: "f", body: "b" } } }), dispatched);
await check("transactional.v1.campaigns.send", () => braze.transactional.v1.campaigns.send("c", { external_send_id: "x", recipient: { external_user_id: "ada" } }), dispatched);
await check("sends.id.create", () => braze.sends.id.create({ campaign_id: "c", send_id: "tag" }), answer => assert.equal(answer.send_id, "tag"));
for (const [name, api, create] of [["campaigns.trigger", braze.campaigns.trigger, { campaign_id: "c", schedule, broadcast: true }],
  ["canvas.trigger", braze.canvas.trigger, { canvas_id: "k", schedule, broadcast: true }], ["messages", braze.messages, { external_user_ids: ["ada"], schedule, messages: {} }]]) {
  let id;
  await check(name + ".schedule.create", async () => { const answer = await api.schedule.create(create); id = answer.schedule_id; return answer; }, dispatched);
  await check(name + ".schedule.update", () => api.schedule.update({ ...create, schedule_id: id }));
  await check(name + ".schedule.delete", () => api.schedule.delete({ ...create, schedule_id: id }));
}
await check("messages.scheduled_broadcasts", () => braze.messages.scheduled_broadcasts({ end_time: "2036-01-01" }), answer => assert.deepEqual(answer.scheduled_broadcasts, []));

await check("campaigns.list", () => braze.campaigns.list({ page: 0 }), answer => assert.equal(answer.campaigns[0].id, "c"));
await check("campaigns.details", () => braze.campaigns.details({ campaign_id: "c" }), answer => assert.equal(answer.name, "Welcome"));
await check("canvas.list", () => braze.canvas.list(), answer => assert.equal(answer.canvases[0].id, "k"));
await check("segments.list", () => braze.segments.list(), answer => assert.equal(answer.segments[0].id, "s"));
await check("segments.details", () => braze.segments.details({ segment_id: "s" }));
await check("segments.analytics", () => braze.segments.analytics({ segment_id: "s", length: 7 }), answer => assert.deepEqual(answer.data, []));

await post("/catalogs", { catalogs: [{ name: "shop", fields: [{ name: "id", type: "string" }, { name: "price", type: "number" }] }] });
await post("/catalogs/shop/items", { items: Array.from({ length: 40 }, (_, i) => ({ id: "a" + i, price: i })) });
await post("/catalogs/shop/items", { items: Array.from({ length: 40 }, (_, i) => ({ id: "b" + i, price: i })) });
await check("catalogs.synchronous.list", () => braze.catalogs.synchronous.list(), answer => assert.equal(answer.catalogs[0].num_items, 80));
await check("catalogs.synchronous.item", () => braze.catalogs.synchronous.item({ catalog_name: "shop", item_id: "a7" }), answer => assert.deepEqual(answer.items, [{ id: "a7", price: 7 }]));
await check("catalogs.synchronous.items", async () => {
  const ids = new Set();
  for await (const item of braze.catalogs.synchronous.items({ catalog_name: "shop" })) ids.add(item.id);
  return ids;
}, ids => assert.equal(ids.size, 80));

await check("templates.content_blocks.create", () => braze.templates.content_blocks.create({ name: "n", content: "c" }));
await check("templates.content_blocks.update", () => braze.templates.content_blocks.update({ content_block_id: "1", name: "n" }));
await check("templates.content_blocks.list", () => braze.templates.content_blocks.list({}), answer => assert.deepEqual(answer.content_blocks, []));
await check("templates.content_blocks.get", () => refused(() => braze.templates.content_blocks.get({ content_block_id: "1" })), error => assert.equal(error.status, 404));
await check("templates.email_templates.create", () => braze.templates.email_templates.create({ template_name: "n", subject: "s", body: "b" }));
await check("templates.email_templates.update", () => braze.templates.email_templates.update({ email_template_id: "1" }));
await check("templates.email_templates.list", () => braze.templates.email_templates.list({}), answer => assert.deepEqual(answer.templates, []));
await check("templates.email_templates.get", () => refused(() => braze.templates.email_templates.get({ email_template_id: "1" })), error => assert.equal(error.status, 404));

await check("users.delete", () => braze.users.delete({ external_ids: ["ada"] }), answer => assert.equal(answer.deleted, 1));
await check("a wrong key", () => refused(() => new Braze(url, "wrong").users.track({ attributes: [] })), error => assert.equal(error.status, 401));

process.exit(failures === 0 ? 0 : 1);
