// SPDX-License-Identifier: Apache-2.0
// The fixture behind the gateway for the official MCP suites: every tool, prompt and resource that the
// scenarios name, on the SDK's own server (2026-07-28, and stateless for older clients).
// usage: PORT=n node conformance_server.mjs
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { acceptedContent, completable, createMcpHandler, createRequestStateCodec, fromJsonSchema, inputRequired, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import * as z from 'zod/v4';
import { contentTools, prompts, resources, say, SCHEMA_2020, text, WITH_CHOICES, WITH_DEFAULTS } from './conformance_content.mjs';

const port = +process.env.PORT;
const codec = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)), ttlSeconds: 600 });
const sdk = { completable, ResourceTemplate, args: (shape) => z.object(shape) };
const form = (name) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] });
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

let handler, extraTool = false, extraPrompt = false;

function noticeTools(T) {
  T('test_tool_with_logging', {}, async (_a, c) => { for (const m of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) { await c.mcpReq.log('info', m); await new Promise((r) => setTimeout(r, 20)); } return text('logged'); });
  T('test_logging_tool', {}, async (_a, c) => { await c.mcpReq.log('info', 'one line'); return text('logged'); });
  T('test_tool_with_progress', {}, async (_a, c) => {
    const progressToken = c.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) { if (progressToken !== undefined) await c.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } }); await new Promise((r) => setTimeout(r, 20)); }
    return text('done');
  });
  T('test_trigger_tool_change', {}, async () => { extraTool = !extraTool; handler.notify.toolsChanged(); return text('changed'); });
  T('test_trigger_prompt_change', {}, async () => { extraPrompt = !extraPrompt; handler.notify.promptsChanged(); return text('changed'); });
}

const ask = {
  elicit: (message, name) => inputRequired.elicit({ message, requestedSchema: form(name) }),
  sample: (question) => inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: question } }], maxTokens: 100 }),
  roots: () => inputRequired.listRoots(),
};
const answers = (c, key) => c.mcpReq.inputResponses?.[key];

function inputTools(T) {
  T('test_input_required_result_elicitation', {}, async (_a, c) => { const a = acceptedContent(c.mcpReq.inputResponses, 'user_name'); return a?.name ? text(`Hello, ${a.name}!`) : inputRequired({ inputRequests: { user_name: ask.elicit('What is your name?', 'name') } }); });
  T('test_input_required_result_sampling', {}, async (_a, c) => { const r = answers(c, 'capital_question'); return r ? text(`The model said: ${(Array.isArray(r.content) ? r.content[0] : r.content).text}`) : inputRequired({ inputRequests: { capital_question: ask.sample('What is the capital of France?') } }); });
  T('test_input_required_result_list_roots', {}, async (_a, c) => { const r = answers(c, 'client_roots'); return r ? text(`${r.roots.length} roots`) : inputRequired({ inputRequests: { client_roots: ask.roots() } }); });
  T('test_input_required_result_request_state', {}, async (_a, c) => { const st = c.mcpReq.requestState(); return st && answers(c, 'confirm') ? text('state-ok') : inputRequired({ inputRequests: { confirm: ask.elicit('Confirm?', 'ok') }, requestState: await codec.mint({ step: 1 }) }); });
  T('test_input_required_result_multiple_inputs', {}, async (_a, c) => answers(c, 'user_name') && answers(c, 'greeting') && answers(c, 'client_roots') ? text('all answered') : inputRequired({ inputRequests: { user_name: ask.elicit('What is your name?', 'name'), greeting: ask.sample('Generate a greeting'), client_roots: ask.roots() }, requestState: await codec.mint({ step: 1 }) }));
  T('test_input_required_result_multi_round', {}, async (_a, c) => {
    const st = c.mcpReq.requestState();
    if (!st) return inputRequired({ inputRequests: { step1: ask.elicit('Step 1: What is your name?', 'name') }, requestState: await codec.mint({ round: 1 }) });
    if (st.round === 1) return inputRequired({ inputRequests: { step2: ask.elicit('Step 2: What is your favorite color?', 'color') }, requestState: await codec.mint({ round: 2 }) });
    return text('both rounds are done');
  });
  T('test_input_required_result_tampered_state', {}, async (_a, c) => c.mcpReq.requestState() ? text('state verified') : inputRequired({ inputRequests: { confirm: ask.elicit('Confirm?', 'ok') }, requestState: await codec.mint({ step: 1 }) }));
  T('test_input_required_result_capabilities', {}, async (_a, c) => {
    const caps = c.mcpReq.envelope?.[CAPABILITIES] ?? {}, inputRequests = {};
    if (caps.sampling) inputRequests.sample = ask.sample('Say something');
    if (caps.elicitation) inputRequests.elicit = ask.elicit('Name?', 'name');
    if (caps.roots) inputRequests.roots = ask.roots();
    return Object.keys(inputRequests).length && !c.mcpReq.inputResponses ? inputRequired({ inputRequests }) : text('nothing to ask');
  });
  T('test_streaming_elicitation', {}, async (_a, c) => answers(c, 'name') ? text('thanks') : inputRequired({ inputRequests: { name: ask.elicit('Name?', 'name') } }));
  T('test_missing_capability', {}, async (_a, c) => answers(c, 'sample') ? text('sampled') : inputRequired({ inputRequests: { sample: ask.sample('Needs sampling') } }));
  for (const [name, key] of [['test_sampling', 'prompt'], ['test_elicitation', 'message']])
    T(name, { [key]: z.string() }, async (a, c) => { const r = answers(c, 'it'); return r ? text(JSON.stringify(r)) : inputRequired({ inputRequests: { it: name === 'test_sampling' ? ask.sample(a[key]) : ask.elicit(a[key], 'response') } }); });
}

