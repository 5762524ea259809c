"""Transactions over REST: filters, catching up, CSV, and OCPI's view."""

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from gateway.core.transaction import new_record
from tests.adapters.rest.client import assert_problem, client_of
from tests.adapters.rest.fakes import FakeGateway
from tests.core.driver import REGISTER, Driver, sample, start, stop


def with_records(**fields: dict[str, Any]) -> FakeGateway:
    """A gateway with these records."""
    gateway = FakeGateway()
    for name, own in fields.items():
        gateway.state.records[name] = {**new_record(name, "CP-1", "7"), **own}
    return gateway


def charged() -> dict[str, Any]:
    """The record of a transaction as a twin makes it, with signed readings."""
    driver = Driver()
    number = driver.say(start()).transaction_id
    begin = {**sample(REGISTER, "OCMF|{b}|{s}", 0, context="Transaction.Begin"), "signed": "OCMF|{b}|{s}"}
    power = sample("Power.Active.Import", 11000.5, 300)
    ended = driver.say(stop(number, 3600, meter=12345, samples=[begin, power]))
    return driver.record(ended.data["transaction_id"])


# ---------------------------------------------------------------- listing


async def test_filters_are_handed_on() -> None:
    gateway = with_records(
        t1={"status": "ended", "token": {"id": "Abc", "type": None}, "started_at": "2026-11-21T08:00:00.000Z"},
        t2={"status": "active", "suspect": ["gap"], "command_id": "c-1", "started_at": "2026-11-22T08:00:00.000Z"},
    )
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["t1", "t2"]),
        ({"status": "active"}, ["t2"]),
        ({"token": "ABC"}, ["t1"]),
        ({"suspect": "true"}, ["t2"]),
        ({"started_from": "2026-11-22T09:00:00+01:00"}, ["t2"]),
        ({"started_until": "2026-11-22T00:00:00Z"}, ["t1"]),
        ({"charger_id": "other"}, []),
        ({"command_id": "c-1"}, ["t2"]),
    ]
    async with client_of(gateway, scope="read") as client:
        for query, expected in cases:
            page = (await client.get("/v1/transactions", params=query)).json()
            assert [item["id"] for item in page["items"]] == expected, query
        plus = await client.get("/v1/transactions?started_from=2026-11-22T08:00:00+01:00")
        assert "%2B" in assert_problem(plus, 422, "invalid-request")["detail"]
        for wrong in ({"status": "odd"}, {"started_from": "2026-11-22T08:00:00"}, {"format": "xml"}):
            assert_problem(await client.get("/v1/transactions", params=wrong), 422, "invalid-request")


async def test_who_catches_up_gets_a_cursor_to_poll_with() -> None:
    gateway = with_records(t1={}, t2={}, t3={})
    query: dict[str, Any] = {"updated_since": "2026-11-21T08:00:00Z", "limit": 2}
    async with client_of(gateway, scope="read") as client:
        page = (await client.get("/v1/transactions", params=query)).json()
        assert (len(page["items"]), page["next"] == page["cursor"]) == (2, True)
        page = (await client.get("/v1/transactions", params={**query, "after": page["next"]})).json()
        assert ([item["id"] for item in page["items"]], page["next"]) == (["t3"], None)
        gateway.state.records["t4"] = {**new_record("t4", "CP-1", "8")}
        page = (await client.get("/v1/transactions", params={**query, "after": page["cursor"]})).json()
        assert [item["id"] for item in page["items"]] == ["t4"]
        response = await client.get("/v1/transactions", params={**query, "after": "rubbish"})
        assert_problem(response, 422, "invalid-request")


async def test_one_comes_with_its_samples_and_without_the_twins_notes() -> None:
    gateway = with_records(t1={"start_key": "secret", "seen": [[0, 1]]})
    gateway.state.sampled["t1"] = [{"value": 1}]
    async with client_of(gateway, scope="read") as client:
        found = (await client.get("/v1/transactions/t1")).json()
    assert found["samples"] == [{"value": 1}]
    assert not {"start_key", "seen", "prints", "register", "measured"} & set(found)
    assert {"readings", "peak_power_w", "tokens", "command_id"} <= set(found)


