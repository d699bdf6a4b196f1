from otel_guard.core.sigv4 import Credentials, headers

MAY_24_2013_MS = 1_369_353_600_000
# The example "GET Bucket Lifecycle" of AWS's own description of the signature.
EXAMPLE = Credentials(key_id="AKIAIOSFODNN7" + "EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY")
SIGNATURE = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
URL = "https://examplebucket.s3.amazonaws.com/?lifecycle"


def test_the_example_of_aws_is_signed_as_there() -> None:
    signed = headers("GET", URL, EXAMPLE, region="us-east-1", now_ms=MAY_24_2013_MS)

    assert signed["x-amz-date"] == "20130524T000000Z"
    assert signed["Authorization"].endswith(f"Signature={SIGNATURE}")


def test_a_temporary_token_is_sent_and_signed() -> None:
    temporary = Credentials(key_id="K", secret="S", token="T")
    signed = headers("HEAD", URL, temporary, region="eu-west-1", now_ms=MAY_24_2013_MS)

    assert signed["x-amz-security-token"] == "T"
    assert "x-amz-date;x-amz-security-token" in signed["Authorization"]
