"""openai: the official instrumentor's spans; no content of prompts or answers unless its own variable asks."""

from typing import Final

from otel_guard.instrumentation._engine import Adopt, Instrumentation, instrumentor

_CHAT: Final = "openai.resources.chat.completions"
_EMBEDDINGS: Final = "openai.resources.embeddings"

OPENAI: Final = Instrumentation(
    name="openai",
    requires="openai >= 1.26",
    context="ai",
    system="openai",
    targets=(
        Adopt(
            module="openai.resources",  # loaded at the first use of a client: `import openai` stays as quick as it is
            adopt=instrumentor("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
            needs=(
                (_CHAT, "Completions.create"),
                (_CHAT, "AsyncCompletions.create"),
                (_EMBEDDINGS, "Embeddings.create"),
                (_EMBEDDINGS, "AsyncEmbeddings.create"),
            ),
        ),
    ),
)