async def test_a_record_of_an_older_gateway_has_every_key() -> None:
    gateway = FakeGateway()
    gateway.state.records["t1"] = {"id": "t1", "charger_id": "CP-1", "status": "ended", "energy_wh": None}
    async with client_of(gateway, scope="read") as client:
        for form in ("record", "ocpi"):
            response = await client.get("/v1/transactions/t1", params={"format": form})
            assert response.status_code == 200, response.text


# ---------------------------------------------------------------- CSV


async def test_a_page_as_csv_leads_to_the_next() -> None:
    token = {"id": 'with, "quotes"', "type": None}
    gateway = with_records(t1={"token": token, "energy_wh": 1500, "suspect": ["gap", "missing_stop"]}, t2={})
    async with client_of(gateway, scope="read") as client:
        headers = {"Accept": "text/csv"}
        response = await client.get("/v1/transactions", params={"limit": 1}, headers=headers)
        assert response.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(io.StringIO(response.text))
        assert (row["id"], row["token"], row["energy_wh"]) == ("t1", 'with, "quotes"', "1500")
        assert (row["suspect"], row["ended_at"]) == ("gap missing_stop", "")
        following = re.search("<(.+)>", response.headers["link"])
        assert following is not None
        response = await client.get(following[1], headers=headers)
        assert [row["id"] for row in csv.DictReader(io.StringIO(response.text))] == ["t2"]
        assert "link" not in response.headers


@pytest.mark.parametrize(
    ("said", "cell"),
    [
        ('=HYPERLINK("http://x";"y")', '\'=HYPERLINK("http://x";"y")'),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-5", "-5"),
        ("+4.50", "+4.50"),
        ("04A2", "04A2"),
    ],
)
async def test_what_a_charger_said_is_no_formula_in_a_spreadsheet(said: str, cell: str) -> None:
    gateway = with_records(t1={"token": {"id": said, "type": None}, "energy_wh": -5})
    async with client_of(gateway, scope="read") as client:
        response = await client.get("/v1/transactions", headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(response.text, newline=""))
    assert (row["token"], row["energy_wh"]) == (cell, "-5")


