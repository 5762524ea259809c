"""The first API key: made and shown once, when the gateway finds none."""

import asyncio
import sys

import structlog

from gateway.core.errors import LogUnavailable
from gateway.core.ports import ApiKeys

log = structlog.get_logger(__name__)

_RETRY = 1.0

_MESSAGE = """
  The REST API wants an API key. This is the first one, with scope admin; it is shown this once:

      {secret}

  Try it:  curl -H "Authorization: Bearer {secret}" {url}/v1/chargers
  Make more, with less power, by POST {url}/v1/api-keys; see {url}/docs.

"""


async def ensure_first_key(keys: ApiKeys, *, url: str) -> None:
    """Make an admin key and show it on stderr, unless there are keys already; waits while Redis is away.

    It goes to the terminal and not into the log: a log is kept and shipped, a secret must not be.
    """
    while True:
        try:
            made = await keys.create_first("first key", "admin")
            break
        except LogUnavailable:
            await asyncio.sleep(_RETRY)
    if made is None:
        return
    key, secret = made
    log.info("first api key made", key=key.id, scope=key.scope)
    sys.stderr.write(_MESSAGE.format(secret=secret, url=url))
    sys.stderr.flush()
