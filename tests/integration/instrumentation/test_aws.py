"""AWS against moto: a real server that speaks its protocols."""

from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)
from moto.server import ThreadedMotoServer
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode

from otel_guard.core import semconv
from otel_guard.demo.standins._http import Response, as_json, serve
from otel_guard.instrumentation.botocore import BOTOCORE
from tests.integration.instrumentation.capturing import Capturing
from tests.unit.instrumentation.conftest import MakeWorld

SUBJECT = "A very private subject"
SENT = "email.client.sent.messages"
SHOP = "shop@example.org"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def capturing(make_world: MakeWorld) -> Capturing:
    return Capturing(make_world, BOTOCORE)


def client_of(service: str, url: str, **more: Any) -> Any:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"} | more
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2)
    return boto3.client(service, region_name="eu-west-1", endpoint_url=url, config=config, **keys)


def mail(*to: str, sender: str = SHOP) -> dict[str, Any]:
    content = {"Simple": {"Subject": {"Data": SUBJECT}, "Body": {"Text": {"Data": "Thank you"}}}}
    return {"FromEmailAddress": sender, "Destination": {"ToAddresses": list(to)}, "Content": content}


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_mail_by_ses_is_email(capturing: Capturing, url: str) -> None:
    ses = client_of("ses", url)
    ses.verify_email_identity(EmailAddress=SHOP)
    body = {"Subject": {"Data": SUBJECT}, "Body": {"Text": {"Data": "Thank you"}}}
    to = {"ToAddresses": ["ann@example.org"], "CcAddresses": ["bob@example.org"]}
    ses.send_email(Source=SHOP, Destination=to, Message=body)

    span = capturing.spans()[-1]
    found = attributes_of(span)
    assert (span.name, span.kind, span.status.status_code) == ("SES.SendEmail", SpanKind.CLIENT, StatusCode.UNSET)
    assert (found[semconv.EMAIL_PROVIDER_NAME], found[semconv.EMAIL_OPERATION_NAME]) == ("aws.ses", "send")
    assert found[semconv.EMAIL_RECIPIENT_COUNT] == 2
    assert found[semconv.EMAIL_MESSAGE_ID]
    assert [point.value for point in capturing.points(SENT)] == [1]
    (duration,) = capturing.points("email.client.operation.duration")
    assert dict(duration.attributes) == {
        semconv.EMAIL_PROVIDER_NAME: "aws.ses",
        semconv.EMAIL_OPERATION_NAME: "send",
        semconv.SERVER_ADDRESS: "127.0.0.1",
    }
    assert capturing.records() == []
    assert "@" not in capturing.everything()
    assert SUBJECT not in capturing.everything()


def test_an_unverified_sender_is_told_without_its_address(capturing: Capturing, url: str) -> None:
    ses = client_of("sesv2", url)
    params = mail("ann@example.org", sender="stranger@example.org")
    with pytest.raises(ClientError):
        ses.send_email(**params)

    assert capturing.graded() == ("email", "aws.ses", "config", "high")
    span = capturing.spans()[-1]
    assert capturing.record().operation == "SendEmail"
    assert capturing.record().message == span.status.description
    assert attributes_of(span)[semconv.ERROR_TYPE] == "MessageRejected"
    assert "@" not in capturing.everything()
    assert capturing.points(SENT) == []


@pytest.fixture
def bulk() -> Iterator[str]:
    """moto knows no status of its own for each mail of a bulk."""
    entries = [{"Status": "SUCCESS", "MessageId": "1"}, {"Status": "MAIL_FROM_DOMAIN_NOT_VERIFIED", "Error": SHOP}]
    running = serve(lambda _: as_json(200, {"BulkEmailEntryResults": entries}))
    yield running.url
    running.stop()


def test_without_an_sdk_a_mail_that_was_not_sent_is_a_record_all_the_same(make_world: MakeWorld, url: str) -> None:
    capturing = Capturing(make_world, BOTOCORE, tracer_provider=NoOpTracerProvider())
    params = mail("ann@example.org", sender="stranger@example.org")
    with pytest.raises(ClientError):
        client_of("sesv2", url).send_email(**params)

    assert capturing.graded() == ("email", "aws.ses", "config", "high")
    assert capturing.record().trace_id is None
    assert "@" not in capturing.everything()


def test_a_bulk_of_which_some_are_refused_is_partial(capturing: Capturing, bulk: str) -> None:
    entries = [{"Destination": {"ToAddresses": [to]}} for to in ("ann@example.org", "bob@example.org")]
    content = {"Template": {"TemplateName": "thanks", "TemplateData": "{}"}}
    client_of("sesv2", bulk).send_bulk_email(FromEmailAddress=SHOP, BulkEmailEntries=entries, DefaultContent=content)

    found = attributes_of(capturing.world.span())
    assert found[semconv.EMAIL_MESSAGE_COUNT] == 2
    assert found[semconv.EMAIL_TEMPLATE_ID] == "thanks"
    assert found[semconv.GUARD_OUTCOME] == "partial"
    assert capturing.graded() == ("email", "aws.ses", "rejected", "low")
    assert capturing.record().message == "1 of 2 mails refused: MAIL_FROM_DOMAIN_NOT_VERIFIED"
    assert [point.value for point in capturing.points(SENT)] == [1]
    assert [point.value for point in capturing.points("email.client.rejected.recipients")] == [1]
    assert "@" not in capturing.everything()


