"""Dotted attribute names: OpenTelemetry's, and our own (instrumentation.md, section 12)."""

from typing import Final

ASGI_EVENT_TYPE: Final = "asgi.event.type"
CELERY_ACTION: Final = "celery.action"
CELERY_TASK_NAME: Final = "celery.task_name"
CODE_FILE_PATH: Final = "code.file.path"
CODE_FUNCTION_NAME: Final = "code.function.name"
CODE_LINE_NUMBER: Final = "code.line.number"
DB_CLIENT_CONNECTION_POOL_NAME: Final = "db.client.connection.pool.name"
DB_NAME: Final = "db.name"
DB_NAMESPACE: Final = "db.namespace"
DB_OPERATION_BATCH_SIZE: Final = "db.operation.batch.size"
DB_OPERATION_NAME: Final = "db.operation.name"
DB_QUERY_SUMMARY: Final = "db.query.summary"
DB_QUERY_TEXT: Final = "db.query.text"
DB_RESPONSE_STATUS_CODE: Final = "db.response.status_code"
DB_STATEMENT: Final = "db.statement"
DB_STATEMENT_PARAMETERS: Final = "db.statement.parameters"
DB_SYSTEM: Final = "db.system"
DB_SYSTEM_NAME: Final = "db.system.name"
DB_USER: Final = "db.user"
DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
EMAIL_ATTACHMENT_COUNT: Final = "email.attachment.count"
EMAIL_MESSAGE_COUNT: Final = "email.message.count"
EMAIL_MESSAGE_ID: Final = "email.message_id"
EMAIL_MESSAGE_SIZE: Final = "email.message.size"
EMAIL_OPERATION_NAME: Final = "email.operation.name"
EMAIL_PROVIDER_NAME: Final = "email.provider.name"
EMAIL_RECIPIENT_COUNT: Final = "email.recipient.count"
EMAIL_RECIPIENT_REJECTED_COUNT: Final = "email.recipient.rejected.count"
EMAIL_TEMPLATE_ID: Final = "email.template.id"
ERROR_CODE: Final = "error.code"
ERROR_TYPE: Final = "error.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_TYPE: Final = "exception.type"
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
GEN_AI_SYSTEM: Final = "gen_ai.system"
GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - a kind of tokens, not one
GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GUARD_CONTEXT: Final = "otel_guard.context"
GUARD_KEEP: Final = "otel_guard.keep"
GUARD_LIBRARY: Final = "otel_guard.library"
GUARD_NOISY: Final = "otel_guard.noisy"
GUARD_OUTCOME: Final = "otel_guard.outcome"
GUARD_SEVERITY: Final = "otel_guard.severity"
GUARD_SLOW: Final = "otel_guard.slow"
GUARD_SYSTEM: Final = "otel_guard.system"
HTTP_METHOD: Final = "http.method"
HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_REQUEST_RESEND_COUNT: Final = "http.request.resend_count"
HTTP_RESPONSE_HEADER_REQUEST_ID: Final = "http.response.header.x-request-id"
HTTP_RESPONSE_HEADER_RETRY_AFTER: Final = "http.response.header.retry-after"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS_CODE: Final = "http.status_code"
HTTP_TARGET: Final = "http.target"
HTTP_URL: Final = "http.url"
MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
MESSAGING_SYSTEM: Final = "messaging.system"
NET_PEER_NAME: Final = "net.peer.name"
NET_PEER_PORT: Final = "net.peer.port"
PAYMENT_AMOUNT: Final = "payment.amount"
PAYMENT_CURRENCY: Final = "payment.currency"
PAYMENT_IDEMPOTENCY_KEY: Final = "payment.idempotency_key"
PAYMENT_OPERATION_NAME: Final = "payment.operation.name"
PAYMENT_PROVIDER_NAME: Final = "payment.provider.name"
PAYMENT_RESOURCE_ID: Final = "payment.resource.id"
PAYMENT_RESOURCE_TYPE: Final = "payment.resource.type"
PAYMENT_STATUS: Final = "payment.status"
PAYMENT_WEBHOOK_EVENT_CREATED: Final = "payment.webhook.event.created"
PAYMENT_WEBHOOK_EVENT_ID: Final = "payment.webhook.event.id"
PAYMENT_WEBHOOK_EVENT_TYPE: Final = "payment.webhook.event.type"
PAYMENT_WEBHOOK_OUTCOME: Final = "payment.webhook.outcome"
PAYMENT_WEBHOOK_STAGE: Final = "payment.webhook.stage"
PAYMENT_WEBHOOK_VERIFIED: Final = "payment.webhook.verified"
RPC_METHOD: Final = "rpc.method"
RPC_SERVICE: Final = "rpc.service"
RPC_SYSTEM: Final = "rpc.system"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
SMTP_ENHANCED_STATUS_CODE: Final = "smtp.response.enhanced_status_code"
SMTP_STATUS_CODE: Final = "smtp.response.status_code"
STRIPE_ACCOUNT_ID: Final = "stripe.account.id"
STRIPE_API_VERSION: Final = "stripe.api.version"
STRIPE_ERROR_CODE: Final = "stripe.error.code"
STRIPE_ERROR_DECLINE_CODE: Final = "stripe.error.decline_code"
STRIPE_ERROR_TYPE: Final = "stripe.error.type"
STRIPE_LIVEMODE: Final = "stripe.livemode"
STRIPE_REQUEST_ID: Final = "stripe.request.id"
URL_FULL: Final = "url.full"
URL_PATH: Final = "url.path"
URL_TEMPLATE: Final = "url.template"
USER_ID: Final = "user.id"
ENDUSER_ID: Final = "enduser.id"

