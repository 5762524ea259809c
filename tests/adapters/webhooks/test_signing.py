import base64

import pytest

from adapters.webhooks.signing import signed_headers, signing_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_that_of_the_standard_s_own_example() -> None:
    body = b'{"test": 2432232314}'
    headers = signed_headers(signing_key(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_without_a_key_a_message_is_named_and_not_signed() -> None:
    assert signed_headers(None, "a", 1, b"{}") == {"webhook-id": "a", "webhook-timestamp": "1"}


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_äääääääääääääääääääääääääääää",
        "correct horse battery staple correct horse",
    ],
)
def test_what_is_no_secret_is_refused_with_the_way_to_make_one(secret: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32") as told:
        signing_key(secret)
    assert len(secret) < 10 or secret not in str(told.value)
