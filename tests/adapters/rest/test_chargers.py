import pytest

from gateway.core.identity import ChargerId
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway

AWKWARD = ["a/b", "x y", "ü#1", "100%", "a%2Fb", "+$", "..;/x", "CP-1", "日本"]


@pytest.mark.parametrize("identity", AWKWARD)
async def test_any_identity_can_be_asked_for_by_its_encoded_form(identity: str) -> None:
    gateway = FakeGateway()
    for other in AWKWARD:
        gateway.state.add(other)
    async with client_of(gateway, scope="read") as client:
        path = f"/v1/chargers/{ChargerId(identity).encoded}"
        response = await client.get(path)
        assert response.status_code == 200, response.text
        assert response.json()["id"] == identity
        assert len((await client.get(f"{path}/connectors")).json()["items"]) == 1
        assert (await client.get(f"{path}/evse/1/connector/1")).status_code == 200


async def test_a_charger_is_its_snapshot_with_availability_and_connectors_in_order() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1", online=True, connectors=[(2, 1), (10, 1), (1, 1)])
    async with client_of(gateway, scope="read") as client:
        charger = (await client.get("/v1/chargers/CP-1")).json()
    assert charger["availability"] == "online"
    assert charger["note"] == "kept as it is"
    assert [connector["evse_id"] for connector in charger["connectors"]] == [1, 2, 10]
    assert charger["connectors"][0] == {"status": "available", "power_w": 0, "evse_id": 1, "connector_id": 1}
    assert "memory" not in charger


async def test_a_charger_that_was_only_claimed_is_offline_and_bare() -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    snapshot = gateway.state.snapshots[ChargerId("CP-1")]
    snapshot.fields.clear()  # type: ignore[attr-defined]
    async with client_of(gateway, scope="read") as client:
        charger = (await client.get("/v1/chargers/CP-1")).json()
    assert charger == {"id": "CP-1", "availability": "offline", "connectors": []}


async def test_pages_follow_one_another_until_next_is_null() -> None:
    gateway = FakeGateway()
    for number in range(5):
        gateway.state.add(f"CP-{number}")
    seen, after = [], None
    async with client_of(gateway, scope="read") as client:
        while True:
            page = (await client.get("/v1/chargers", params={"limit": 2} | ({"after": after} if after else {}))).json()
            seen += [charger["id"] for charger in page["items"]]
            after = page["next"]
            if after is None:
                break
    assert seen == [f"CP-{number}" for number in range(5)]


async def test_a_cursor_that_is_none_of_ours_is_invalid() -> None:
    async with client_of(FakeGateway(), scope="read") as client:
        for listing in ("chargers", "transactions", "dead-letters"):
            assert_problem(await client.get(f"/v1/{listing}?after=made-up"), 422, "invalid-request")


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/v1/chargers/nobody", "unknown-charger"),
        ("/v1/chargers/nobody/connectors", "unknown-charger"),
        ("/v1/chargers/CP-1/evse/1/connector/2", "not-found"),
        ("/v1/chargers/a/b", "not-found"),
        ("/v1/nothing", "not-found"),
        ("/v1/chargers/", "not-found"),
    ],
)
async def test_what_is_not_there_is_a_404_problem(path: str, slug: str) -> None:
    gateway = FakeGateway()
    gateway.state.add("CP-1")
    async with client_of(gateway, scope="read") as client:
        assert_problem(await client.get(path), 404, slug)


@pytest.mark.parametrize("identity", ["%FF", "x" * 49])
async def test_an_impossible_identity_is_invalid(identity: str) -> None:
    async with client_of(FakeGateway(), scope="read") as client:
        assert_problem(await client.get(f"/v1/chargers/{identity}"), 422, "invalid-request")


async def test_a_connected_charger_cannot_be_deleted_an_offline_one_can() -> None:
    gateway = FakeGateway()
    gateway.state.add("online", online=True)
    gateway.state.add("offline")
    async with client_of(gateway) as client:
        assert_problem(await client.delete("/v1/chargers/online"), 409, "conflict")
        assert (await client.delete("/v1/chargers/offline")).status_code == 204
        assert_problem(await client.delete("/v1/chargers/offline"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "stored"),
    [({"password": "pässword"}, "pässword".encode()), ({"password_hex": "00fFa0"}, b"\x00\xff\xa0")],
)
async def test_a_password_is_stored_before_the_charger_was_seen_and_never_shown(
    body: dict[str, str], stored: bytes
) -> None:
    gateway = FakeGateway()
    async with client_of(gateway) as client:
        response = await client.put("/v1/chargers/a%2Fb/credentials", json=body)
        assert (response.status_code, response.content) == (204, b"")
        assert gateway.settings.passwords == {ChargerId("a/b"): stored}
        assert (await client.get("/v1/chargers/a%2Fb/settings")).json() == {
            "subprotocol": None,
            "has_password": True,
            "registration": None,
        }
        assert (await client.delete("/v1/chargers/a%2Fb/credentials")).status_code == 204
    assert gateway.settings.passwords == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": "hush-hush", "password_hex": "aa"},
        {"password_hex": "hush-hush"},
        {"password_hex": "hus"},
        {"password": ""},
        {"password": "hush" * 100},
        {"password": ["hush"]},
        {"password": "hush-hush", "other": "hush"},
    ],
)
async def test_a_refused_password_is_not_echoed(body: dict[str, object]) -> None:
    gateway = FakeGateway()
    async with client_of(gateway) as client:
        response = await client.put("/v1/chargers/CP-1/credentials", json=body)
    assert_problem(response, 422, "invalid-request")
    assert "hus" not in response.text
    assert gateway.settings.passwords == {}


async def test_the_subprotocol_to_prefer_is_stored_and_lifted() -> None:
    gateway = FakeGateway()
    async with client_of(gateway) as client:
        for choice in ("ocpp2.0.1", None):
            response = await client.put("/v1/chargers/CP-1/subprotocol", json={"subprotocol": choice})
            assert response.status_code == 204
            assert (await client.get("/v1/chargers/CP-1/settings")).json()["subprotocol"] == choice
        response = await client.put("/v1/chargers/CP-1/subprotocol", json={"subprotocol": "ocpp9"})
        assert_problem(response, 422, "invalid-request")


async def test_how_boots_are_answered_is_stored_before_the_charger_was_seen() -> None:
    gateway = FakeGateway()
    charger = ChargerId("a/b")
    async with client_of(gateway) as client:
        for status in ("accepted", "pending", "rejected"):
            assert (await client.put("/v1/chargers/a%2Fb/registration", json={"status": status})).status_code == 204
            assert gateway.settings.registrations == {charger: status}
            assert (await client.get("/v1/chargers/a%2Fb/settings")).json()["registration"] == status
        for wrong in ({"status": "maybe"}, {"status": None}, {}, {"status": "accepted", "x": 1}):
            response = await client.put("/v1/chargers/a%2Fb/registration", json=wrong)
            assert_problem(response, 422, "invalid-request")
        assert (await client.delete("/v1/chargers/a%2Fb/registration")).status_code == 204
    assert gateway.settings.registrations == {}