@pytest.mark.parametrize("name", ["started_from", "started_until", "updated_since"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_beyond_the_calendar_is_told(name: str, moment: str) -> None:
    async with client_of(with_records(t1={}), scope="read") as client:
        response = await client.get("/v1/transactions", params={name: moment})
        assert name in assert_problem(response, 422, "invalid-request")["errors"][0]["location"]
        edge = await client.get("/v1/transactions", params={name: moment[:19] + "Z"})
        assert edge.status_code == 200, edge.text


# ---------------------------------------------------------------- OCPI 2.2.1


class _Object(BaseModel):
    """Nothing but what the published definitions name."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _is_utc(text: str) -> str:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    datetime.fromisoformat(text)
    return text


def _has_four_decimals(number: float) -> float:
    assert -Decimal(str(number)).as_tuple().exponent <= 4  # type: ignore[operator]
    return number


def text(length: int) -> Any:
    return Annotated[str, StringConstraints(min_length=1, max_length=length, pattern=r"^[\x20-\x7e]+$")]


Moment = Annotated[str, StringConstraints(max_length=25), AfterValidator(_is_utc)]
Number = Annotated[int | float, AfterValidator(_has_four_decimals)]


class Price(_Object):
    excl_vat: Number
    incl_vat: Number | None = None


class Token(_Object):
    country_code: text(2)  # type: ignore[valid-type]
    party_id: text(3)  # type: ignore[valid-type]
    uid: text(36)  # type: ignore[valid-type]
    type: Literal["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]
    contract_id: text(36)  # type: ignore[valid-type]


class Dimension(_Object):
    type: Literal[
        "CURRENT",
        "ENERGY",
        "ENERGY_EXPORT",
        "ENERGY_IMPORT",
        "MAX_CURRENT",
        "MIN_CURRENT",
        "MAX_POWER",
        "MIN_POWER",
        "PARKING_TIME",
        "POWER",
        "RESERVATION_TIME",
        "STATE_OF_CHARGE",
        "TIME",
    ]
    volume: Number


class Period(_Object):
    start_date_time: Moment
    dimensions: list[Dimension] = Field(min_length=1)
    tariff_id: text(36) | None = None  # type: ignore[valid-type]


class Coordinates(_Object):
    latitude: Annotated[str, StringConstraints(max_length=10, pattern=r"^-?[0-9]{1,2}\.[0-9]{5,7}$")]
    longitude: Annotated[str, StringConstraints(max_length=11, pattern=r"^-?[0-9]{1,3}\.[0-9]{5,7}$")]


class Location(_Object):
    id: text(36)  # type: ignore[valid-type]
    name: text(255) | None = None  # type: ignore[valid-type]
    address: text(45)  # type: ignore[valid-type]
    city: text(45)  # type: ignore[valid-type]
    postal_code: text(10) | None = None  # type: ignore[valid-type]
    state: text(20) | None = None  # type: ignore[valid-type]
    country: text(3)  # type: ignore[valid-type]
    coordinates: Coordinates
    evse_uid: text(36)  # type: ignore[valid-type]
    evse_id: text(48)  # type: ignore[valid-type]
    connector_id: text(36)  # type: ignore[valid-type]
    connector_standard: Literal["IEC_62196_T2", "IEC_62196_T2_COMBO", "CHADEMO", "DOMESTIC_F"]
    connector_format: Literal["SOCKET", "CABLE"]
    connector_power_type: Literal["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"]


class SignedValue(_Object):
    nature: Literal["Start", "End", "Intermediate"]
    plain_data: text(512)  # type: ignore[valid-type]
    signed_data: text(5000)  # type: ignore[valid-type]


class SignedData(_Object):
    encoding_method: text(36)  # type: ignore[valid-type]
    encoding_method_version: int | None = None
    public_key: text(512) | None = None  # type: ignore[valid-type]
    signed_values: list[SignedValue] = Field(min_length=1)
    url: text(512) | None = None  # type: ignore[valid-type]


class _Charged(_Object):
    country_code: text(2)  # type: ignore[valid-type]
    party_id: text(3)  # type: ignore[valid-type]
    start_date_time: Moment
    cdr_token: Token
    auth_method: Literal["AUTH_REQUEST", "COMMAND", "WHITELIST"]
    authorization_reference: text(36) | None = None  # type: ignore[valid-type]
    meter_id: text(255) | None = None  # type: ignore[valid-type]
    currency: text(3)  # type: ignore[valid-type]
    charging_periods: list[Period] = Field(min_length=1)
    last_updated: Moment


class Cdr(_Charged):
    """The CDR object (mod_cdrs, section 10.3.1)."""

    id: text(39)  # type: ignore[valid-type]
    end_date_time: Moment
    session_id: text(36) | None = None  # type: ignore[valid-type]
    cdr_location: Location
    signed_data: SignedData | None = None
    total_cost: Price
    total_energy: Number
    total_time: Number
    remark: text(255) | None = None  # type: ignore[valid-type]


class Session(_Charged):
    """The Session object (mod_sessions, section 9.3.1)."""

    id: text(36)  # type: ignore[valid-type]
    end_date_time: Moment | None = None
    kwh: Number
    location_id: text(36)  # type: ignore[valid-type]
    evse_uid: text(36)  # type: ignore[valid-type]
    connector_id: text(36)  # type: ignore[valid-type]
    total_cost: Price | None = None
    status: Literal["ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION"]


async def test_an_ended_transaction_is_a_cdr() -> None:
    gateway = FakeGateway()
    record = charged()
    gateway.state.records["t"] = record
    async with client_of(gateway, scope="read", ocpi_country_code="DE", ocpi_party_id="ABC") as client:
        found = (await client.get("/v1/transactions/t", params={"format": "ocpi"})).json()
        listed = (await client.get("/v1/transactions", params={"format": "ocpi"})).json()["items"]
    assert listed == [found]
    cdr = Cdr.model_validate(found)
    assert (cdr.country_code, cdr.party_id, cdr.session_id) == ("DE", "ABC", record["id"])
    assert (cdr.total_energy, cdr.total_time) == (11.345, 1.0)
    assert cdr.signed_data is not None
    assert [(value.nature, value.signed_data) for value in cdr.signed_data.signed_values] == [("Start", "OCMF|{b}|{s}")]
    assert {d.type: d.volume for d in cdr.charging_periods[0].dimensions}["MAX_POWER"] == 11.0005


async def test_a_running_one_and_one_of_unknown_energy_are_sessions() -> None:
    driver = Driver()
    running = driver.say(start(token="x" * 50)).data["transaction_id"]
    gateway = FakeGateway()
    gateway.state.records["running"] = driver.record(running)
    driver.say(stop(None, meter=None))
    gateway.state.records["unknown"] = driver.record(running)
    async with client_of(gateway, scope="read") as client:
        for name, status in (("running", "ACTIVE"), ("unknown", "INVALID")):
            found = (await client.get(f"/v1/transactions/{name}", params={"format": "ocpi"})).json()
            assert Session.model_validate(found).status == status


@pytest.mark.parametrize("revision", [1, 2, 12])
async def test_a_corrected_cdr_has_an_id_of_its_own(revision: int) -> None:
    gateway = FakeGateway()
    gateway.state.records["t"] = {**charged(), "revision": revision, "suspect": ["gap"]}
    async with client_of(gateway, scope="read") as client:
        cdr = Cdr.model_validate((await client.get("/v1/transactions/t", params={"format": "ocpi"})).json())
    assert cdr.id == str(cdr.session_id) + ("" if revision == 1 else f"-{revision}")
    assert cdr.remark == "suspect: gap; cost unknown: total_cost is 0 as the charger reported none"


async def test_a_cdr_says_what_it_cannot_hold() -> None:
    record = {**charged(), "cost": {"total": {"excluding_tax": 1.5}}}
    (reading,) = [one for one in record["measured"]["readings"] if "signed" in one]
    long = {**reading, "signed": "OCMF|" + "x" * 5000}
    gateway = with_records(t1=record, t2={**record, "measured": {**record["measured"], "readings": [reading, long]}})
    async with client_of(gateway, scope="read") as client:
        found = (await client.get("/v1/transactions", params={"format": "ocpi"})).json()["items"]
    plain, cut = sorted((Cdr.model_validate(one) for one in found), key=lambda one: one.remark or "")
    assert (plain.remark, cut.remark) == (None, "signed data too long for OCPI: see the transaction")
    assert plain.signed_data == cut.signed_data, "none is cut: a signature of a part proves nothing"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(1e24, None), (-1e300, None), (10**400, None), ("12", None), (True, None), (12.34567, 12.3457)],
)
async def test_an_absurd_number_leaves_the_cost_out_and_breaks_no_list(amount: Any, shown: float | None) -> None:
    absurd = {**charged(), "cost": {"total": {"excluding_tax": amount}}}
    gateway = with_records(t1=absurd, t2={})
    async with client_of(gateway, scope="read") as client:
        response = await client.get("/v1/transactions", params={"format": "ocpi"})
    assert response.status_code == 200, response.text
    cost = next(item["total_cost"] for item in response.json()["items"] if "total_cost" in item)
    assert cost["excl_vat"] == (shown or 0)


@pytest.mark.parametrize("energy", [1e24, 1e308])
async def test_an_absurd_energy_is_cut(energy: float) -> None:
    gateway = with_records(t1={**charged(), "energy_wh": energy, "duration_s": energy})
    async with client_of(gateway, scope="read") as client:
        (found,) = (await client.get("/v1/transactions", params={"format": "ocpi"})).json()["items"]
    assert (found["total_energy"], found["total_time"]) == (1e15, 1e15)


@pytest.mark.parametrize(
    ("told", "currency", "cost"),
    [
        ("NOK", "NOK", 12),
        ("nok", "NOK", 12),
        (None, "EUR", 12),
        ("Krone", "EUR", 0),
        ("€", "EUR", 0),
        ("578", "EUR", 0),
    ],
)
async def test_a_currency_that_ocpi_cannot_hold_leaves_the_cost_out(told: str | None, currency: str, cost: int) -> None:
    gateway = with_records(t1={**charged(), "cost": {"currency": told, "total": {"excluding_tax": 12}}})
    async with client_of(gateway, scope="read") as client:
        (found,) = (await client.get("/v1/transactions", params={"format": "ocpi"})).json()["items"]
    cdr = Cdr.model_validate(found)
    assert (cdr.currency, found["total_cost"]) == (currency, {"excl_vat": cost})
    assert ("ISO 4217" in (cdr.remark or "")) is (cost == 0)