# Values of these never hold a secret (redaction.md, sections 1 and 4): methods, statuses, systems, ports, ids, names
# of models and code. The redacting exporters skip them.
SAFE_KEYS: Final = frozenset(
    {
        CODE_FILE_PATH,
        CODE_FUNCTION_NAME,
        CODE_LINE_NUMBER,
        DB_OPERATION_NAME,
        DB_RESPONSE_STATUS_CODE,
        DB_SYSTEM,
        DB_SYSTEM_NAME,
        EMAIL_OPERATION_NAME,
        EMAIL_PROVIDER_NAME,
        GEN_AI_OPERATION_NAME,
        GEN_AI_PROVIDER_NAME,
        GEN_AI_REQUEST_MODEL,
        GEN_AI_SYSTEM,
        GUARD_CONTEXT,
        GUARD_OUTCOME,
        GUARD_SYSTEM,
        HTTP_METHOD,
        HTTP_REQUEST_METHOD,
        HTTP_REQUEST_RESEND_COUNT,
        HTTP_RESPONSE_STATUS_CODE,
        HTTP_STATUS_CODE,
        MESSAGING_SYSTEM,
        NET_PEER_NAME,
        NET_PEER_PORT,
        PAYMENT_OPERATION_NAME,
        PAYMENT_PROVIDER_NAME,
        PAYMENT_RESOURCE_TYPE,
        PAYMENT_WEBHOOK_EVENT_CREATED,
        PAYMENT_WEBHOOK_EVENT_TYPE,
        RPC_METHOD,
        RPC_SERVICE,
        RPC_SYSTEM,
        SERVER_ADDRESS,
        SERVER_PORT,
        "client.address",
        "client.port",
        "db.operation.batch.size",
        "db.response.returned_rows",
        "email.recipient.count",
        "email.recipient.rejected.count",
        "exception.escaped",
        "exception.type",
        "gen_ai.request.max_tokens",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "host.arch",
        "host.id",
        "host.name",
        "http.flavor",
        "http.host",
        "http.request.body.size",
        "http.response.body.size",
        "http.scheme",
        "http.server_name",
        "net.host.name",
        "net.host.port",
        "net.peer.ip",
        "network.local.address",
        "network.peer.address",
        "network.peer.port",
        "network.protocol.name",
        "network.protocol.version",
        "network.transport",
        "network.type",
        "os.type",
        "os.version",
        "payment.resource.id",
        "payment.status",
        "process.pid",
        "process.runtime.name",
        "process.runtime.version",
        "service.instance.id",
        "service.name",
        "service.namespace",
        "service.version",
        "smtp.response.enhanced_status_code",
        "smtp.response.status_code",
        "stripe.account.id",
        "stripe.api.version",
        "stripe.livemode",
        "stripe.request.id",
        "telemetry.distro.name",
        "telemetry.distro.version",
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
        "thread.id",
        "url.scheme",
    }
)
