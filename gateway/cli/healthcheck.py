"""`healthcheck`: ask the gateway on this machine whether it is alive, as a container's health check does."""

import ssl
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from gateway.config import Settings
from gateway.core.errors import ConfigurationError

_SECONDS = 5.0
_OF_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def health_problem(settings: Settings) -> str | None:
    """Why `/healthz` does not say 200, None where it does. Raises ConfigurationError where REST is off."""
    if "rest" not in settings.gateway.adapters:
        raise ConfigurationError("there is nobody to ask: the adapter rest is not among [gateway] adapters")
    rest = settings.rest
    scheme = "http" if rest.tls_certificate is None else "https"
    host = _OF_EVERY_INTERFACE.get(rest.host, rest.host)
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{rest.port}/healthz"
    # The certificate is made out to the name that the outside uses, and this connection never leaves the machine.
    context = ssl._create_unverified_context()
    try:
        with build_opener(ProxyHandler({}), HTTPSHandler(context=context)).open(url, timeout=_SECONDS):
            return None
    except OSError as error:
        return f"{url}: {error}"
