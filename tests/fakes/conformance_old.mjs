// SPDX-License-Identifier: Apache-2.0
// The fixture of the official MCP suites in the old era only (2025-11-25, with sessions): the same names as
// conformance_server.mjs, but what those ask by input_required is asked here by a request in the middle of the call.
// usage: PORT=n node conformance_old.mjs
import { randomUUID } from 'node:crypto';
import express from 'express';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest, SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod/v4';
import { contentTools, prompts, resources, say, text, WITH_CHOICES, WITH_DEFAULTS } from './conformance_content.mjs';

const sdk = { completable, ResourceTemplate, args: (shape) => shape };
const form = (name) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] });
const servers = new Set(); // one for each session; what comes and goes does so in all
let extraTool = false, extraPrompt = false;

const ask = {
  elicit: (x, message, requestedSchema) => x.sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, z.any()),
  sample: (x, question) => x.sendRequest({ method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: { type: 'text', text: question } }], maxTokens: 100 } }, z.any()),
  roots: (x) => x.sendRequest({ method: 'roots/list' }, z.any()),
};

function noticeTools(s, T) {
  const pause = () => new Promise((r) => setTimeout(r, 20));
  const log = (x, data) => x.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
  T('test_tool_with_logging', {}, async (_a, x) => { for (const m of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) { await log(x, m); await pause(); } return text('logged'); });
  T('test_logging_tool', {}, async (_a, x) => { await log(x, 'one line'); return text('logged'); });
  T('test_tool_with_progress', {}, async (_a, x) => {
    const progressToken = x._meta?.progressToken;
    for (const progress of [0, 50, 100]) { if (progressToken !== undefined) await x.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } }); await pause(); }
    return text('done');
  });
  const turn = (what, on) => { for (const one of servers) one[what][on ? 'enable' : 'disable'](); return text('changed'); };
  T('test_trigger_tool_change', {}, async () => turn('extraTool', extraTool = !extraTool));
  T('test_trigger_prompt_change', {}, async () => turn('extraPrompt', extraPrompt = !extraPrompt));
}

function askingTools(s, T) {
  const R = 'test_input_required_result_';
  T(R + 'elicitation', {}, async (_a, x) => text(`Hello, ${(await ask.elicit(x, 'What is your name?', form('name'))).content?.name}!`));
  T(R + 'sampling', {}, async (_a, x) => text(`The model said: ${JSON.stringify((await ask.sample(x, 'What is the capital of France?')).content)}`));
  T(R + 'list_roots', {}, async (_a, x) => text(`${(await ask.roots(x)).roots.length} roots`));
  T(R + 'request_state', {}, async (_a, x) => { await ask.elicit(x, 'Confirm?', form('ok')); return text('state-ok'); });
  T(R + 'multiple_inputs', {}, async (_a, x) => { await Promise.all([ask.elicit(x, 'What is your name?', form('name')), ask.sample(x, 'Generate a greeting'), ask.roots(x)]); return text('all answered'); });
  T(R + 'multi_round', {}, async (_a, x) => { await ask.elicit(x, 'Step 1: What is your name?', form('name')); await ask.elicit(x, 'Step 2: What is your favorite color?', form('color')); return text('both rounds are done'); });
  T(R + 'tampered_state', {}, async (_a, x) => { await ask.elicit(x, 'Confirm?', form('ok')); return text('state verified'); });
  T(R + 'capabilities', {}, async (_a, x) => {
    const can = s.server.getClientCapabilities() ?? {};
    await Promise.all([can.sampling && ask.sample(x, 'Say something'), can.elicitation && ask.elicit(x, 'Name?', form('name')), can.roots && ask.roots(x)]);
    return text('asked what can be asked');
  });
  T('test_streaming_elicitation', {}, async (_a, x) => { await ask.elicit(x, 'Name?', form('name')); return text('thanks'); });
  T('test_missing_capability', {}, async (_a, x) => { await ask.sample(x, 'Needs sampling'); return text('sampled'); });
  T('test_sampling', { prompt: z.string() }, async (a, x) => text(JSON.stringify(await ask.sample(x, a.prompt))));
  T('test_elicitation', { message: z.string() }, async (a, x) => text(JSON.stringify(await ask.elicit(x, a.message, form('response')))));
  for (const [name, schema] of [['test_elicitation_sep1034_defaults', WITH_DEFAULTS], ['test_elicitation_sep1330_enums', WITH_CHOICES]])
    T(name, {}, async (_a, x) => text(JSON.stringify(await ask.elicit(x, 'Please fill this in', schema))));
}

function subscriptions(s) {
  s.server.setRequestHandler(SubscribeRequestSchema, async () => ({}));
  s.server.setRequestHandler(UnsubscribeRequestSchema, async () => ({}));
}

function build() {
  const s = new McpServer({ name: 'conformance-fixture', version: '1.0.0' }, { capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {}, completions: {} } });
  const T = (name, shape, fn) => s.registerTool(name, { description: `The tool ${name}`, inputSchema: shape }, fn);
  contentTools(T);
  noticeTools(s, T);
  askingTools(s, T);
  prompts(s, sdk);
  s.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks first' }, async (x) => say(`Context: ${(await ask.elicit(x, 'What context?', form('context'))).content?.context}`));
  resources(s, sdk);
  subscriptions(s);
  s.extraTool = T('test_extra_tool', {}, async () => text('extra'));
  s.extraPrompt = s.registerPrompt('test_extra_prompt', { description: 'Appears and goes' }, async () => say('extra'));
  if (!extraTool) s.extraTool.disable();
  if (!extraPrompt) s.extraPrompt.disable();
  return s;
}

const sessions = new Map();
async function opened() {
  const t = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (id) => sessions.set(id, t), onsessionclosed: (id) => sessions.delete(id) });
  const s = build();
  servers.add(s);
  t.onclose = () => servers.delete(s);
  await s.connect(t);
  return t;
}

const app = express();
app.use(express.json({ limit: '4mb' }));
app.all('/mcp', async (rq, rs) => {
  const id = rq.headers['mcp-session-id'];
  const refuse = (status, code, message) => rs.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
  if (id && !sessions.has(id)) return refuse(404, -32001, 'Session not found');
  if (!id && (rq.method !== 'POST' || !isInitializeRequest(rq.body))) return refuse(400, -32000, 'Bad Request: Session ID required');
  await (sessions.get(id) ?? (await opened())).handleRequest(rq, rs, rq.body);
});
app.listen(+process.env.PORT, '127.0.0.1');
