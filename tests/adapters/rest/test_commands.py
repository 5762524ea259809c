import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from adapters.rest import RestAdapter, RestConfig
from adapters.rest.examples import CALL
from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import COMMANDS, Outcome
from gateway.core.identity import ChargerId
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway

STOP = "/v1/chargers/CP-1/commands/stop"


@pytest.mark.parametrize("name", sorted(COMMANDS))
async def test_every_command_reaches_the_charger_with_defaults_filled_in(name: str) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("a/b")
    async with client_of(gateway, scope="command") as client:
        response = await client.post(f"/v1/chargers/a%2Fb/commands/{name}", json=ARGUMENTS[name])
    assert response.status_code == 200, response.text
    (command,) = charger.executed
    assert command.arguments == COMMANDS[name].model_validate(ARGUMENTS[name]).model_dump()
    assert response.json() == {
        "id": command.id,
        "charger_id": "a/b",
        "name": name,
        "outcome": "accepted",
        "reason": None,
        "safe_to_retry": False,
        "result": None,
        "transaction": None,
    }


def test_each_command_has_an_example() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_any_outcome_is_200(outcome: Outcome) -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1").outcome = outcome
    async with client_of(gateway, scope="command") as client:
        response = await client.post(STOP)
    assert (response.status_code, response.json()["outcome"]) == (200, outcome.value)


async def test_a_known_charger_that_is_away_is_offline() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    async with client_of(gateway, scope="command") as client:
        response = await client.post(STOP, json={})
    assert (response.status_code, response.json()["outcome"]) == (200, "offline")
    assert response.json()["safe_to_retry"] is True


@pytest.mark.parametrize("payload", [example["value"] for example in CALL.values()])
async def test_a_raw_call_carries_its_payload_as_it_is(payload: dict[str, Any]) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    charger.result = {"status": "Accepted", "big": 2**70, "lone": "\ud800", "text": "ü"}
    async with client_of(gateway, scope="command") as client:
        response = await client.post("/v1/chargers/CP-1/calls/ReserveNow", json=payload)
    (command,) = charger.executed
    assert (command.name, command.action, command.arguments) == ("call/ReserveNow", "ReserveNow", payload)
    assert response.json()["result"] == charger.result


@pytest.mark.parametrize(
    ("query", "headers"),
    [("wait=0", {}), ("wait=0.01", {}), ("", {"Prefer": "wait=0"}), ("", {"Prefer": "respond-async, wait=0"})],
)
async def test_a_slow_command_is_202_and_ends_where_location_says(query: str, headers: dict[str, str]) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with client_of(gateway, scope="command") as client:
        response = await client.post(f"{STOP}?{query}", headers={**headers, "Idempotency-Key": "k/1 #%"})
        assert response.status_code == 202, response.text
        assert response.json()["outcome"] is None
        assert response.headers.get("preference-applied") == ((headers and "wait=0") or None)
        location = response.headers["location"]
        assert location == f"/v1/commands/{quote(response.json()['id'], safe='')}"
        assert (await client.get(location)).json()["outcome"] is None
        charger.answering.set()
        await asyncio.wait_for(gateway.commands.finished.wait(), 60)
        assert (await client.get(location)).json()["outcome"] == "accepted"


async def test_an_idempotency_key_gives_the_first_result_again_without_a_second_command() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    key = {"Idempotency-Key": "once"}
    async with client_of(gateway, scope="command") as client:
        first = await client.post(STOP, json={"evse_id": 1}, headers=key)
        again = await client.post(STOP, json={"evse_id": 1}, headers=key)
        other = await client.post(STOP, json={"evse_id": 2}, headers=key)
        assert first.json() == again.json()
        assert first.json()["id"] == "once"
        assert_problem(other, 422, "idempotency-key-reused")
        charger.answering.clear()
        running = {"Idempotency-Key": "running"}
        assert (await client.post(f"{STOP}?wait=0", headers=running)).status_code == 202
        assert_problem(await client.post(f"{STOP}?wait=0", headers=running), 409, "command-running")
    assert [command.id for command in charger.executed] == ["once", "running"]


