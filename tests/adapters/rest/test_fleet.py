from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway


async def test_nodes_are_listed() -> None:
    async with client_of(FakeGateway(), scope="read") as client:
        nodes = (await client.get("/v1/nodes")).json()
    expected = {"id": "node-1", "started_at": "1970-01-01T00:00:00.000Z", "chargers": 3, "version": "0.1.0"}
    assert nodes == {"items": [expected], "next": None}


async def test_a_dead_letter_shows_its_event_and_can_be_thrown_away() -> None:
    gateway = FakeGateway()
    gateway.state.add_letter("shard/1-0")
    async with client_of(gateway) as client:
        listed = await client.get("/v1/dead-letters")
        (letter,) = listed.json()["items"]
        assert letter["event"] == {"id": "e1", "big": 18446744073709551617}
        assert (letter["charger_id"], letter["reader"], letter["reason"]) == ("CP-1", "mqtt", "too large")
        assert (await client.delete("/v1/dead-letters/shard%2F1-0")).status_code == 204
        assert_problem(await client.delete("/v1/dead-letters/shard%2F1-0"), 404, "not-found")


async def test_transactions_are_found_by_charger_page_and_id() -> None:
    gateway = FakeGateway()
    for number in range(3):
        record = {"id": f"t{number}", "charger_id": "a/b" if number else "CP-1", "energy_wh": number, "seen": [[0, 3]]}
        gateway.state.records[f"t{number}"] = record
    async with client_of(gateway, scope="read") as client:
        page = (await client.get("/v1/transactions", params={"charger_id": "a/b", "limit": 1})).json()
        assert [record["id"] for record in page["items"]] == ["t1"]
        query = {"charger_id": "a/b", "after": page["next"]}
        assert (await client.get("/v1/transactions", params=query)).json()["next"] is None
        found = (await client.get("/v1/transactions/t2")).json()
        assert (found["id"], found["charger_id"], found["energy_wh"]) == ("t2", "a/b", 2)
        assert "seen" not in found, "without the twin's own notes"
        assert_problem(await client.get("/v1/transactions/none"), 404, "not-found")


async def test_refused_handshakes_are_listed_with_what_to_do_the_latest_first() -> None:
    gateway = FakeGateway()
    note = gateway.context.refusals.note
    note("not_http", "not HTTP", remote="10.0.0.9:5", now=1.0)
    for now in (2.0, 3.0):
        note("wrong_password", "wrong password", remote="10.0.0.7:5", now=now, charger_id="a/b", path="/ocpp/a%2Fb")
    async with client_of(gateway, scope="read") as client:
        listed = (await client.get("/v1/handshakes")).json()
    assert listed["next"] is None
    known, unknown = listed["items"]
    assert "PUT /v1/chargers/<id>/credentials" in known.pop("advice")
    assert known == {
        "charger_id": "a/b",
        "address": "10.0.0.7",
        "cause": "wrong_password",
        "reason": "wrong password",
        "path": "/ocpp/a%2Fb",
        "count": 2,
        "first_at": "1970-01-01T00:00:02.000Z",
        "last_at": "1970-01-01T00:00:03.000Z",
    }
    assert (unknown["charger_id"], unknown["path"], unknown["count"]) == (None, None, 1)
