"""How `tail` and `send` reach the MQTT broker."""

import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiomqtt

from adapters.mqtt.config import MqttConfig
from gateway.config import Settings
from gateway.core.errors import ConfigurationError, GatewayError
from gateway.log import redact_url

_SCHEMES = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class BrokerUnreachable(GatewayError):
    """The MQTT broker cannot be reached, or closed the connection."""


@dataclass(frozen=True)
class Access:
    """Where the broker is, what lets us in, and the prefix of the gateway's topics."""

    url: str
    prefix: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def client(self) -> aiomqtt.Client:
        """A client that is not connected yet; MQTT 5."""
        parts = urlsplit(self.url)
        return aiomqtt.Client(
            parts.hostname or "127.0.0.1",
            parts.port or _SCHEMES[parts.scheme],
            username=self.username,
            password=self.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self.tls,
            transport="websockets" if parts.scheme in ("ws", "wss") else "tcp",
            websocket_path=parts.path or None,
        )

    def unreachable(self, error: Exception) -> BrokerUnreachable:
        """The error in words that help."""
        return BrokerUnreachable(
            f"cannot use the MQTT broker at {redact_url(self.url)}: {error}. Does `ocpp-gateway serve` run? "
            "Another broker is named by MQTT_URL or --config"
        )


def access(settings: Settings) -> Access:
    """Access to the broker that the settings name, the embedded one where they name none.

    Raises ConfigurationError for a certificate that does not load.
    """
    mqtt = settings.mqtt
    url = mqtt.url or f"mqtt://127.0.0.1:{mqtt.embedded_port}"
    parts = urlsplit(url)
    return Access(
        url=url,
        prefix=mqtt.prefix,
        username=mqtt.username or (unquote(parts.username) if parts.username else None),
        password=mqtt.password.get_secret_value()
        if mqtt.password is not None
        else (unquote(parts.password) if parts.password else None),
        tls=_tls(mqtt) if parts.scheme in ("mqtts", "wss") else None,
    )


def _tls(mqtt: MqttConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=mqtt.ca_file)
        if mqtt.certificate is not None:
            context.load_cert_chain(mqtt.certificate, mqtt.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"a certificate or key of [mqtt] does not load: {error}") from error
    return context
