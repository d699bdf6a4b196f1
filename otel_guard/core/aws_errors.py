"""Which row of the severity table a failure of an AWS service falls into."""

from typing import Final

from otel_guard.core.error_class import by_chain, by_name, by_status

# Parts of error codes, in small letters, most telling first; the first that fits wins.
_BY_CODE: Final = (
    ("throttl", "rate_limit"),
    ("toomanyrequests", "rate_limit"),
    ("requestlimitexceeded", "rate_limit"),
    ("throughputexceeded", "rate_limit"),
    ("slowdown", "rate_limit"),
    ("sendingpaused", "quota"),
    ("accountsuspended", "quota"),
    ("quotaexceeded", "quota"),
    ("limitexceeded", "quota"),
    ("accessdenied", "auth"),
    ("unauthorized", "auth"),
    ("token", "auth"),
    ("unrecognizedclient", "auth"),
    ("signature", "auth"),
    ("accesskey", "auth"),
    ("authfailure", "auth"),
    ("optinrequired", "auth"),
    ("notverified", "config"),
    ("nosuchbucket", "config"),
    ("doesnotexist", "config"),  # a configuration set, a template, a queue
    ("nonexistentqueue", "config"),
    ("resourcenotfound", "config"),  # a table
    ("permanentredirect", "config"),
    ("malformedheader", "config"),
    ("noregion", "config"),
    ("conditionalcheckfailed", "contention"),
    ("transaction", "contention"),
    ("operationaborted", "contention"),
    ("concurrentmodification", "contention"),
    ("requesttimeout", "timeout"),
    ("internal", "server"),
    ("serviceunavailable", "server"),
    ("servicefailure", "server"),
    ("nosuchkey", "client"),
    ("validation", "client"),
    ("invalidparameter", "client"),
)
_REJECTED: Final = "messagerejected"


def error_class(code: str, status: int | None, message: str) -> str:
    """Error class of an answer; *message* is only looked into where a code means several things."""
    flat = code.lower().replace("_", "")
    if flat.startswith(_REJECTED):
        return "config" if "not verified" in message else "content"
    if "quota exceeded" in message:  # SES says Throttling for its daily quota too
        return "quota"
    found = next((found for part, found in _BY_CODE if part in flat), None)
    return found or by_status(status) or by_name(code) or "unknown"


def class_of_exception(exc: BaseException) -> str:
    """Error class where there was no answer: no connection, no credentials, wrong parameters."""
    name = type(exc).__name__.lower()
    return next((found for part, found in _BY_CODE if part in name), None) or by_chain(exc) or "unknown"
