"""Where the broker is and what lets us in, read once from [mqtt], for both lanes."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from adapters.mqtt.config import MqttConfig
from gateway.core.errors import ConfigurationError

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """The broker's address and the credentials; `websocket_path` is set for ws:// and wss://, `tls` for the s ones."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    websocket_path: str | None = None
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, config: MqttConfig) -> Self:
        """Raises ConfigurationError for a certificate or key that does not load."""
        parts = urlsplit(config.url or f"mqtt://127.0.0.1:{config.embedded_port}")
        username = config.username or (unquote(parts.username) if parts.username else None)
        password = unquote(parts.password) if parts.password else None
        if config.password is not None:
            password = config.password.get_secret_value()
        websocket = parts.scheme in ("ws", "wss")
        path = parts.path or "/mqtt"
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or _PORTS[parts.scheme],
            tls=_tls(config) if parts.scheme in ("mqtts", "wss") else None,
            websocket_path=(path + (f"?{parts.query}" if parts.query else "")) if websocket else None,
            username=username,
            password=None if password is None else password.encode(),
        )

    def __str__(self) -> str:
        """For logs: without user and password."""
        websocket = self.websocket_path is not None
        scheme = ("wss" if self.tls else "ws") if websocket else ("mqtts" if self.tls else "mqtt")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}{(self.websocket_path or '').partition('?')[0]}"


def _tls(config: MqttConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if config.certificate is not None:
            context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(file) for file in (config.ca_file, config.certificate, config.key) if file is not None)
        raise ConfigurationError(f"a certificate or key of [mqtt] does not load ({files}): {error}") from error
    return context
