"""Block C: which tokens may charge, groups, the cache, contract certificates, master pass."""

import pytest

from tests.compliance.laboratory import ASKING, Laboratory
from tests.compliance.ocpp201.messages import VERSION, Transaction, token
from tests.compliance.ocpp201.orders import Order, carry_out, cases
from tests.compliance.station import Payload, holds

STATUSES = [
    ("TC_C_01 valid", "VALID", "Accepted"),
    ("TC_C_01 valid in lower case", "valid", "Accepted"),
    ("TC_C_02 invalid", "INVALID", "Invalid"),
    ("TC_C_02 unknown", "UNKNOWN", "Unknown"),
    ("TC_C_02 not on the list", "NOBODY", "Invalid"),
    ("TC_C_06 blocked", "BLOCKED", "Blocked"),
    ("TC_C_07 expired", "EXPIRED", "Expired"),
    ("TC_C_XX no credit", "NO-CREDIT", "NoCredit"),
]
IDS = [case.replace(" ", "-") for case, _, _ in STATUSES]


@pytest.mark.parametrize(("case", "written", "told"), STATUSES, ids=IDS)
async def test_a_token_is_presented(lab: Laboratory, case: str, written: str, told: str) -> None:
    """C01.FR.01, FR.06, FR.07."""
    async with lab.booted(VERSION) as (station, _):
        answer = await station.call("Authorize", {"idToken": token(written)})
        assert answer["idTokenInfo"]["status"] == told


@pytest.mark.parametrize(("case", "written", "told"), STATUSES, ids=IDS)
@pytest.mark.parametrize("trigger", ["Authorized", "StopAuthorized"])
async def test_a_token_is_told_by_a_transaction(
    lab: Laboratory, case: str, written: str, told: str, trigger: str
) -> None:
    """TC_C_08, TC_C_20: what a station took from its cache is checked again (C12.FR.02, E01.FR.11)."""
    async with lab.booted(VERSION) as (station, _):
        transaction = Transaction()
        if trigger == "StopAuthorized":
            await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        kind = "Started" if trigger == "Authorized" else "Updated"
        answer = await station.call("TransactionEvent", transaction.event(kind, trigger, id_token=written))
        assert answer["idTokenInfo"]["status"] == told


async def test_tc_c_08_an_answer_may_be_kept_until_it_expires(lab: Laboratory) -> None:
    """C10.FR.08: cacheExpiryDateTime is the token's."""
    async with lab.booted(VERSION) as (station, _):
        answer = await station.call("Authorize", {"idToken": token("FUTURE")})
        assert answer["idTokenInfo"]["cacheExpiryDateTime"] == "2099-01-01T00:00:00.000Z"


