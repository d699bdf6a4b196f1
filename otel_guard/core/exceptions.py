"""The tree of our exceptions; a class docstring is its default message."""


class OtelGuardError(Exception):
    """otel-guard could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__ or type(self).__name__)


class NotConfiguredError(OtelGuardError):
    """otel-guard is not configured: call otel_guard.configure() first, or start with `otel-guard run`."""


class SettingsError(OtelGuardError):
    """A setting is wrong."""


class StoreUnavailableError(OtelGuardError):
    """Postgres did not answer; records wait in the journal."""


class SchemaError(OtelGuardError):
    """The schema otel_guard is missing or too old: run `otel-guard migrate`."""


class MigrationError(OtelGuardError):
    """A migration could not be applied."""


class MissingExtraError(OtelGuardError):
    """An optional library is missing."""
