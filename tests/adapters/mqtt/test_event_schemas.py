"""What the gateway's events carry is what the contract says of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_type_hints

import orjson
import pytest
from pydantic import TypeAdapter

from adapters.mqtt.event_schemas import EVENTS
from adapters.mqtt.result_schema import Envelope, Result
from gateway.core.commands import CommandResult, Outcome
from gateway.core.event_types import EVENT_TYPES
from gateway.core.events import Event, Origin, stamp
from gateway.core.identity import ChargerId
from gateway.core.reports import Authorization, Boot, Meter, Status, Token, TokenDecision
from gateway.ocpp.profile import Notes
from gateway.ocpp.v21.inbound import INBOUND
from tests.core.driver import NOW, Driver, at, event, sample, start, stop
from tests.ocpp.payloads_21 import INBOUND_21

ORIGIN = Origin("1.6", "Any", "m-1", '{"a": 1}', [{"code": "c", "path": "/a", "message": "m"}])


def _made() -> Iterator[Event]:
    old = Driver()
    old.say(Boot("Vendor", "Model"))
    old.say(Status(0, 0, "available", at()))
    old.say(Status(1, 1, "faulted", at(), error_code="GroundFailure"))
    old.say(Authorization(Token("TAG"), 1))
    number = old.say(start()).transaction_id
    old.say(Meter(1, 1, [sample("Power.Active.Import", 7400, 60)], at(60), str(number)))
    old.say(stop(number))
    old.say(stop(4711))
    old.say(Meter(1, None, [sample("Voltage", "a lot")], at(700), "4712"))
    old.commit(old.twin.responsive(NOW, False, 3))
    old.commit(old.twin.disconnected(NOW, reason="gone"))
    new = Driver("2.0.1")
    new.say(event("started", 0, wh=0, token=Token("TAG", "ISO14443"), charging_state="Charging"))
    new.say(event("ended", 2, 60, wh=100, stop_reason="local"))
    new.say(event("updated", 1, 30, wh=50))
    new.say(
        Authorization(Token("TAG"), details={"certificate": "PEM"}),
        token=TokenDecision("accepted", None, "g", "local", (1, 2), -1, "Hello", "accepted"),
    )
    new.commit(new.twin.responsive(NOW, False, 3))
    for action, payload in INBOUND_21.items():
        new.say(INBOUND[action].translate(payload, Notes()))
    yield from (*old.log, *new.log)


MADE = list(_made())


@pytest.mark.parametrize("number", range(len(MADE)), ids=lambda number: MADE[number].type)
def test_an_event_s_data_is_as_described(number: int) -> None:
    made = MADE[number]
    body: dict[str, Any] = orjson.loads(
        stamp(replace(made), charger=ChargerId("CP 1"), epoch=1, sequence=1, recorded=NOW, origin=ORIGIN).body
    )
    schema = EVENTS[made.type]
    TypeAdapter(schema).validate_python(body["data"], strict=True)
    TypeAdapter(Envelope).validate_python(body, strict=True)
    assert made.data.keys() <= get_type_hints(schema).keys()
    assert body.keys() <= get_type_hints(Envelope).keys()


def test_the_events_above_are_nearly_all_there_are() -> None:
    elsewhere = {"ocpp.charger.removed", "ocpp.charger.violation", "ocpp.log.gap"}
    rare = {"ocpp.transaction.corrected"}
    assert {made.type for made in MADE} >= EVENTS.keys() - elsewhere - rare


def test_a_result_is_as_described() -> None:
    result = CommandResult("r-1", ChargerId("CP-1"), "reset", Outcome.ACCEPTED)
    TypeAdapter(Result).validate_python(result.as_dict())
    assert result.as_dict().keys() == get_type_hints(Result).keys()


def test_every_type_of_event_has_a_schema() -> None:
    assert tuple(EVENTS) == EVENT_TYPES
