"""/v1/chargers: state, deletion, and what operators store per charger."""

import re
from typing import Annotated, Any, Literal, Self

import orjson
import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from adapters.rest import models, problems
from adapters.rest.parameters import After, Limit, PathCharger, page_of
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer, no_content
from adapters.rest.security import key_of, needs
from adapters.rest.services import Here, Services
from gateway.core.identity import ChargerId
from gateway.core.ports import Registration, Snapshot

log = structlog.get_logger(__name__)

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class Credentials(BaseModel):
    """The Basic-auth password that the charger must give: as text (sent as UTF-8), or as bytes in hex."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"password": "correct-horse-battery"}})

    password: SecretStr | None = Field(None, min_length=1, max_length=255)
    password_hex: SecretStr | None = Field(None, min_length=2, max_length=510)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.password is None) == (self.password_hex is None):
            raise ValueError("give either password or password_hex")
        if self.password_hex is not None and not _HEX.fullmatch(self.password_hex.get_secret_value()):
            raise ValueError("password_hex must be pairs of hex digits")
        return self

    def as_bytes(self) -> bytes:
        """The password as it is compared with what the charger sends."""
        if self.password is not None:
            return self.password.get_secret_value().encode("utf-8", "surrogatepass")
        return b"" if self.password_hex is None else bytes.fromhex(self.password_hex.get_secret_value())


class SubprotocolChoice(BaseModel):
    """The OCPP version to prefer for a charger; null leaves the choice to the charger."""

    model_config = ConfigDict(extra="forbid")

    subprotocol: Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] | None


class RegistrationChoice(BaseModel):
    """How the charger's boots are answered, whatever the policy would say."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"status": "accepted"}})

    status: Registration


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/chargers", tags=["chargers"], responses=documented(422))
    read: dict[str, Any] = {"methods": ["GET"], "dependencies": [needs("read")]}
    missing = documented(404)
    add = routes.add_api_route
    add("", list_chargers, response_model=models.Chargers, **read)
    add("/{charger_id}", get_charger, response_model=models.Charger, responses=missing, **read)
    add("/{charger_id}/connectors", list_connectors, response_model=models.Connectors, responses=missing, **read)
    add(
        "/{charger_id}/evse/{evse_id}/connector/{connector_id}",
        get_connector,
        response_model=models.Connector,
        responses=missing,
        **read,
    )
    add("/{charger_id}/settings", get_settings, response_model=models.Settings, **read)
    admin: dict[str, Any] = {"dependencies": [needs("admin")], "status_code": 204, "response_class": Response}
    add("/{charger_id}", delete_charger, methods=["DELETE"], responses=documented(404, 409), **admin)
    add("/{charger_id}/credentials", put_credentials, methods=["PUT"], **admin)
    add("/{charger_id}/credentials", delete_credentials, methods=["DELETE"], **admin)
    add("/{charger_id}/subprotocol", put_subprotocol, methods=["PUT"], **admin)
    add("/{charger_id}/registration", put_registration, methods=["PUT"], **admin)
    add("/{charger_id}/registration", delete_registration, methods=["DELETE"], **admin)
    return routes


async def require_snapshot(services: Services, charger: ChargerId) -> Snapshot:
    """The charger's snapshot. Raises HttpProblem (404) for a charger that was never seen."""
    snapshot = await services.gateway.state.charger(charger)
    if snapshot is None or snapshot.removed:
        detail = f"Charger {charger.identity!r} was never seen; check its spelling (GET /v1/chargers lists all)."
        raise HttpProblem(problems.UNKNOWN_CHARGER, detail)
    return snapshot


async def list_chargers(services: Here, after: After = None, limit: Limit = 100) -> Response:
    """All known chargers, online and offline, with their connectors."""
    page = await page_of(services.gateway.state.chargers(after=after, limit=limit))
    return answer({"items": [_charger(snapshot) for snapshot in page.items], "next": page.next})


async def get_charger(services: Here, charger: PathCharger) -> Response:
    """One charger with its connectors."""
    return answer(_charger(await require_snapshot(services, charger)))


