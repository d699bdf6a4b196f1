"""google-genai: the official instrumentor's spans; no content of prompts or answers unless its own variable asks."""

from typing import Final

from otel_guard.instrumentation._engine import Adopt, Instrumentation, instrumentor

_MODELS: Final = "google.genai.models"

GOOGLE_GENAI: Final = Instrumentation(
    name="google-genai",
    requires="google-genai >= 1.32",
    context="ai",
    system="gcp.gemini",
    targets=(
        Adopt(
            module=_MODELS,
            adopt=instrumentor("opentelemetry.instrumentation.google_genai", "GoogleGenAiSdkInstrumentor"),
            # It says `< 3`; what it wraps is there in 3 too, and that is what we look at.
            needs=(
                (_MODELS, "Models.generate_content"),
                (_MODELS, "Models.generate_content_stream"),
                (_MODELS, "Models.embed_content"),
                (_MODELS, "AsyncModels.generate_content"),
                (_MODELS, "AsyncModels.generate_content_stream"),
                (_MODELS, "AsyncModels.embed_content"),
                (_MODELS, "t.t_contents"),
                ("google.genai.types", "GenerateContentResponse"),
                ("google.genai.errors", "APIError"),
            ),
        ),
    ),
)
