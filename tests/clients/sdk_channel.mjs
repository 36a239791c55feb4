// SPDX-License-Identifier: Apache-2.0
// sdk_channel.mjs - an SDK client of HTTP+SSE, the transport of 2024-11-05: `node sdk_channel.mjs MODULES URL TOKEN`.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, url, token] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(modules + "/").resolve(name)).href);
const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = await load("@modelcontextprotocol/sdk/client/sse.js");
const headers = { Authorization: `Bearer ${token}` };
const client = new Client({ name: "sdk-channel", version: "1" });
await client.connect(new SSEClientTransport(new URL(url), {
  requestInit: { headers },
  eventSourceInit: { fetch: (to, init) => fetch(to, { ...init, headers: { ...headers, Accept: "text/event-stream" } }) },
}));
const { tools } = await client.listTools();
console.log("tools " + tools.map((t) => t.name).join(" "));
const { content } = await client.callTool({ name: "s__echo", arguments: { text: "hello" } });
console.log("said " + content[0].text);
await client.close();
