"""How `healthcheck` and `doctor` reach the REST API of the gateway that runs here with the same configuration."""

import ssl
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, build_opener

from adapters.rest.config import RestConfig

SECONDS = 5.0
"""How long an answer may take."""
_OF_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def rest_url(rest: RestConfig) -> str:
    """The URL by which this machine itself reaches it."""
    scheme = "http" if rest.tls_certificate is None else "https"
    host = _OF_EVERY_INTERFACE.get(rest.host, rest.host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{rest.port}"


def opener() -> OpenerDirector:
    """Opens such URLs, whatever name their certificate bears."""
    # It is made out to the name that the outside uses, and this connection never leaves the machine.
    context = ssl._create_unverified_context()
    return build_opener(ProxyHandler({}), HTTPSHandler(context=context))
