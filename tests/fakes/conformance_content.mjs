// SPDX-License-Identifier: Apache-2.0
// What the fixtures of the official MCP suites serve in either era: the tools, prompts and resources of the scenarios
// that ask nothing back. `sdk` is what the two SDKs call differently.
import * as z from 'zod/v4';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
export const text = (t) => ({ content: [{ type: 'text', text: t }] });
export const say = (t) => ({ messages: [{ role: 'user', content: { type: 'text', text: t } }] });

export const SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] }, phone: { type: 'string' }, email: { type: 'string' } },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] }, else: { required: ['email'] }, additionalProperties: false,
};

export function contentTools(T) {
  T('test_simple_text', {}, async () => text('This is a simple text response for testing.'));
  T('test_image_content', {}, async () => ({ content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] }));
  T('test_audio_content', {}, async () => ({ content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] }));
  const embedded = { type: 'resource', resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' } };
  T('test_embedded_resource', {}, async () => ({ content: [embedded] }));
  T('test_multiple_content_types', {}, async () => ({ content: [{ type: 'text', text: 'Multiple content types test:' }, { type: 'image', data: PNG, mimeType: 'image/png' }, embedded] }));
  T('test_error_handling', {}, async () => ({ isError: true, ...text('This tool intentionally returns an error for testing') }));
}

export const WITH_DEFAULTS = { type: 'object', properties: {
  name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true },
} };
const titled = [{ const: 'a', title: 'First' }, { const: 'b', title: 'Second' }];
export const WITH_CHOICES = { type: 'object', properties: {
  untitledSingle: { type: 'string', enum: ['a', 'b'] }, titledSingle: { type: 'string', oneOf: titled },
  legacyEnum: { type: 'string', enum: ['a', 'b'], enumNames: ['First', 'Second'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } }, titledMulti: { type: 'array', items: { anyOf: titled } },
} };

export function prompts(s, sdk) {
  s.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments' }, async () => say('This is a simple prompt for testing.'));
  s.registerPrompt('test_prompt_with_arguments', { description: 'A prompt with arguments', argsSchema: sdk.args({ arg1: sdk.completable(z.string(), () => ['paris', 'park', 'party']), arg2: z.string() }) }, async (a) => say(`Prompt with arguments: arg1='${a.arg1}', arg2='${a.arg2}'`));
  s.registerPrompt('test_prompt_with_embedded_resource', { description: 'A prompt with a resource', argsSchema: sdk.args({ resourceUri: z.string() }) }, async (a) => ({ messages: [{ role: 'user', content: { type: 'resource', resource: { uri: a.resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } } }] }));
  s.registerPrompt('test_prompt_with_image', { description: 'A prompt with an image' }, async () => ({ messages: [{ role: 'user', content: { type: 'image', data: PNG, mimeType: 'image/png' } }] }));
}

export function resources(s, sdk) {
  s.registerResource('static-text', 'test://static-text', { mimeType: 'text/plain', description: 'A static text' }, async (u) => ({ contents: [{ uri: u.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] }));
  s.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png', description: 'A static image' }, async (u) => ({ contents: [{ uri: u.href, mimeType: 'image/png', blob: PNG }] }));
  s.registerResource('watched', 'test://watched-resource', { mimeType: 'text/plain', description: 'A watched text' }, async (u) => ({ contents: [{ uri: u.href, mimeType: 'text/plain', text: 'watched' }] }));
  s.registerResource('template', new sdk.ResourceTemplate('test://template/{id}/data', { list: undefined }), { mimeType: 'application/json', description: 'A template' }, async (u, v) => ({ contents: [{ uri: u.href, mimeType: 'application/json', text: JSON.stringify({ id: v.id, templateTest: true, data: `Data for ID: ${v.id}` }) }] }));
}