@pytest.mark.parametrize(
    ("status", "code", "message", "error_class", "severity"),
    [
        (400, "AccountSendingPausedException", "paused", "quota", "high"),
        (400, "Throttling", "Daily message quota exceeded.", "quota", "high"),
        (400, "Throttling", "Maximum sending rate exceeded.", "rate_limit", "medium"),
        (403, "InvalidClientTokenId", "The security token is invalid.", "auth", "high"),
        (400, "MessageRejected", "Illegal content", "content", "medium"),
        (400, "ConfigurationSetDoesNotExist", "No such set", "config", "high"),
        (503, "ServiceUnavailable", "Try later", "server", "medium"),
    ],
)
def test_a_refusal_of_ses_is_one_record_of_its_class(
    capturing: Capturing, status: int, code: str, message: str, error_class: str, severity: str
) -> None:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    running = serve(lambda _: Response(status, body.encode(), {"Content-Type": "text/xml"}))
    raw = {"Source": SHOP, "Destinations": ["ann@example.org"], "RawMessage": {"Data": b"x"}}
    with pytest.raises(ClientError):
        client_of("ses", running.url).send_raw_email(**raw)
    running.stop()

    assert capturing.graded() == ("email", "aws.ses", error_class, severity)
    assert capturing.record().message == f"{code}: HTTP {status}"
    (duration,) = capturing.points("email.client.operation.duration")
    assert duration.attributes[semconv.ERROR_TYPE] == code


def test_s3_is_storage_and_what_a_head_does_not_find_is_low(capturing: Capturing, url: str) -> None:
    s3 = client_of("s3", url)
    s3.create_bucket(Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with pytest.raises(ClientError):
        s3.head_object(Bucket="orders", Key="none")

    assert capturing.graded() == ("storage", "aws.s3", "client", "low")
    assert capturing.record().operation == "HeadObject"
    failed = [point for point in capturing.points("rpc.client.call.duration") if semconv.ERROR_TYPE in point.attributes]
    assert [point.attributes[semconv.ERROR_TYPE] for point in failed] == ["404"]


def test_a_missing_bucket_is_a_fault_of_the_configuration(capturing: Capturing, url: str) -> None:
    with pytest.raises(ClientError):
        client_of("s3", url).get_object(Bucket="nothing-here", Key="x")

    assert capturing.graded() == ("storage", "aws.s3", "config", "high")
    assert capturing.record().error_type.endswith("NoSuchBucket")


def test_a_table_of_dynamodb_is_database(capturing: Capturing, url: str) -> None:
    with pytest.raises(ClientError):
        client_of("dynamodb", url).get_item(TableName="nothing", Key={"id": {"S": "1"}})

    assert capturing.graded() == ("database", "aws.dynamodb", "config", "high")
    (duration,) = capturing.points("db.client.operation.duration")
    assert duration.attributes[semconv.DB_SYSTEM_NAME] == "aws.dynamodb"


def test_a_missing_queue_is_queue(capturing: Capturing, url: str) -> None:
    with pytest.raises(ClientError):
        client_of("sqs", url).get_queue_url(QueueName="nothing")

    assert capturing.graded() == ("queue", "aws.sqs", "config", "high")


@pytest.mark.parametrize(
    ("more", "error", "error_class", "severity"),
    [
        ({}, EndpointConnectionError, "connection", "medium"),
        ({"aws_access_key_id": None, "aws_secret_access_key": None}, NoCredentialsError, "auth", "high"),
    ],
)
def test_no_answer_is_one_record(
    capturing: Capturing,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    error: type[Exception],
    error_class: str,
    severity: str,
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ses = client_of("sesv2", "http://127.0.0.1:1", **more)
    params = mail("ann@example.org")
    with pytest.raises(error):
        ses.send_email(**params)

    assert capturing.graded() == ("email", "aws.ses", error_class, severity)
    assert "@" not in capturing.everything()


def test_a_call_that_succeeds_while_another_exception_is_handled_is_ok(capturing: Capturing, url: str) -> None:
    s3 = client_of("s3", url)
    try:
        s3.head_object(Bucket="none", Key="none")
    except ClientError:
        s3.list_buckets()

    assert capturing.spans()[-1].status.status_code is StatusCode.UNSET
    assert [record.operation for record in capturing.records()] == ["HeadObject"]


def test_the_applications_own_hooks_go_on(make_world: MakeWorld, url: str) -> None:
    called: list[str] = []
    theirs = BotocoreInstrumentor()  # type: ignore[no-untyped-call]
    theirs.instrument(
        request_hook=lambda _span, service, operation, _params: called.append(f"{service} {operation}"),
        response_hook=lambda _span, _service, _operation, result: called.append(max(result)),
    )
    try:
        capturing = Capturing(make_world, BOTOCORE)
        client_of("s3", url).list_buckets()
        capturing.world.engine.uninstrument()
        client_of("s3", url).list_buckets()
    finally:
        theirs.uninstrument()

    assert called == ["s3 ListBuckets", "ResponseMetadata"] * 2


def test_uninstrument_restores(capturing: Capturing, url: str) -> None:
    capturing.world.engine.uninstrument()

    client_of("s3", url).list_buckets()

    assert capturing.spans() == []
