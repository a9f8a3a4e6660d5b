// What a client sees of the sandbox's faults: raw sockets, one connection each.
// usage: node faults.mjs http://127.0.0.1:8990 API_KEY
import assert from "node:assert/strict";
import net from "node:net";

const [url, key] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const body = JSON.stringify({ events: [{ external_id: "faulty", name: "e", time: "2026-01-05T10:00:00Z" }] });
const request = ["POST /users/track HTTP/1.1", "Host: " + hostname, "Content-Type: application/json", "Authorization: Bearer " + key,
  "Content-Length: " + Buffer.byteLength(body), "Connection: close", "", body].join("\r\n");
let failures = 0;

/* Everything that came, how it ended, and how long it took; at most wait_ms. */
function send(text, wait_ms) {
  return new Promise(resolve => {
    const started = Date.now();
    const socket = net.connect(port, hostname, () => socket.write(text));
    const result = { received: "", end: "open" };
    const finish = end => { if (result.end === "open") { result.end = end; result.ms = Date.now() - started; socket.destroy(); resolve(result); } };
    const timer = setTimeout(() => { result.ms = wait_ms; socket.destroy(); resolve(result); }, wait_ms);
    socket.on("data", data => result.received += data);
    socket.on("end", () => { clearTimeout(timer); finish("closed"); });
    socket.on("error", () => { clearTimeout(timer); finish("reset"); });
  });
}

const stats = async () => (await fetch(url + "/sandbox/stats")).json();

async function check(name, fault, wait_ms, verify) {
  try {
    await fetch(url + "/sandbox/faults", { method: "DELETE" });
    const answer = await fetch(url + "/sandbox/faults", { method: "POST", body: JSON.stringify(fault) });
    assert.equal(answer.status, 201);
    const before = (await stats()).events;
    const result = await send(request, wait_ms);
    verify(result, (await stats()).events - before);
    console.log("ok fault " + name);
  } catch (error) {
    failures++;
    console.log("not ok fault " + name + ": " + error.message);
  }
}

const broken = result => assert.ok(result.end !== "open" && !/\r\n\r\n[^]*"success"}$/.test(result.received), JSON.stringify(result));
await check("status", { status: 503, times: 1, "retry-after": 7 }, 5000, (result, stored) => {
  assert.match(result.received, /^HTTP\/1\.1 503 [^]*Retry-After: 7\r\n/);
  assert.equal(stored, 0);
});
await check("drop: carried out, no answer", { kind: "drop", times: 1 }, 5000, (result, stored) => {
  assert.equal(result.received, "");
  broken(result);
  assert.equal(stored, 1);
});
await check("reset after 10 bytes", { kind: "reset", bytes: 10, status: 201, times: 1 }, 5000, (result, stored) => { broken(result); assert.equal(stored, 0); });
await check("hang", { kind: "hang", times: 1 }, 700, (result, stored) => {
  assert.deepEqual([result.end, result.received], ["open", ""]);
  assert.equal(stored, 0);
});
await check("latency", { latency: 300, times: 1 }, 5000, (result, stored) => {
  assert.match(result.received, /^HTTP\/1\.1 201 /);
  assert.ok(result.ms >= 295, result.ms + " ms");
  assert.equal(stored, 1);
});
await check("truncate", { kind: "truncate", bytes: 12, times: 1 }, 5000, (result, stored) => {
  assert.match(result.received, /Content-Length: 12\r\n(?:.+\r\n)*\r\n\{"events_pro$/);
  assert.equal(stored, 1);
});
await check("garbage", { kind: "garbage", times: 1 }, 5000, result => assert.match(result.received, /Content-Type: text\/html[^]*<h1>502 Bad Gateway/));
await fetch(url + "/sandbox/faults", { method: "DELETE" });

process.exit(failures === 0 ? 0 : 1);
