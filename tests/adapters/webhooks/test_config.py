from typing import Any

import pytest
from pydantic import ValidationError

from adapters.webhooks.config import WebhooksConfig
from gateway.config import Loaded, Settings
from gateway.config_errors import Origins
from gateway.config_text import effective

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"url": "ftp://x/"}, "http://host:port/path"),
        ({"url": "http://"}, "http://host:port/path"),
        ({"url": "http://x:99999/"}, "http://host:port/path"),
        ({"url": "http://x/a b"}, "http://host:port/path"),
        ({"url": "http://x/#a"}, "http://host:port/path"),
        ({"url": "http://x/", "secret": "abc"}, "openssl rand"),
        ({"secret": SECRET}, "set webhooks.url"),
        ({"url": "http://x/", "headers": {"X Y": "1"}}, "no name of a header"),
        ({"url": "http://x/", "headers": {"X-Y": "1\r\nHost: evil"}}, "not plain ASCII"),
        ({"url": "http://x/", "headers": {"Webhook-Id": "1"}}, "sets the header Webhook-Id"),
        ({"url": "http://x/", "timeout": 0}, "greater than 0"),
    ],
)
def test_what_cannot_work_is_told(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        WebhooksConfig.model_validate(said)


def test_no_secret_is_shown() -> None:
    webhooks = WebhooksConfig.model_validate(
        {"url": "https://me:hidden@x/ask", "secret": SECRET, "headers": {"Authorization": "Bearer hidden"}}
    )
    shown = effective(Loaded(Settings(webhooks=webhooks), Origins(None)))
    assert 'Authorization" = "***"' in shown
    assert "hidden" not in shown
    assert SECRET not in shown + repr(webhooks)
