# SPDX-License-Identifier: Apache-2.0
"""docs/fidelity.md from the runs: client dialect x feature x provider. Every check of a suite proves one
feature; a cell is full when all of them pass."""
import re

from sdk_limits import REFUSED, limit_of
from sdk_world import PROVIDERS

# (heading, suite, [(feature, checks)]): the first that matches counts
TABLES = [
    ("Chat completions", "openai-sdk", [
        ("text, several turns, system", r"chat\.(plain|multi_turn|system_developer_roles)"),
        ("streams, with usage", r"chat\.stream(\.include_usage|\.unicode_split|\.ttft.*)?"),
        ("tools", r"chat\.(tools|runTools)"),
        ("several calls at once", r"chat\.tools\.parallel"),
        ("tools, streamed", r"chat\.tools\.stream(_helper)?"),
        ("JSON Schema", r"chat\.json_schema"),
        ("JSON without a schema", r"chat\.json_object"),
        ("images", r"chat\.image_url"),
        ("documents", r"chat\.file_part"),
        ("audio, as bytes", r"chat\.input_audio"),
        ("audio, by URL", r"chat\.audio_url"),
        ("video, by URL", r"chat\.video_url"),
        ("reasoning effort", r"chat\.reasoning_effort"),
        ("why it stopped", r"chat\.finish_length"),
        ("errors, retry-after", r"chat\.(error|chaos|retry)\..*"),
        ("a cut stream is an error", r"chat\.stream\.upstream_.*"),
        ("the client leaves", r"chat\.abort.*"),
    ]),
    ("Responses", "openai-sdk", [
        ("text, several turns, instructions", r"responses\.(plain|instructions_system|multi_turn\..*)"),
        ("streams", r"responses\.(stream\.event_order|stream_helper)"),
        ("tools", r"responses\.tools"),
        ("tools, streamed", r"responses\.tools\.stream"),
        ("JSON Schema", r"responses\.json_schema"),
        ("images", r"responses\.input_image"),
        ("reasoning items", r"responses\.reasoning_items"),
        ("why it stopped, with usage", r"responses\.(incomplete_max_tokens|stream\.incomplete_has_usage)"),
        ("errors", r"responses\.error\..*"),
        ("the client leaves", r"responses\.abort"),
    ]),
    ("Messages", "anthropic-sdk", [
        ("text, system, cache marks", r"messages\.(plain|system_.*|unicode|beta_header)"),
        ("streams, with usage", r"messages\.(stream\.raw_order|stream_helper\.usage)"),
        ("tools", r"messages\.tools"),
        ("results with images, failed results", r"messages\.tools\.result_blocks_and_error"),
        ("tools, streamed", r"messages\.tools\.(mixed_)?stream"),
        ("JSON Schema", r"messages\.structured_output"),
        ("images, as bytes", r"messages\.image_base64"),
        ("images, by URL", r"messages\.image_url"),
        ("documents", r"messages\.document_pdf"),
        ("thinking with signatures", r"messages\.thinking(\.stream)?"),
        ("redacted thinking", r"messages\.redacted_thinking"),
        ("thinking given back", r"messages\.thinking\.multi_turn_roundtrip"),
        ("effort", r"messages\.effort_xhigh"),
        ("why it stopped", r"messages\.max_tokens_stop"),
        ("count_tokens", r"messages\.count_tokens"),
        ("errors, retry-after", r"messages\.error\..*"),
        ("a cut stream is an error", r"messages\.stream\.upstream_.*"),
        ("the client leaves", r"messages\.abort.*"),
        ("models", r"models\.list"),
    ]),
    ("Other endpoints of OpenAI", "openai-sdk", [
        ("embeddings, of one text", r"embeddings\.(string|dimensions|error)"),
        ("embeddings, of a list", r"embeddings\.array"),
        ("embeddings, as base64", r"embeddings\.base64_default"),
        ("transcription", r"audio\.transcription\.(json|verbose_json|big_.*)"),
        ("transcription as text, srt, vtt", r"audio\.transcription\.(text|srt|vtt)"),
        ("transcription, streamed", r"audio\.transcription\.stream"),
        ("translation of speech", r"audio\.translation"),
        ("speech", r"audio\.speech"),
        ("images", r"images\.generate"),
        ("models", r"models\.list"),
    ]),
]
HEAD = """# Fidelity: what survives between which client and which provider

Written by `tests/clients/sdks BINARY --write` from runs of OpenAI's and Anthropic's own SDKs through the gateway
to a provider mock, every provider behind each of them; CI runs them again and fails when this page says something else.

`yes` every check of the feature passed. `yes (n)` passed, and what note n names was dropped and said to be
(`x-sallyport-dropped`). `- (n)` the provider's own limit: the request is refused with 400 in the client's shape.
`part (n)` the provider never sends what note n names; all else is there.
"""


class Notes:
    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def dropped_in(checks):
    names = sorted({name for _, _, answers in checks.values() for a in answers for name in a.get("dropped") or []})
    return "dropped: " + ", ".join(f"`{n}`" for n in names) if names else None


def cell(run, feature, notes):
    checks = {c: at for c, at in run.checks.items() if re.fullmatch(feature, c)}
    if not checks:
        return "?"
    failed = {c: limit_of(run.provider, run.suite, c) for c, at in checks.items() if not at[0]}
    if any(limit is None for limit in failed.values()):
        return "FAILED"
    if failed:
        limit = next(iter(failed.values()))
        return f"{'-' if limit.kind == REFUSED else 'part'} ({notes.number(limit.reason)})"
    dropped = dropped_in(checks)
    return f"yes ({notes.number(dropped)})" if dropped else "yes"


def unassigned(runs):
    """Checks that prove no feature of the tables."""
    known = [(suite, checks) for _, suite, features in TABLES for _, checks in features]
    return sorted({f"{r.suite}: {c}" for r in runs if any(s == r.suite for s, _ in known) for c in r.checks
                   if not any(s == r.suite and re.fullmatch(f, c) for s, f in known)})


def matrix(runs):
    notes, lines = Notes(), [HEAD]
    by = {(r.suite, r.provider): r for r in runs}
    for heading, suite, features in TABLES:
        lines += [f"## {heading}", "| | " + " | ".join(PROVIDERS) + " |", "|---" * (len(PROVIDERS) + 1) + "|"]
        for feature, checks in features:
            cells = [cell(by[suite, p], checks, notes) for p in PROVIDERS]
            lines.append(f"| {feature} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += ["## Notes"] + [f"{i}. {text}" for i, text in enumerate(notes.texts, 1)]
    lines += [f"\nNo feature: {c}" for c in unassigned(runs)]
    return "\n".join(lines) + "\n"
