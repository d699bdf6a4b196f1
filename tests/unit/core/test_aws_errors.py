import pytest

from otel_guard.core import aws_errors


@pytest.mark.parametrize(
    ("code", "status", "message", "error_class"),
    [
        ("ThrottlingException", 400, "", "rate_limit"),
        ("ProvisionedThroughputExceededException", 400, "", "rate_limit"),
        ("SlowDown", 503, "", "rate_limit"),
        ("Throttling", 400, "daily message quota exceeded.", "quota"),
        ("LimitExceededException", 400, "", "quota"),
        ("AccountSendingPausedException", 400, "", "quota"),
        ("AccessDenied", 403, "", "auth"),
        ("ExpiredToken", 400, "", "auth"),
        ("SignatureDoesNotMatch", 403, "", "auth"),
        ("InvalidAccessKeyId", 403, "", "auth"),
        ("NoSuchBucket", 404, "", "config"),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, "", "config"),
        ("MailFromDomainNotVerifiedException", 400, "", "config"),
        ("MessageRejected", 400, "email address is not verified.", "config"),
        ("MessageRejected", 400, "illegal content", "content"),
        ("ConditionalCheckFailedException", 400, "", "contention"),
        ("RequestTimeout", 400, "", "timeout"),
        ("InternalError", 500, "", "server"),
        ("NoSuchKey", 404, "", "client"),
        ("404", 404, "not found", "client"),
        ("Whatever", 502, "", "server"),
        ("Whatever", None, "", "unknown"),
    ],
)
def test_an_answer_falls_into_its_class(code: str, status: int | None, message: str, error_class: str) -> None:
    assert aws_errors.error_class(code, status, message) == error_class


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("EndpointConnectionError", "connection"),
        ("ConnectTimeoutError", "timeout"),
        ("ReadTimeoutError", "timeout"),
        ("NoCredentialsError", "auth"),
        ("NoRegionError", "config"),
        ("ParamValidationError", "client"),
        ("Strange", "unknown"),
    ],
)
def test_no_answer_falls_into_its_class(name: str, error_class: str) -> None:
    assert aws_errors.class_of_exception(type(name, (Exception,), {})()) == error_class
