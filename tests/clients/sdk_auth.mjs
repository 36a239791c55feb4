// SPDX-License-Identifier: Apache-2.0
// sdk_auth.mjs - an SDK client that is sent to an authorization server by the gateway's 401.
//
// `node sdk_auth.mjs MODULES serve PORT AUDIENCE` is that server (oauth2-mock-server; it ends with its standard input);
// `node sdk_auth.mjs MODULES go URL` is the client: it prints what it is listed once it has a token.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, what, ...rest] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(modules + "/").resolve(name)).href);

async function serve(port, audience) {
  const { OAuth2Server } = await load("oauth2-mock-server");
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  server.service.on("beforeTokenSigning", (token) => Object.assign(token.payload, { aud: audience, sub: "alice" }));
  await server.start(Number(port), "127.0.0.1");
  console.log(server.issuer.url);
  process.stdin.resume().on("end", () => process.exit(0));
}

class Provider {
  redirectUrl = "http://127.0.0.1:1/callback";
  clientMetadata = { client_name: "test", redirect_uris: [this.redirectUrl], grant_types: ["authorization_code"],
                     response_types: ["code"], token_endpoint_auth_method: "none" };
  clientInformation() { return { client_id: "sdk" }; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  async redirectToAuthorization(url) { // what a browser would do
    const r = await fetch(url, { redirect: "manual" });
    this.code = new URL(r.headers.get("location")).searchParams.get("code");
    console.log("resource " + url.searchParams.get("resource"));
  }
}

async function go(url) {
  const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
  const { StreamableHTTPClientTransport } = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");
  const provider = new Provider();
  const open = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  const client = () => new Client({ name: "sdk-auth", version: "1" });
  const first = open();
  try {
    await client().connect(first);
    throw new Error("it got in without a token");
  } catch (e) {
    if (!provider.code) throw e;
  }
  await first.finishAuth(provider.code);
  const second = client();
  await second.connect(open());
  const { tools } = await second.listTools();
  console.log("tools " + tools.map((t) => t.name).join(" "));
  await second.close();
}

await (what === "serve" ? serve(...rest) : go(...rest));
