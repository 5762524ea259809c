"""What a transaction costs, asked of a business system and told to the charger (TC_I_02 of OCPP 2.0.1)."""

import asyncio
from typing import Any

import pytest

from gateway.chargers import answering
from gateway.core.ports import Ask
from tests.chargers.harness import Charger, Node, running
from tests.core.answering import FakeAsker, House, house

NAME = "T-1"
ENERGY = {"value": 2500.0, "unitOfMeasure": {"unit": "Wh"}, "measurand": "Energy.Active.Import.Register"}


def event(kind: str, number: int, **more: Any) -> dict[str, Any]:
    reason = {"Started": "CablePluggedIn", "Updated": "MeterValuePeriodic", "Ended": "EVDeparted"}[kind]
    at = f"2026-11-21T08:0{number}:00Z"
    sampled = {"timestamp": at, "sampledValue": [{**ENERGY, "value": 1000.0 + 500 * number}]}
    return {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": reason,
        "seqNo": number,
        "transactionInfo": {"transactionId": NAME},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [sampled],
        **more,
    }


def priced(answer: Any, **answers: Any) -> tuple[FakeAsker, House]:
    asker = FakeAsker("mqtt", answer)
    return asker, house(asker, **{"authorize": ["local"], "transaction_cost": ["mqtt"], **answers})


def by_energy(ask: Ask) -> dict[str, Any]:
    """Half a euro for each kWh."""
    return {"total_cost": ask.data["energy_wh"] * 0.0005}


async def said(charger: Charger, *events: dict[str, Any]) -> list[dict[str, Any]]:
    return [await charger.call("TransactionEvent", one) for one in events]


def told(node: Node, kind: str) -> list[Any]:
    return [data.get("decision") for data in node.data(f"transaction.{kind}")]


@pytest.mark.parametrize("subprotocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_tc_i_02_the_cost_is_told_with_every_update_and_at_the_end(subprotocol: str) -> None:
    asker, made = priced(by_energy)
    async with running(responder=made.responder) as node, node.charger(subprotocol=subprotocol) as charger:
        token = {"idToken": {"idToken": "TAG", "type": "ISO14443"}}
        answers = await said(
            charger, event("Started", 0), event("Updated", 1), event("Updated", 2, **token), event("Ended", 3)
        )
        assert [answer.get("totalCost") for answer in answers] == [None, 0.25, 0.5, 0.75]
        assert answers[2]["idTokenInfo"]["status"] == "Accepted"
        costs = [{"total_cost": cost, "decided_by": "mqtt"} for cost in (0.25, 0.5, 0.75)]
        assert (told(node, "started"), told(node, "updated"), told(node, "ended")) == ([None], costs[:2], costs[2:])
        (record,) = node.data("transaction.started")
        last = node.connector()["last_transaction"]
        assert (last["id"], last["cost"], last["currency"]) == (record["transaction_id"], 0.75, None)
        assert [(ask.kind, ask.data["final"], ask.data["transaction_id"]) for ask in asker.asks] == [
            ("transaction_cost", final, record["transaction_id"]) for final in (False, False, True)
        ]


async def test_a_message_that_is_sent_again_gets_the_cost_of_the_first_time() -> None:
    prices = iter([1.0, 2.0])
    _, made = priced(lambda ask: {"total_cost": next(prices)})
    async with running(responder=made.responder) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        await said(charger, event("Started", 0))
        assert await said(charger, event("Ended", 1), event("Ended", 1)) == [{"totalCost": 1.0}] * 2
        assert len(node.data("transaction.ended")) == 1


@pytest.mark.parametrize("answer", [{"total_cost": -1}, {"total_cost": "NaN"}, {}, "no object", RuntimeError("a bug")])
async def test_an_answer_that_is_none_leaves_the_cost_out(answer: Any) -> None:
    _, made = priced(answer)
    async with running(responder=made.responder) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        assert await said(charger, event("Started", 0), event("Updated", 1)) == [{}, {}]
        assert told(node, "updated") == [None]


async def test_an_answer_that_is_late_does_not_hold_the_receipt_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for a share of the time that a transaction's message may wait, however long its chain may take."""
    monkeypatch.setattr(answering, "DEADLINE_SHARE", 0.05)
    asker, made = priced({"total_cost": 1.0}, step_deadline=60, deadline=60)
    asker.delay = 60
    async with running(responder=made.responder, money_grace=20) as node, node.charger(subprotocol="ocpp2.0.1") as it:
        async with asyncio.timeout(45):
            assert await said(it, event("Started", 0), event("Updated", 1), event("Ended", 2)) == [{}, {}, {}]
        assert asker.asks
        assert (told(node, "updated"), told(node, "ended")) == ([None], [None])


async def test_what_nobody_looks_at_or_is_set_up_to_answer_is_not_asked() -> None:
    asker, made = priced({"total_cost": 1.0})
    async with running(responder=made.responder) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        late = event("Updated", 1, offline=True)
        answers = await said(charger, event("Started", 0), late, event("Ended", 2, offline=True))
        assert answers == [{}, {}, {"totalCost": 1.0}]
    local, made = priced({"total_cost": 1.0}, transaction_cost=["local"])
    async with running(responder=made.responder) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        assert not node.connection()._answering._priced
        assert await said(charger, event("Started", 0), event("Updated", 1)) == [{}, {}]
    assert (len(asker.asks), local.asks) == (1, [])