async def test_the_timeout_becomes_the_deadline() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    before = gateway.context.clock.now()
    async with client_of(gateway, scope="command") as client:
        await client.post(f"{STOP}?timeout=300")
    assert before + 300 <= charger.executed[0].deadline <= gateway.context.clock.now() + 300


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        ("/v1/chargers/CP-1/commands/fly", b"{}", 404, "unknown-command"),
        ("/v1/chargers/nobody/commands/stop", b"{}", 404, "unknown-charger"),
        ("/v1/chargers/nobody/calls/Reset", b"{}", 404, "unknown-charger"),
        ("/v1/chargers/CP-1/commands/stop", b"{", 400, "malformed-request"),
        ("/v1/chargers/CP-1/calls/Reset", b"not json", 400, "malformed-request"),
        ("/v1/chargers/CP-1/calls/Reset", b"\xff\xfe", 400, "malformed-request"),
        ("/v1/chargers/CP-1/calls/Reset", b'{"type": NaN}', 400, "malformed-request"),
        ("/v1/chargers/CP-1/calls/Reset", b'{"type": 1e999}', 400, "malformed-request"),
        ("/v1/chargers/CP-1/commands/start", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/start", b"", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop", b"[]", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop", b'{"unknown": 1}', 422, "invalid-request"),
        ("/v1/chargers/CP-1/calls/Reset", b"[]", 422, "invalid-request"),
        ("/v1/chargers/CP-1/calls/Re%20set", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?wait=121", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?wait=-1", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?timeout=0", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?queue_for=0", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?queue_for=604801", b"{}", 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/start?wait_for=godot", b'{"token": "A"}', 422, "invalid-request"),
        ("/v1/chargers/CP-1/commands/stop?wait=nan", b"{}", 422, "invalid-request"),
    ],
)
async def test_4xx_means_that_no_command_was_made(path: str, body: bytes, status: int, slug: str) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    async with client_of(gateway, scope="command") as client:
        response = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert_problem(response, status, slug)
    assert not charger.executed
    assert not gateway.commands.begun


@pytest.mark.parametrize("key", [b"", b"x" * 129, "\xfc".encode(), b"a\tb"])
async def test_an_idempotency_key_is_short_printable_ascii(key: bytes) -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1")
    async with client_of(gateway, scope="command") as client:
        assert_problem(await client.post(STOP, headers={b"Idempotency-Key": key}), 422, "invalid-request")


async def test_each_invalid_argument_is_listed() -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1")
    async with client_of(gateway, scope="command") as client:
        response = await client.post(
            "/v1/chargers/CP-1/commands/start", json={"evse_id": -1, "token": "", "colour": "red"}
        )
    errors = assert_problem(response, 422, "invalid-request")["errors"]
    assert {entry["location"] for entry in errors} == {"body.evse_id", "body.token", "body.colour"}


async def test_beyond_the_limit_of_running_commands_none_is_made() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with client_of(gateway, scope="command", max_running_commands=1) as client:
        assert (await client.post(f"{STOP}?wait=0")).status_code == 202
        refused = await client.post(f"{STOP}?wait=0")
        assert_problem(refused, 503, "too-many-commands")
        assert refused.headers["retry-after"] == "1"
    assert len(gateway.commands.begun) == 1


async def test_a_bug_in_one_command_is_500_for_it_and_nothing_to_others() -> None:
    gateway = FakeGateway()
    gateway.connect("broken").failure = ZeroDivisionError("a bug")
    gateway.connect("CP-1")
    async with client_of(gateway, scope="command") as client:
        assert_problem(await client.post("/v1/chargers/broken/commands/stop"), 500, "internal-error")
        assert (await client.post(STOP)).status_code == 200


async def test_a_command_still_running_when_the_adapter_stops_ends_as_timeout() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with client_of(gateway, scope="command") as client:
        await client.post(f"{STOP}?wait=0", headers={"Idempotency-Key": "k"})
    assert gateway.commands.ended["k"].outcome is Outcome.TIMEOUT
    assert gateway.commands.ended["k"].charger == ChargerId("CP-1")


async def test_an_unknown_command_id_is_404() -> None:
    async with client_of(FakeGateway(), scope="command") as client:
        assert_problem(await client.get("/v1/commands/none"), 404, "not-found")
        assert_problem(await client.delete("/v1/commands/none"), 404, "not-found")


