// SPDX-License-Identifier: Apache-2.0
// What the provider mock does not speak, in front of it: node rest.mjs PORT, with MOCK (aimock), GAP
// (the small proxy before it, which checks AWS signatures) and HARNESS (whose packages are used).
//
// Added here: images in results of tools at OpenAI; Claude on Vertex (rawPredict) and whole answers of
// Claude on AWS, which are Anthropic's; Titan's and Google's embeddings; counts of tokens; signatures and
// redacted thinking where Converse and Gemini have them; RetryInfo in Google's refusals, retry-after in
// AWS's and Cohere's, thinking in Cohere's answers. All else goes to the gap.
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(process.env.HARNESS + '/');
const { EventStreamCodec } = require('@smithy/eventstream-codec');
const codec = new EventStreamCodec(b => Buffer.from(b).toString(), s => Buffer.from(s));
const SIGNATURE = 'c2lnLW1vY2stMDAwMQ==', REDACTED = 'ZW5jcnlwdGVkLW1vY2s=', VECTOR = [0.125, -0.5, 0.25, 0.75];

const slurp = async stream => Buffer.concat(await Array.fromAsync(stream));
const reply = (res, status, body, headers = {}) => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
};

/** Asks one of those behind; path and body may differ from what was asked. The mock fails FLAKY-ONCE once a test id. */
function ask(req, base, path, body) {
  return new Promise((resolve, reject) => {
    const out = { ...req.headers, 'content-length': body.length, 'x-test-id': process.argv[2] + req.url };
    delete out['transfer-encoding'];
    http.request(new URL(path, base), { method: req.method, headers: out }, resolve).on('error', reject).end(body);
  });
}

function pipe(from, res, headers = {}) {
  res.writeHead(from.statusCode, { ...from.headers, ...headers });
  from.on('aborted', () => res.destroy());
  from.on('error', () => res.destroy());
  res.on('close', () => from.destroy());
  from.pipe(res);
}

const asAnthropic = (req, body, more) =>
  ask(req, process.env.MOCK, '/v1/messages', Buffer.from(JSON.stringify({ ...JSON.parse(body), ...more })));

// --- OpenAI: what a tool's result shows follows as a user's message, which the mock takes for a new question

async function chat(req, res, body) {
  const asked = JSON.parse(body), [tool, shown] = asked.messages.slice(-2);
  const shows = tool?.role === 'tool' && shown.role === 'user' && shown.content[0]?.type === 'image_url';
  if (shows) asked.messages.pop();
  pipe(await ask(req, process.env.GAP, req.url, shows ? Buffer.from(JSON.stringify(asked)) : body), res);
}

// --- Converse: thinking ends with a signature; one that is redacted follows

function* frames(bytes) {
  for (let at = 0; at + 4 <= bytes.length; at += bytes.readUInt32BE(at)) yield bytes.subarray(at, at + bytes.readUInt32BE(at));
}

function frame(type, payload) {
  const text = value => ({ type: 'string', value });
  return codec.encode({
    headers: { ':event-type': text(type), ':content-type': text('application/json'), ':message-type': text('event') },
    body: Buffer.from(JSON.stringify(payload)),
  });
}

