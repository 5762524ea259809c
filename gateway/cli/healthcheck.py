"""`healthcheck`: ask the gateway on this machine whether it is alive, as a container's health check does."""

from gateway.cli.rest_access import SECONDS, opener, rest_url
from gateway.config import Settings
from gateway.core.errors import ConfigurationError


def health_problem(settings: Settings) -> str | None:
    """Why `/healthz` does not say 200, None where it does. Raises ConfigurationError where REST is off."""
    if "rest" not in settings.gateway.adapters:
        raise ConfigurationError("there is nobody to ask: the adapter rest is not among [gateway] adapters")
    url = f"{rest_url(settings.rest)}/healthz"
    try:
        with opener().open(url, timeout=SECONDS):
            return None
    except OSError as error:
        return f"{url}: {error}"