function formTools(T) {
  for (const [name, requestedSchema] of [['test_elicitation_sep1034_defaults', WITH_DEFAULTS], ['test_elicitation_sep1330_enums', WITH_CHOICES]])
    T(name, {}, async (_a, c) => { const r = answers(c, 'it'); return r ? text(JSON.stringify(r)) : inputRequired({ inputRequests: { it: inputRequired.elicit({ message: 'Please fill this in', requestedSchema }) } }); });
}

function askingPrompts(s) {
  s.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks first' }, async (_a, c) => { const a = acceptedContent((c ?? _a).mcpReq?.inputResponses, 'user_context'); return a ? say(`Context: ${a.context}`) : inputRequired({ inputRequests: { user_context: ask.elicit('What context?', 'context') } }); });
  if (extraPrompt) s.registerPrompt('test_extra_prompt', { description: 'Appears and goes' }, async () => say('extra'));
}

function build() {
  const s = new McpServer({ name: 'conformance-fixture', version: '1.0.0' }, {
    capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {}, completions: {} },
    requestState: { verify: codec.verify }, cacheHints: { 'tools/list': { ttlMs: 60000, cacheScope: 'public' } },
  });
  const T = (name, shape, fn) => s.registerTool(name, { description: `The tool ${name}`, inputSchema: z.object(shape) }, fn);
  contentTools(T);
  noticeTools(T);
  inputTools(T);
  formTools(T);
  s.registerTool('json_schema_2020_12_tool', { description: 'A schema with every keyword', inputSchema: fromJsonSchema(SCHEMA_2020) }, async () => text('ok'));
  s.registerTool('test_x_mcp_header', { description: 'An argument in a header', inputSchema: fromJsonSchema({ type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }) }, async (a) => text(`region=${a.region}`));
  if (extraTool) T('test_extra_tool', {}, async () => text('extra'));
  prompts(s, sdk);
  askingPrompts(s);
  resources(s, sdk);
  return s;
}

handler = createMcpHandler(build);
const node = toNodeHandler(handler);
createServer((rq, rs) => void node(rq, rs)).listen(port, '127.0.0.1');
