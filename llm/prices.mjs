// SPDX-License-Identifier: Apache-2.0
// Writes llm/prices.txt from the facts of the npm package @pydantic/genai-prices:
//   npm pack @pydantic/genai-prices && tar xzf pydantic-genai-prices-*.tgz
//   node llm/prices.mjs package DATE > llm/prices.txt        (DATE: when it was published)
// What a model has a price for is taken as of DATE. Models without one are left out: an unknown price
// is refused where money is counted, a price of 0 would not be. `sources` is the order in which sellers
// are looked through for a model of a backend that may be anybody's.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const sources = ["openai", "anthropic", "google", "cohere", "mistral", "deepseek", "x-ai", "moonshotai",
                 "perplexity", "voyageai", "aws", "azure", "groq"];
const [, , directory, date] = process.argv;
const text = readFileSync(`${directory}/dist/index.cjs`, "utf8");
const version = JSON.parse(readFileSync(`${directory}/package.json`, "utf8")).version;
const start = text.indexOf("=[{id:") + 1;
const providers = runInNewContext(`(${text.slice(start, endOfList(start))})`);

function endOfList(at) {
  let depth = 0, quote = "";
  for (; ; at++) {
    const c = text[at];
    if (quote) { if (c === "\\") at++; else if (c === quote) quote = ""; }
    else if ("\"'`".includes(c)) quote = c;
    else if (c === "[") depth++;
    else if (c === "]" && --depth === 0) return at + 1;
  }
}

function globs(match) {
  if (match.or) return match.or.flatMap(globs);
  if (match.and) return globs(match.and[0]); // the second one excepts names that have rows of their own
  if (match.equals) return [match.equals];
  if (match.starts_with) return [`${match.starts_with}*`];
  if (match.contains) return [`*${match.contains}*`];
  if (match.ends_with) return [`*${match.ends_with}`];
  const dated = /^\^([\w.-]+)-\\d\{8\}\$$/.exec(match.regex ?? "");
  return dated ? [`${dated[1]}-????????`] : [];
}

const valid = (p) => !p.constraint || (p.constraint.start_date && p.constraint.start_date <= date);
const current = (prices) => (Array.isArray(prices) ? prices.findLast(valid)?.prices : prices) ?? {};
const base = (p) => (typeof p === "object" ? p.base : p);
const tier = (p) => (typeof p === "object" && p.tiers.length ? p.tiers[p.tiers.length - 1] : undefined);

// Of what a model answers in, the dearest counts: tokens of sound and pictures are not counted apart.
function row(prices, of) {
  const outputs = Object.keys(prices).filter((k) => /^output_(image_|audio_|video_)?mtok$/.test(k));
  const all = [of(prices.input_mtok), outputs.length ? Math.max(...outputs.map((k) => of(prices[k]))) : 0,
               of(prices.cache_read_mtok), of(prices.cache_write_mtok), of(prices.cache_write_1h_mtok),
               of(prices.output_reasoning_mtok), prices.requests_kcount && of(prices.requests_kcount) / 1000];
  while (all.at(-1) === undefined) all.pop();
  return all.map((v) => (v === undefined ? "-" : v.toFixed(6).replace(/\.?0+$/, ""))).join(" ");
}

const lines = [];
for (const id of sources) {
  const seen = new Set();
  lines.push(`= ${id}`);
  for (const model of providers.find((p) => p.id === id).models) {
    const prices = current(model.prices);
    if (prices.input_mtok === undefined) continue;
    const from = tier(prices.input_mtok)?.start;
    const above = from === undefined ? "" : ` > ${from} ${row(prices, (p) => tier(p)?.price ?? base(p))}`;
    for (const name of globs(model.match)) {
      if (seen.has(name)) continue;
      seen.add(name);
      lines.push(`${name} ${row(prices, base)}${above}`);
    }
  }
}
console.log(`# USD per million tokens, as they were on the date below: facts of @pydantic/genai-prices ${version} (MIT licence),
# written by llm/prices.mjs. Built into the program; docs/prices.md says how to put others in their place.
# "= SELLER", then: model, input, output, cached input, cache write, cache write for an hour, reasoning, USD a request;
# "-": as what it is a kind of. "> TOKENS": for all of a call whose prompt is longer.
@ ${date}
${lines.join("\n")}`);
