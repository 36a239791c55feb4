// SPDX-License-Identifier: Apache-2.0
// Loaded before a suite (node --import): behind the line of each check it prints what the gateway
// answered during that check: statuses, whether a refusal has the client's shape, what was dropped.
const plain = { fetch: globalThis.fetch, log: console.log };
let seen = [];

async function inShape(response) {
  try {
    const { type, error } = await response.clone().json();
    const told = typeof error.message === 'string' && typeof error.type === 'string';
    return told && (/\/messages/.test(response.url) ? type === 'error' : 'code' in error);
  } catch {
    return false;
  }
}

globalThis.fetch = async (input, init = {}) => {
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set('x-sallyport-explain', '1');
  const response = await plain.fetch(input, { ...init, headers });
  const dropped = response.headers.get('x-sallyport-dropped')?.split(',');
  seen.push({ status: response.status, dropped, in_shape: response.ok ? undefined : await inShape(response) });
  return response;
};

console.log = (line, ...rest) => {
  plain.log(line, ...rest);
  if (!/^(ok  |FAIL) /.test(line)) return;
  plain.log(JSON.stringify(seen));
  seen = [];
};
