# SPDX-License-Identifier: Apache-2.0
"""What a provider cannot do, check by check of the suites, and why. Nothing else may fail."""
import re
from collections import namedtuple

# REFUSED: the request says what the provider has no word for; 400 in the client's shape.
# NONE: the provider never sends such a thing; everything else of the answer is there.
REFUSED, NONE = "refused", "none"
Limit = namedtuple("Limit", "kind providers checks reason")

OPENAI = "openai azure"
CLAUDE = "anthropic aws-anthropic gcp-anthropic"
GOOGLE = "vertex gemini"

LIMITS = [
    Limit(REFUSED, CLAUDE, r"chat\.(input_audio|audio_url|video_url)", "Claude takes text, images and documents: no audio, no video"),
    Limit(REFUSED, "bedrock", r"chat\.(audio_url|video_url)|messages\.image_url", "Converse takes a file's bytes or its s3:// place, no URL"),
    Limit(NONE, OPENAI, r"messages\.thinking(\.stream)?", "chat completions send thoughts without signatures"),
    Limit(NONE, OPENAI, r"messages\.redacted_thinking", "chat completions send no redacted thoughts"),
    Limit(NONE, GOOGLE, r"messages\.redacted_thinking", "Gemini sends summaries of its thoughts, nothing redacted"),
    Limit(REFUSED, OPENAI, r"messages\.count_tokens", "OpenAI counts only what is written as a responses request"),
    Limit(REFUSED, CLAUDE, r"embeddings\.(?!error).*", "Anthropic has no embeddings"),
    Limit(REFUSED, "bedrock", r"embeddings\.array", "Titan embeds one text a request"),
    Limit(REFUSED, CLAUDE, r"images\.generate", "Claude makes no images"),
    Limit(REFUSED, "bedrock", r"images\.generate", "Converse returns no images; each image model has an InvokeModel body of its own"),
    Limit(REFUSED, GOOGLE, r"images\.generate", "generateContent makes images within a conversation only; Imagen has an API of its own"),
    Limit(REFUSED, CLAUDE, r"audio\.speech", "Claude does not speak"),
    Limit(REFUSED, "bedrock", r"audio\.speech", "Bedrock's models speak only in a two-way session"),
    Limit(REFUSED, GOOGLE, r"audio\.speech", "generateContent gives raw PCM within a conversation, no file of sound"),
    Limit(REFUSED, "cohere", r"chat\.(input_audio|audio_url|video_url|file_part)|messages\.document_pdf", "Cohere takes text and images, no other files"),
    Limit(REFUSED, "cohere", r"messages\.tools\.result_blocks_and_error", "Cohere's results of tools hold text and documents, no images"),
    Limit(NONE, "cohere", r"messages\.thinking(\.stream)?|messages\.redacted_thinking", "Cohere signs no thoughts and redacts none"),
    Limit(NONE, "cohere", r"(chat\.tools\.stream_helper|messages\.tools\.mixed_stream)",
          "Cohere says its plan (tool_plan) beside its text: a client sees both as text"),
    Limit(REFUSED, "cohere", r"messages\.count_tokens", "Cohere counts plain text only, no conversation"),
    Limit(REFUSED, "cohere", r"audio\..*|images\.generate", "Cohere's API has no sound and makes no images"),
    Limit(REFUSED, CLAUDE, r"audio\.(transcription|translation).*", "Claude hears nothing"),
    Limit(REFUSED, "bedrock", r"audio\.(transcription|translation).*", "Bedrock transcribes nothing: that is Amazon Transcribe, a service of its own"),
    Limit(REFUSED, GOOGLE, r"audio\.(transcription|translation).*", "Gemini hears within a conversation; Speech-to-Text has an API of its own"),
]


def limit_of(provider, suite, check):
    """The limit that applies to this check, or None."""
    return next((at for at in LIMITS if provider in at.providers.split() and re.fullmatch(at.checks, check)), None)
