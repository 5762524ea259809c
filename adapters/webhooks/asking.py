"""Asks an HTTP endpoint: the question is posted, the response is the answer."""

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import structlog

from adapters.webhooks.config import WebhooksConfig
from adapters.webhooks.signing import signed_headers, signing_key
from gateway.core.clock import Clock
from gateway.core.errors import AskFailed
from gateway.core.events import to_json
from gateway.core.health import HealthBoard
from gateway.core.ports import Ask

_log = structlog.get_logger(__name__)

CHECK = "webhook"
MAX_ANSWER_BYTES = 256 * 1024
KEEPALIVE_SECONDS = 60.0


class WebhookAsker:
    """Implements Asker over a session of aiohttp, whose connections are kept alive and shared.

    A question is posted once. Only where the connection ends before any response (one that was kept alive too long
    does that) it is posted once more, with the same `webhook-id`, by which the endpoint can tell.
    """

    name = "webhook"

    def __init__(
        self, config: WebhooksConfig, session: aiohttp.ClientSession, clock: Clock, health: HealthBoard
    ) -> None:
        self._config = config
        self._session = session
        self._clock = clock
        self._health = health
        self._url = config.url or ""
        self._shown = shown(self._url)
        self._key = None if config.secret is None else signing_key(config.secret.get_secret_value())

    async def ask(self, ask: Ask) -> Any:
        """See Asker. A response without content is "no opinion": then, too, the next step of the chain decides."""
        seconds = min(ask.deadline - self._clock.now(), self._config.timeout)
        if seconds <= 0:
            raise AskFailed("no time was left to ask the webhook")
        try:
            async with asyncio.timeout(seconds):
                content = await self._post(ask)
        except TimeoutError:
            raise self._failure(f"no answer within {seconds:.1f} s") from None
        except aiohttp.ClientError as error:
            raise self._failure(_told(error)) from error
        if not content:
            self._works()
            raise AskFailed("the webhook has no opinion")
        answer = self._object(content)
        self._works()
        return answer

    async def _post(self, ask: Ask) -> bytes:
        body = to_json(ask.as_dict())
        try:
            return await self._post_once(ask.id, body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            return await self._post_once(ask.id, body)

    async def _post_once(self, ask_id: str, body: bytes) -> bytes:
        headers = {name: value.get_secret_value() for name, value in self._config.headers.items()}
        headers |= signed_headers(self._key, ask_id, int(self._clock.now()), body)
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as response:
            if not 200 <= response.status < 300:
                hint = "; redirects are not followed" if 300 <= response.status < 400 else ""
                raise self._failure(f"answered HTTP {response.status}{hint}")
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    response.close()
                    raise self._failure(f"answered more than {MAX_ANSWER_BYTES} bytes")
            return bytes(content)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            value = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise self._failure(f"did not answer JSON ({error})") from error
        if not isinstance(value, dict):
            raise self._failure("did not answer a JSON object")
        return value

    def _works(self) -> None:
        if self._health.set(CHECK, "ok"):
            _log.info("the webhook answers", url=self._shown)

    def _failure(self, problem: str) -> AskFailed:
        """What to raise; the board and, where it is new, the log are told as well."""
        told = f"{self._shown}: {problem}"
        if self._health.set(CHECK, "degraded", told):
            _log.warning("the webhook cannot be used", url=self._shown, problem=problem)
        return AskFailed(told)


def new_session(config: WebhooksConfig, *, version: str, tls: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    """The session that requests go through; the caller closes it."""
    connector = aiohttp.TCPConnector(limit=config.max_connections, keepalive_timeout=KEEPALIVE_SECONDS, ssl=tls)
    return aiohttp.ClientSession(
        connector=connector,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": f"ocpp-gateway/{version}",
        },
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
    )


def shown(url: str) -> str:
    """A URL for logs: without user, password and query, where secrets may stand."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _told(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.InvalidURL):
        return "the URL cannot be used"  # the exception itself tells the whole URL
    cause = getattr(error, "os_error", None)
    return str(cause or error) or type(error).__name__