async function streamedThought(from, res, redacted) {
  const bytes = await slurp(from);
  res.writeHead(200, from.headers);
  for (const one of frames(bytes)) {
    const { headers, body } = codec.decode(one), type = headers[':event-type'].value, event = JSON.parse(Buffer.from(body));
    const ends = type === 'contentBlockStop' && event.contentBlockIndex === 0;
    if (ends) res.write(frame('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: SIGNATURE } } }));
    res.write(one);
    if (ends && redacted) {
      res.write(frame('contentBlockDelta', { contentBlockIndex: 7, delta: { reasoningContent: { redactedContent: REDACTED } } }));
      res.write(frame('contentBlockStop', { contentBlockIndex: 7 }));
    }
  }
  res.end();
}

async function converse(req, res, body) {
  const from = await ask(req, process.env.GAP, req.url, body), text = body.toString();
  if (from.statusCode !== 200 || !text.includes('THINK')) return pipe(from, res);
  const redacted = text.includes('THINK redacted');
  if (req.url.endsWith('stream')) return streamedThought(from, res, redacted);
  const answer = JSON.parse(await slurp(from)), blocks = answer.output.message.content;
  blocks[0].reasoningContent.reasoningText.signature = SIGNATURE;
  if (redacted) blocks.splice(1, 0, { reasoningContent: { redactedContent: REDACTED } });
  reply(res, 200, answer);
}

// --- InvokeModel

async function invoke(req, res, body, [, model]) {
  const from = await ask(req, process.env.GAP, req.url, body); // the signature is looked at there
  if (from.statusCode === 429) return pipe(from, res, { 'retry-after': '7' });
  if (from.statusCode !== 200 || req.url.endsWith('stream')) return pipe(from, res);
  from.resume();
  pipe(await asAnthropic(req, body, { model: decodeURIComponent(model) }), res);
}

function titan(req, res, body) {
  const { inputText } = JSON.parse(body);
  if (inputText.includes('EMB-ERR'))
    return reply(res, 400, { message: 'mock: bad input' }, { 'x-amzn-errortype': 'ValidationException:http://internal/' });
  reply(res, 200, { embedding: VECTOR, inputTextTokenCount: 2 });
}

function count(req, res, body) {
  const { input } = JSON.parse(body);
  if (!input?.converse?.messages && !input?.invokeModel?.body) return reply(res, 400, { message: 'input is a union' });
  reply(res, 200, { inputTokens: 5 });
}

// --- Google

async function rawPredict(req, res, body, [, model, verb]) {
  const asked = JSON.parse(body), counts = model === 'count-tokens';
  if (asked.anthropic_version !== 'vertex-2023-10-16' || !asked.model !== !counts || req.headers['anthropic-version'])
    return reply(res, 400, { error: { code: 400, message: 'no such request', status: 'INVALID_ARGUMENT' } });
  if (counts) return reply(res, 200, { input_tokens: 5 });
  pipe(await asAnthropic(req, body, { model, stream: verb === 'streamRawPredict' }), res);
}

function embed(req, res, body) {
  const { instances, requests } = JSON.parse(body);
  if (body.includes('EMB-ERR')) return reply(res, 400, { error: { code: 400, message: 'mock: bad input', status: 'INVALID_ARGUMENT' } });
  if (requests) return reply(res, 200, { embeddings: requests.map(() => ({ values: VECTOR })) });
  const embeddings = { values: VECTOR, statistics: { token_count: 2, truncated: false } };
  reply(res, 200, { predictions: instances.map(() => ({ embeddings })) });
}

const retryInfo = error => ({ ...error, details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }] });

async function gemini(req, res, body) {
  const from = await ask(req, process.env.GAP, req.url, body);
  if (from.statusCode === 429) return reply(res, 429, { error: retryInfo(JSON.parse(await slurp(from)).error) });
  if (from.statusCode !== 200 || !body.includes('THINK')) return pipe(from, res);
  // the signature stands at the part after the thought
  const text = (await slurp(from)).toString();
  res.writeHead(200, from.headers);
  res.end(text.replace('{"text":"The answer', `{"thoughtSignature":"${SIGNATURE}","text":"The answer`));
}

// --- Cohere: thinking is a block of its own

const asThought = text => text.replace('"type":"text"', '"type":"thinking"').replace('"text":', '"thinking":');

async function cohere(req, res, body) {
  const from = await ask(req, process.env.GAP, req.url, body);
  if (from.statusCode === 429) return pipe(from, res, { 'retry-after': '7' });
  if (from.statusCode !== 200 || !body.includes('THINK')) return pipe(from, res);
  const text = (await slurp(from)).toString(), streams = text.startsWith('event:');
  res.writeHead(200, from.headers);
  res.end(streams ? text.split('\n').map(line => (line.includes('"index":0') ? asThought(line) : line)).join('\n') : asThought(text));
}

const ways = [
  [/\/v2\/chat$/, cohere],
  [/\/chat\/completions$/, chat],
  [/^\/model\/amazon\.titan[^/]*\/invoke$/, titan],
  [/^\/model\/([^/]+)\/invoke(-with-response-stream)?$/, invoke],
  [/^\/model\/[^/]+\/converse(-stream)?$/, converse],
  [/^\/model\/[^/]+\/count-tokens$/, count],
  [/publishers\/anthropic\/models\/([^:]+):(rawPredict|streamRawPredict)$/, rawPredict],
  [/models\/[^:]+:(predict|batchEmbedContents)$/, embed],
  [/models\/[^:]+:countTokens$/, (req, res) => reply(res, 200, { totalTokens: 5 })],
  [/models\/[^:]+:(generateContent|streamGenerateContent)$/, gemini],
];

http.createServer(async (req, res) => {
  try {
    const body = await slurp(req), path = req.url.split('?')[0];
    for (const [shape, answer] of ways) {
      const match = shape.exec(path);
      if (match) return await answer(req, res, body, match);
    }
    pipe(await ask(req, process.env.GAP, req.url, body), res);
  } catch (e) {
    res.destroy(e);
  }
}).listen(+process.argv[2], '127.0.0.1');