async def list_connectors(services: Here, charger: PathCharger) -> Response:
    """The connectors of a charger."""
    return answer({"items": _connectors(await require_snapshot(services, charger)), "next": None})


async def get_connector(
    services: Here,
    charger: PathCharger,
    evse_id: Annotated[int, Path(ge=0)],
    connector_id: Annotated[int, Path(ge=0)],
) -> Response:
    """One connector of a charger."""
    for connector in _connectors(await require_snapshot(services, charger)):
        if (connector["evse_id"], connector["connector_id"]) == (evse_id, connector_id):
            return answer(connector)
    detail = f"Charger {charger.identity!r} has not reported an EVSE {evse_id} with a connector {connector_id}."
    raise HttpProblem(problems.NOT_FOUND, detail)


async def get_settings(services: Here, charger: PathCharger) -> Response:
    """What is stored for a charger; it need not have connected yet."""
    settings = await services.gateway.settings.get(charger)
    return answer(
        {
            "subprotocol": settings.subprotocol,
            "has_password": settings.has_password,
            "registration": settings.registration,
        }
    )


async def delete_charger(services: Here, charger: PathCharger, request: Request) -> Response:
    """Forget an offline charger: its state, its settings and its retained MQTT topics."""
    await services.gateway.state.remove_charger(charger)
    log.info("charger deleted", charger=str(charger), key=key_of(request).id)
    return no_content()


async def put_credentials(services: Here, charger: PathCharger, body: Credentials, request: Request) -> Response:
    """Set the password that the charger must give at its next connection; it need not have connected yet."""
    await services.gateway.settings.set_password(charger, body.as_bytes())
    log.info("charger password set", charger=str(charger), key=key_of(request).id)
    return no_content()


async def delete_credentials(services: Here, charger: PathCharger, request: Request) -> Response:
    """Remove the charger's password."""
    await services.gateway.settings.set_password(charger, None)
    log.info("charger password removed", charger=str(charger), key=key_of(request).id)
    return no_content()


async def put_subprotocol(services: Here, charger: PathCharger, body: SubprotocolChoice, request: Request) -> Response:
    """Set the OCPP version to prefer when the charger connects and offers it."""
    await services.gateway.settings.set_subprotocol(charger, body.subprotocol)
    log.info("charger subprotocol set", charger=str(charger), subprotocol=body.subprotocol, key=key_of(request).id)
    return no_content()


async def put_registration(
    services: Here, charger: PathCharger, body: RegistrationChoice, request: Request
) -> Response:
    """Set how the charger's boots are answered, from its next boot on; it need not have connected yet.

    A charger that waits as `pending` boots again after its interval; to have it boot now, send it the command
    `trigger` with `{"message": "BootNotification"}`.
    """
    await services.gateway.settings.set_registration(charger, body.status)
    log.info("charger registration set", charger=str(charger), status=body.status, key=key_of(request).id)
    return no_content()


async def delete_registration(services: Here, charger: PathCharger, request: Request) -> Response:
    """Leave the answer to the charger's boots to the policy again."""
    await services.gateway.settings.set_registration(charger, None)
    log.info("charger registration removed", charger=str(charger), key=key_of(request).id)
    return no_content()


def _charger(snapshot: Snapshot) -> dict[str, Any]:
    stored = snapshot.fields.get("charger")
    return {
        **(orjson.loads(stored) if stored else {}),
        "id": snapshot.charger.identity,
        "availability": snapshot.fields.get("availability", b"offline").decode(),
        "connectors": _connectors(snapshot),
    }


def _connectors(snapshot: Snapshot) -> list[dict[str, Any]]:
    found = []
    for field, stored in snapshot.fields.items():
        kind, _, place = field.partition("/")
        if kind == "connector":
            evse, _, connector = place.partition("/")
            found.append({**orjson.loads(stored), "evse_id": int(evse), "connector_id": int(connector)})
    return sorted(found, key=lambda connector: (connector["evse_id"], connector["connector_id"]))