async def test_a_command_that_waits_for_its_charger_is_queued_and_can_be_cancelled() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    async with client_of(gateway, scope="command") as client:
        now = gateway.context.clock.now()
        response = await client.post(f"{STOP}?queue_for=600&timeout=7&wait=0", headers={"Idempotency-Key": "k"})
        assert (response.status_code, response.headers["location"]) == (202, "/v1/commands/k")
        assert (response.json()["state"], response.json()["outcome"]) == ("queued", None)
        patience = gateway.queue.waiting["k"].patience
        assert patience is not None
        assert (now + 600 <= patience.until <= gateway.context.clock.now() + 600, patience.timeout) == (True, 7)
        assert (await client.get("/v1/commands/k")).json()["state"] == "queued"
        again = await client.post(f"{STOP}?queue_for=600&timeout=7&wait=0", headers={"Idempotency-Key": "k"})
        assert_problem(again, 409, "command-running")
        for _ in range(2):
            cancelled = await client.delete("/v1/commands/k")
            assert (cancelled.status_code, cancelled.json()["outcome"]) == (200, "cancelled")
        assert (await client.get("/v1/commands/k")).json() == cancelled.json()


async def test_whoever_waits_is_told_how_a_command_that_was_queued_ended() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    async with client_of(gateway, scope="command") as client:
        posted = asyncio.create_task(client.post(f"{STOP}?queue_for=600", headers={"Idempotency-Key": "k"}))
        await client.delete(f"/v1/commands/{await gateway.queue.arrived()}")
        response = await posted
    assert (response.status_code, response.json()["outcome"]) == (200, "cancelled")


async def test_a_client_that_waits_for_a_queued_command_is_answered_when_the_adapter_stops() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    adapter = RestAdapter(RestConfig(), gateway.context)
    async with adapter.serving() as (app, submissions):
        transport = httpx.ASGITransport(app=app)
        headers = gateway.key("command")
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            posted = asyncio.create_task(client.post(f"{STOP}?queue_for=600"))
            await gateway.queue.arrived()
            submissions.release_waiting()
            response = await posted
    assert (response.status_code, response.json()["state"]) == (202, "queued")


async def test_what_is_with_its_charger_or_has_ended_is_not_cancelled() -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    charger.answering.clear()
    async with client_of(gateway, scope="command") as client:
        await client.post(f"{STOP}?wait=0", headers={"Idempotency-Key": "k"})
        assert "is with its charger" in assert_problem(await client.delete("/v1/commands/k"), 409, "conflict")["detail"]
        charger.answering.set()
        await asyncio.wait_for(gateway.commands.finished.wait(), 60)
        assert (
            "has ended as accepted" in assert_problem(await client.delete("/v1/commands/k"), 409, "conflict")["detail"]
        )


START = "/v1/chargers/CP-1/commands/start?wait_for=transaction"


@pytest.mark.parametrize(
    ("causes", "transaction"),
    [("tx-1", {"id": "tx-1", "status": "started"}), (None, {"id": None, "status": "never_started"})],
)
async def test_a_start_is_followed_to_the_transaction_that_it_causes(
    causes: str | None, transaction: dict[str, Any]
) -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1")
    if causes is not None:
        gateway.state.causes["k"] = causes
    async with client_of(gateway, scope="command") as client:
        key = {"Idempotency-Key": "k"}
        response = await client.post(f"{START}&timeout={60 if causes else 1}", json={"token": "A"}, headers=key)
    assert (response.status_code, response.json()["outcome"]) == (200, "accepted")
    assert response.json()["transaction"] == transaction


async def test_a_start_that_was_refused_is_not_followed_and_no_other_command_can_be() -> None:
    gateway = FakeGateway()
    gateway.connect("CP-1").outcome = Outcome.REJECTED
    async with client_of(gateway, scope="command") as client:
        response = await client.post(START, json={"token": "A"})
        assert (response.json()["outcome"], response.json()["transaction"]) == ("rejected", None)
        other = await client.post(f"{STOP}?wait_for=transaction")
        assert "wait_for" in assert_problem(other, 422, "invalid-request")["detail"]


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("set_charging_limit", {}, "give either current_a or power_w"),
        ("set_charging_limit", None, "body: is required"),
        ("reserve", {"token": "A", "until": "tomorrow"}, "body.until: must be an RFC 3339 time"),
        ("get_log", {"location": "here"}, "body.location: must be a URL such as https://"),
    ],
)
async def test_arguments_that_fit_no_charger_make_no_command(name: str, body: dict[str, Any] | None, told: str) -> None:
    gateway = FakeGateway()
    charger = gateway.connect("CP-1")
    async with client_of(gateway, scope="command") as client:
        response = await client.post(f"/v1/chargers/CP-1/commands/{name}", json=body)
    problem = assert_problem(response, 422, "invalid-request")
    assert told in problem["detail"]
    assert not charger.executed
