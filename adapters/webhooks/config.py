"""Section [webhooks]: the HTTP endpoint that is asked, and how."""

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from adapters.webhooks.signing import RESERVED_HEADERS, signing_key

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")


class WebhooksConfig(BaseModel):
    """Where questions are posted to that chains of [answers] with the step `webhook` ask; with a url alone, whether a
    token may charge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None, description="http:// or https:// URL that questions are posted to; none: there is no webhook"
    )
    secret: SecretStr | None = Field(
        None,
        description="Signs every request as Standard Webhooks has it: whsec_ and the base64 of 24 to 64 random bytes, "
        'made by: echo "whsec_$(openssl rand -base64 32)"',
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description='More headers of every request, such as { Authorization = "Bearer ..." }'
    )
    timeout: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] = Field(
        10, description="Seconds for one question at the most; the deadline of its chain may be earlier"
    )
    ca_file: Path | None = Field(None, description="PEM file with the CA that signed the endpoint's certificate")
    max_connections: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Requests under way at once; beyond that questions wait, within their deadline",
    )

    @field_validator("url")
    @classmethod
    def _url_is_an_endpoint(cls, url: str | None) -> str | None:
        if url is not None and not _is_endpoint(url):
            raise ValueError(
                "an endpoint's URL is http://host:port/path or https://host:port/path, and special characters of user "
                "name and password are percent-encoded (/ is %2F, # is %23)"
            )
        return url

    @field_validator("secret")
    @classmethod
    def _secret_makes_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            signing_key(secret.get_secret_value())
        return secret

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value.get_secret_value()):
                raise ValueError(f"{name!r} is no name of a header, or its value is not plain ASCII text")
            if name.lower() in RESERVED_HEADERS:
                raise ValueError(f"the gateway itself sets the header {name}")
        return headers

    @model_validator(mode="after")
    def _a_secret_is_for_an_endpoint(self) -> Self:
        if self.url is None and self.secret is not None:
            raise ValueError("secret signs requests to url: set webhooks.url too")
        return self


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not parts.fragment
            and parts.port != 0
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
