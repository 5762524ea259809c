"""The certification lab: charge points on the one side of a running gateway, its operator on the other."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.compliance.ocpp16.charge_point import PATIENCE, ChargePoint, Payload
from tests.support.gateway_process import GatewayProcess

STRICT = "STRICT-"
"""Charge points whose name begins so are held to the schema by the lab's quirk profile."""

PLAIN = "OCA_OCTT_admin_test"
HEX = "4F43415F4F4354545F61646D696E5F74657374"
"""The same password as the configuration key AuthorizationKey has it: the hexadecimal digits of its bytes."""


class Lab:
    """One test's access to the gateway: by WebSocket as charge points, by REST as their operator."""

    def __init__(self, gateway: GatewayProcess, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.client = client

    # ------------------------------------------------------------ charge points

    @staticmethod
    def name(prefix: str = "LAB-") -> str:
        """An identity that no other test has."""
        return f"{prefix}{uuid4().hex[:16]}"

    @asynccontextmanager
    async def charge_point(
        self,
        identity: str | None = None,
        *,
        boot: bool = True,
        subprotocols: tuple[str, ...] = ("ocpp1.6",),
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> AsyncIterator[ChargePoint]:
        """A connected charge point, cold-booted unless told otherwise."""
        identity = identity or self.name()
        url = self.gateway.charger_url if tls is None else self.gateway.charger_url.replace("ws:", "wss:", 1)
        async with connect(
            f"{url}/{identity}",
            subprotocols=[Subprotocol(offered) for offered in subprotocols] or None,
            additional_headers=headers,
            ssl=tls,
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=PATIENCE,
            close_timeout=2,
        ) as socket:
            charge_point = ChargePoint(socket, identity)
            if boot:
                await charge_point.boot()
            yield charge_point

    async def refused(self, identity: str, headers: dict[str, str] | None, tls: ssl.SSLContext | None = None) -> int:
        """The HTTP status by which a charge point is turned away that shows no good password."""
        with pytest.raises(InvalidStatus) as refusal:
            async with self.charge_point(identity, headers=headers, tls=tls):
                pass
        response = refusal.value.response
        assert response.headers["WWW-Authenticate"].startswith("Basic")
        return int(response.status_code)

    # ------------------------------------------------------------ the operator

    def order(self, charge_point: ChargePoint, name: str, **arguments: Any) -> "asyncio.Task[Payload]":
        """A neutral command under way; its result is the task's."""
        return self.beside(self._post(charge_point, f"commands/{name}", arguments))

    def call(self, charge_point: ChargePoint, action: str, payload: Payload) -> "asyncio.Task[Payload]":
        """A raw OCPP call under way."""
        return self.beside(self._post(charge_point, f"calls/{action}", payload))

    @staticmethod
    def beside(work: Coroutine[Any, Any, Payload]) -> "asyncio.Task[Payload]":
        """Work that goes on while the charge point answers."""
        return asyncio.create_task(work, name="operator")

    async def _post(self, charge_point: ChargePoint, path: str, body: Payload) -> Payload:
        answer = await self.client.post(f"/v1/chargers/{charge_point.identity}/{path}?wait=60", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def put(self, path: str, body: Payload) -> None:
        answer = await self.client.put(f"/v1/{path}", json=body)
        assert answer.is_success, answer.text

    async def token(self, **entry: Any) -> str:
        """A fresh token on the gateway's list, accepted unless told otherwise."""
        token = f"T{uuid4().hex[:12].upper()}"
        await self.put(f"tokens/{token}", entry)
        return token

    async def get(self, path: str) -> Any:
        answer = await self.client.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def connector(self, charge_point: ChargePoint, evse_id: int = 1) -> Payload:
        found: Payload = await self.get(f"chargers/{charge_point.identity}/evse/{evse_id}/connector/1")
        return found

    async def transactions(self, charge_point: ChargePoint) -> list[Payload]:
        """All of a charge point's transactions, the latest first."""
        found: list[Payload] = (await self.get(f"transactions?charger_id={charge_point.identity}"))["items"]
        return found

    async def password(self, identity: str, **credentials: str) -> None:
        await self.put(f"chargers/{identity}/credentials", credentials)


def basic(user: str, password: bytes | str) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()}