@pytest.mark.parametrize("action", ["Authorize", "TransactionEvent"])
async def test_a_station_without_authorization_need_not_name_a_token(lab: Laboratory, action: str) -> None:
    """C01.FR.09, C02.FR.01, FR.02: a NoAuthorization token is empty, and accepted although there is a list."""
    nobody = {"idToken": "", "type": "NoAuthorization"}
    async with lab.booted(VERSION) as (station, _):
        rest = {} if action == "Authorize" else Transaction().started("CablePluggedIn")
        answer = await station.call(action, rest | {"idToken": nobody})
        assert answer["idTokenInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("kind", ["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress"])
async def test_every_type_of_token_is_understood(lab: Laboratory, kind: str) -> None:
    """C01 to C06, and TC_C_31: what goes with it is additional information."""
    more = {"additionalInfo": [{"additionalIdToken": "1234", "type": "pin"}]}
    async with lab.booted(VERSION) as (station, _):
        answer = await station.call("Authorize", {"idToken": token("VALID", kind) | more})
        assert answer["idTokenInfo"]["status"] == "Accepted"


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize("case", ["TC_C_39", "TC_C_40", "TC_C_43"])
async def test_a_token_of_the_same_group_stops_a_transaction(lab: Laboratory, case: str) -> None:
    """C09.FR.02, FR.03: both answers tell the group, with and without a local list."""
    group = {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY"}}
    async with lab.booted(VERSION) as (station, operator):
        if case != "TC_C_39":
            listed = [{"token": name, "group": "FAMILY"} for name in ("VALID", "VALID-2")]
            await operator.command("send_local_list", version=1, tokens=listed)
            entries = (await station.expect("SendLocalList"))["localAuthorizationList"]
            assert all(holds(entry["idTokenInfo"], group) for entry in entries)
        transaction = Transaction()
        first = await station.call("TransactionEvent", transaction.started("Authorized", id_token="VALID"))
        assert holds(first["idTokenInfo"], group), first
        await station.call("TransactionEvent", transaction.updated("ChargingStateChanged", state="Charging"))
        if case == "TC_C_43":
            shown = await station.call("Authorize", {"idToken": token("VALID-2")})
            assert holds(shown["idTokenInfo"], group), shown
        second = await station.call("TransactionEvent", transaction.updated("StopAuthorized", id_token="VALID-2"))
        assert holds(second["idTokenInfo"], group), second
        await station.call("TransactionEvent", transaction.ended("EVCommunicationLost"))


@pytest.mark.parametrize(
    ("case", "stopped"),
    [("TC_C_47", 2), ("TC_C_48", 1), ("TC_C_49", 2)],
    ids=["TC_C_47-all-with-a-display", "TC_C_48-one-with-a-display", "TC_C_49-all-without-a-display"],
)
async def test_a_master_pass_stops_transactions(lab: Laboratory, case: str, stopped: int) -> None:
    """C16.FR.01, FR.02: the answer names the group of master passes; each end is taken."""
    async with lab.booted(VERSION) as (station, operator):
        running = [Transaction(evse_id=evse_id) for evse_id in (1, 2)]
        for transaction, written in zip(running, ("VALID", "VALID-2"), strict=True):
            await station.call("TransactionEvent", transaction.started("Authorized", id_token=written))
        shown = await station.call("Authorize", {"idToken": token("MASTERPASS")})
        assert holds(shown["idTokenInfo"], {"status": "Accepted", "groupIdToken": {"idToken": "MASTERPASSGROUP"}})
        for transaction in running[:stopped]:
            ended = transaction.ended("StopAuthorized", "MasterPass", id_token="MASTERPASS")
            answer = await station.call("TransactionEvent", ended)
            assert holds(answer["idTokenInfo"], {"groupIdToken": {"idToken": "MASTERPASSGROUP"}})
        records = await operator.transactions()
        assert sorted(record["status"] for record in records) == ["active"] * (2 - stopped) + ["ended"] * stopped
        assert {record["stop_reason"] for record in records if record["status"] == "ended"} == {"master_pass"}


# ---------------------------------------------------------------- the cache

CACHE = [
    Order("TC_C_37 clear the cache", "clear_cache", {}, "ClearCache", {}),
    Order("TC_C_38 the cache is not cleared", "clear_cache", {}, "ClearCache", {}, {"status": "Rejected"}, "rejected"),
]


@cases(CACHE)
async def test_clear_cache(order: Order, lab: Laboratory) -> None:
    """Use case C11."""
    await carry_out(order, lab, VERSION)


# ---------------------------------------------------------------- contract certificates

HASHES = [
    {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "d2f1",
        "issuerKeyHash": "a5c3",
        "serialNumber": "1A2B3C4D",
        "responderURL": "http://ocsp.example.com",
    }
]
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
ACCEPTED = {"status": "accepted", "certificate_status": "accepted"}
REVOKED = {"status": "invalid", "certificate_status": "certificate_revoked"}


@pytest.mark.parametrize(
    ("case", "presented", "decision", "status", "certificate"),
    [
        ("TC_C_50", {"iso15118CertificateHashData": HASHES}, ACCEPTED, "Accepted", "Accepted"),
        ("TC_C_51", {"iso15118CertificateHashData": HASHES}, REVOKED, "Invalid", "CertificateRevoked"),
        ("TC_C_52", {"certificate": CERTIFICATE}, ACCEPTED, "Accepted", "Accepted"),
    ],
    ids=["TC_C_50-hashes-accepted", "TC_C_51-hashes-revoked", "TC_C_52-certificate-accepted"],
)
async def test_a_contract_certificate_is_presented(
    lab: Laboratory, case: str, presented: Payload, decision: Payload, status: str, certificate: str
) -> None:
    """C07.FR.04, FR.05, FR.16. Whether a certificate is revoked is found out (OCSP) by the business system, which gets
    all that the station told of it."""
    name = lab.name(ASKING)
    async with (
        lab.business(name, {"authorize": decision}) as business,
        lab.booted(VERSION, identity=name) as (
            station,
            _,
        ),
    ):
        answer = await station.call("Authorize", {"idToken": token("DE-8AA-1A2B3C4D5", "eMAID")} | presented)
        assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == (status, certificate)
        assert holds(business.asked[0], {"token": {"id": "DE-8AA-1A2B3C4D5", "type": "eMAID"}, "moment": "presented"})
        if "certificate" in presented:
            assert business.asked[0]["certificate"] == CERTIFICATE
        else:
            assert holds(business.asked[0]["certificate_hashes"], [{"serial_number": "1A2B3C4D"}])
        if status == "Accepted":
            started = Transaction().started("Authorized", idToken=token("DE-8AA-1A2B3C4D5", "eMAID"))
            answer = await station.call("TransactionEvent", started)
            assert answer["idTokenInfo"]["status"] == "Accepted"
