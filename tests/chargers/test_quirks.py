"""How real chargers misbehave, row by row: the session stays up, the data gets through, the deviation is named.

`ROWS` leads from each row of the list of quirks (sections Connecting, Booting, Frames, Payloads) to its tests, here or
elsewhere; those here go over real sockets.
"""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.commands import CommandResult, Outcome, validated_arguments
from gateway.core.identity import ChargerId
from gateway.ocpp.quirks.catalog import Catalog
from gateway.quirk_files import quirk_catalog
from tests.chargers.conftest import Entries
from tests.chargers.harness import BOOT, BOOT_2X, METER, START, Node, handshake, response, running, until
from tests.support.leaping import LeapingClock

CP1 = ChargerId("CP1")
TOO_LONG = 61.0
"""Seconds after which no command waits for its answer any more."""

HERE = "tests/chargers/test_quirks.py"
CONNECTING = "tests/chargers/test_connecting.py"
START_STOP = "tests/core/test_start_stop.py"
LONG_OVER = "tests/core/test_long_over.py"
ODD_HANDSHAKES = f"{CONNECTING}::test_odd_handshakes_are_understood"
ODD_MESSAGES = f"{HERE}::test_an_odd_message_is_taken_answered_and_flagged"

ROWS: dict[int, list[str]] = {
    1: [
        ODD_HANDSHAKES,
        f"{CONNECTING}::test_without_a_common_version_the_handshake_ends_and_the_socket_closes",
        f"{HERE}::test_a_make_that_offers_no_version_is_known_by_its_identity",
        f"{HERE}::test_a_make_that_offers_no_version_is_known_by_its_last_boot",
    ],
    2: [ODD_HANDSHAKES],
    3: [ODD_HANDSHAKES, "tests/chargers/test_handshake.py::test_the_last_segment_of_any_path_is_the_identity"],
    4: [ODD_HANDSHAKES, "tests/chargers/test_handshake.py::test_the_last_segment_of_any_path_is_the_identity"],
    5: [f"{CONNECTING}::test_a_charger_may_change_its_version_between_connections"],
    6: [f"{HERE}::test_of_two_sockets_the_newer_counts"],
    7: ["tests/chargers/test_tls.py::test_obsolete_tls_is_spoken_only_where_it_is_allowed"],
    8: [
        f"{CONNECTING}::test_a_charger_that_never_answers_pings_stays_as_long_as_it_sends",
        f"{HERE}::test_long_silences_are_borne",
        f"{HERE}::test_a_charger_may_close_by_itself_and_come_back",
    ],
    9: [f"{HERE}::test_a_password_may_be_spelt_in_any_way"],
    10: [f"{HERE}::test_a_charger_that_reconnects_without_a_boot_is_known"],
    11: [f"{HERE}::test_no_charger_is_called_of_the_gateways_own_accord"],
    12: [f"{HERE}::test_no_charger_is_called_of_the_gateways_own_accord"],
    13: [f"{HERE}::test_a_boot_that_breaks_the_rules_is_a_boot"],
    14: [f"{HERE}::test_a_charger_that_speaks_but_ignores_calls_is_flagged"],
    15: [ODD_MESSAGES, f"{HERE}::test_a_message_that_is_cut_off_leaves_the_session_up"],
    16: [
        ODD_MESSAGES,
        f"{HERE}::test_an_empty_id_in_a_result_is_taken_for_the_call_that_waits",
        f"{HERE}::test_answers_to_nothing_and_answers_too_late_change_nothing",
        f"{HERE}::test_ids_may_be_used_again_at_once",
    ],
    17: [ODD_MESSAGES, f"{HERE}::test_an_error_with_four_elements_ends_its_command"],
    18: [ODD_MESSAGES, f"{HERE}::test_a_transaction_is_found_however_its_number_is_written"],
    19: [ODD_MESSAGES],
    20: [ODD_MESSAGES, f"{HERE}::test_kwh_that_are_labelled_wh_are_corrected_for_the_make_that_does_so"],
    21: [f"{HERE}::test_a_timestamp_is_read_or_named", f"{HERE}::test_local_time_is_read_where_the_zone_is_known"],
    22: [ODD_MESSAGES, f"{HERE}::test_a_long_id_tag_is_no_violation_of_a_make_that_has_them"],
    23: [ODD_MESSAGES, f"{HERE}::test_a_megabyte_is_taken"],
    24: [
        f"{START_STOP}::test_a_stop_with_a_wrong_number_ends_the_only_running_transaction_once",
        f"{LONG_OVER}::test_a_stop_with_a_wrong_number_said_again_after_many_more_makes_no_event",
    ],
    25: [
        f"{START_STOP}::test_a_start_said_again_gets_the_same_number_and_makes_no_event",
        f"{START_STOP}::test_two_starts_at_once_on_one_connector_are_two_transactions_and_the_right_one_goes_on",
        f"{LONG_OVER}::test_a_start_said_again_after_the_log_forgot_it_and_many_more_transactions_begins_nothing",
    ],
    26: [
        f"{START_STOP}::test_a_stop_said_again_with_other_values_is_flagged_and_changes_no_figure",
        f"{START_STOP}::test_a_stop_without_a_start_is_recorded_as_suspect_and_once",
        f"{START_STOP}::test_a_start_in_place_of_a_stop_ends_the_transaction_with_what_was_measured",
        f"{START_STOP}::test_a_charger_that_never_starts_has_its_samples_and_its_stop_kept",
    ],
    27: ["tests/core/test_meter_values.py::test_meter_values_after_the_stop_resurrect_nothing"],
    28: [
        f"{START_STOP}::test_energy_is_never_negative_and_says_where_it_is_from",
        "tests/core/test_energy.py::test_a_session_register_is_told_from_a_lifetime_one",
        "tests/core/test_energy.py::test_an_offline_begin_of_zero_is_flagged_in_ocpp_2",
    ],
    29: [
        "tests/core/test_transaction_events.py::test_in_whatever_order_they_come_the_bill_is_the_same",
        "tests/core/test_transaction_events.py::test_what_was_kept_offline_is_told",
    ],
    30: ["tests/chaos/test_neighbours.py::test_a_day_s_backlog_in_one_go_is_taken_in_order_and_delays_nobody"],
}


def test_every_row_has_its_tests() -> None:
    assert list(ROWS) == list(range(1, 31))
    for row, tests in ROWS.items():
        for file, _, name in (test.partition("::") for test in tests):
            text = (Path(__file__).parents[2] / file).read_text()
            assert f"def {name}(" in text, f"row {row}: {file} has no {name}"


def reset(node: Node) -> "asyncio.Task[CommandResult]":
    """A command under way."""
    return asyncio.create_task(node.execute("reset", validated_arguments("reset", {})))


def operators(text: str, folder: Path) -> Catalog:
    """A catalog with an operator's profiles."""
    path = folder / "quirks.toml"
    path.write_text(text)
    return quirk_catalog(path)


# ---------------------------------------------------------------- connecting (rows 1 to 9)


async def version_without_an_offer(node: Node, identity: str) -> str | None:
    """The version that is spoken with a charger that offers none; None where it is turned away."""
    async with node.charger(identity, subprotocol=None, boot=False) as charger:
        if charger.socket.protocol.state.name != "OPEN" or not await opened(node, identity):
            return None
        await charger.call("BootNotification", BOOT)
        return str(node.state(identity)["ocpp_version"])


async def opened(node: Node, identity: str) -> bool:
    """Whether the gateway took the charger in, once that is decided."""
    await until(lambda: ChargerId(identity) in node.store.owned or node.store.asked == 0 or refused(node))
    return ChargerId(identity) in node.store.owned


def refused(node: Node) -> bool:
    return b'handshakes_refused_total{status="101"}' in node.observer.page()


async def test_a_make_that_offers_no_version_is_known_by_its_identity() -> None:
    """Row 1 (Grizzl-E): no listener default is needed for a make that is known."""
    async with running() as node:
        assert await version_without_an_offer(node, "GRS-1700003fb5d") == "1.6"
        await until(lambda: not node.store.owned)
        assert node.state("GRS-1700003fb5d")["quirks"] == "grizzl-e"
        assert await version_without_an_offer(node, "OTHER-1") is None


async def test_a_make_that_offers_no_version_is_known_by_its_last_boot() -> None:
    """Row 1: what it said when it last booted, on whichever node, counts in the handshake."""
    async with running() as node:
        async with node.charger(boot=False) as charger:
            await charger.call("BootNotification", {"chargePointVendor": "United Chargers", "chargePointModel": "G"})
        await until(lambda: not node.store.owned)
        assert await version_without_an_offer(node, "CP1") == "1.6"


async def test_of_two_sockets_the_newer_counts() -> None:
    """Row 6 (ChargeX): the older is half open and never notices."""
    async with running() as node:
        reader, writer = await node.raw()
        writer.write(handshake())
        assert (await response(reader))[0] == 101
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: CP1 in node.store.owned)
        first = node.store.epochs[CP1]
        async with node.charger() as charger:
            assert node.store.epochs[CP1] > first
            assert (await charger.call("StartTransaction", START))["idTagInfo"]["status"] == "Accepted"
            assert node.connection().epoch == node.store.epochs[CP1]
            assert node.types()[-1] == "transaction.started"
        writer.transport.abort()


@pytest.mark.parametrize("silence", [60.0, 110.0, 659.0])
async def test_long_silences_are_borne(silence: float) -> None:
    """Row 8: a heartbeat each minute, or none at all and no pong, with the deadlines that come with the gateway."""
    async with running() as node, node.charger() as charger:
        connection = node.connection()
        connection.upkeep(connection.socket.last_received + silence)
        assert connection.socket.is_open
        assert "currentTime" in await charger.call("Heartbeat", {})
        connection.upkeep(connection.socket.last_received + 661)
        assert await charger.closed() == 1001


async def test_a_charger_may_close_by_itself_and_come_back() -> None:
    """Row 8: some do after 110 s without a message."""
    async with running() as node:
        for _ in range(3):
            async with node.charger() as charger:
                await charger.socket.close(1000)
            await until(lambda: not node.store.owned)
        assert node.types() == ["charger.connected", "charger.booted", "charger.disconnected"] * 3


SECRET = bytes(range(0xF0, 0x100)) + b"\x00\x01:\x0a"


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (SECRET, SECRET),  # not UTF-8
        (SECRET, SECRET.hex().encode()),
        (SECRET, SECRET.hex().upper().encode()),
        (SECRET.hex().encode(), SECRET),
        (SECRET.hex().encode(), SECRET.hex().upper().encode()),
        (SECRET.hex().upper().encode(), SECRET),
    ],
)
async def test_a_password_may_be_spelt_in_any_way(stored: bytes, sent: bytes) -> None:
    """Row 9 (OCTT TC_085): as hex text, or as the bytes that it stands for."""
    async with running() as node:
        node.store.passwords[CP1] = stored
        header = {"Authorization": "Basic " + base64.b64encode(b"CP1:" + sent).decode()}
        async with node.charger(headers=header) as charger:
            assert "currentTime" in await charger.call("Heartbeat", {})


# ---------------------------------------------------------------- booting (rows 10 to 14)


async def test_a_charger_that_reconnects_without_a_boot_is_known() -> None:
    """Row 10 (ABB, Webasto): its last boot counts, and what it sends is taken."""
    async with running() as node:
        async with node.charger():
            pass
        await until(lambda: not node.store.owned)
        async with node.charger(boot=False) as charger:
            assert "currentTime" in await charger.call("Heartbeat", {})
            assert (await charger.call("StartTransaction", START))["idTagInfo"]["status"] == "Accepted"
            assert (node.state()["vendor"], node.state()["availability"]) == ("Vendor", "online")
            assert node.state()["violations"] == 0


@pytest.mark.parametrize("vendor", ["Wall Box Chargers", "ABB", "Anker", "Anybody"])
async def test_no_charger_is_called_of_the_gateways_own_accord(vendor: str) -> None:
    """Rows 11 and 12 (Wallbox, ABB Terra, Anker): neither before its boot nor after it, unless somebody asks."""
    async with running(ping_interval=0) as node, node.charger(boot=False) as charger:
        assert await charger.silent(0.3)
        await charger.call("BootNotification", {"chargePointVendor": vendor, "chargePointModel": "CDT_TACW11"})
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        assert await charger.silent(0.3)
        command = reset(node)
        message_id, action, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert (action, (await command).outcome) == ("Reset", Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        # Huawei (evcc#32170)
        ({"chargePointModel": "ACChargePoint", "chargePointSerialNumber": "h", "chargePointVendor": ""}, None),
        ({"chargePointVendor": "V"}, "required"),
        ({}, "required"),
        # Schneider (213)
        (
            {
                "chargeBoxSerialNumber": "EVB1A22P2RI3N182341200100350795E5",
                "chargePointModel": "EVlink Smart Wallbox",
                "chargePointVendor": "Schneider Electric",
            },
            "max_length",
        ),
        # Grizzl-E (899)
        ({"chargePointVendor": "V", "chargePointModel": "a model of 22 letters."}, "max_length"),
    ],
)
async def test_a_boot_that_breaks_the_rules_is_a_boot(payload: dict[str, Any], code: str | None) -> None:
    """Row 13."""
    async with running() as node, node.charger(boot=False) as charger:
        assert (await charger.call("BootNotification", payload))["status"] == "Accepted"
        (event,) = node.data("charger.booted")
        assert event["raw"] == payload
        codes = {violation["code"] for violation in event.get("violations", [])}
        assert codes == (set() if code is None else {code})
        assert node.state()["violation_codes"].keys() == codes
        assert "currentTime" in await charger.call("Heartbeat", {})


async def test_a_charger_that_speaks_but_ignores_calls_is_flagged(log: Entries) -> None:
    """Row 14 (mh#338): each command times out; the third in a row flags it, an answer takes the flag away."""
    clock = LeapingClock()
    async with running(clock=clock) as node, node.charger() as charger:
        for _ in range(4):
            command = reset(node)
            await charger.called()
            await charger.call("Heartbeat", {})
            clock.leap(TOO_LONG)
            assert (await command).outcome is Outcome.TIMEOUT
        await until(lambda: node.state()["unresponsive"])
        assert node.data("charger.unresponsive") == [{"unresponsive": True, "unanswered_calls": 3}]
        command = reset(node)
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED
        await until(lambda: not node.state()["unresponsive"])
        assert node.data("charger.unresponsive")[1:] == [{"unresponsive": False, "unanswered_calls": 0}]
    assert [entry["event"] for entry in log if "answer" in entry["event"]] == [
        "charger does not answer calls",
        "charger answers calls again",
    ]


async def test_a_charger_that_says_nothing_at_all_is_not_called_unresponsive() -> None:
    """Row 14: that one is gone, and the idle timeout's to find."""
    clock = LeapingClock()
    async with running(clock=clock) as node, node.charger() as charger:
        await charger.call("Heartbeat", {})
        first = reset(node)
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        await first
        for _ in range(4):
            command = reset(node)
            await charger.called()
            clock.leap(TOO_LONG)
            assert (await command).outcome is Outcome.TIMEOUT
        assert node.data("charger.unresponsive") == []


# ---------------------------------------------------------------- frames and payloads (rows 15 to 23)

STATUS = '{"connectorId":1,"errorCode":"NoError","status":"Available"}'
AT = "2026-11-21T08:00:00Z"


def sampled(value: str) -> str:
    """MeterValues with this sampledValue."""
    return f'[2,"x","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"{AT}","sampledValue":{value}}}]}}]'


def frame(action: str, payload: dict[str, Any]) -> str:
    return json.dumps([2, "x", action, payload])


ODD: list[tuple[int, str, str, str]] = [
    # row, what is sent with the id "x" → event, codes of the violations
    (15, f'[,2,"x","StatusNotification",{STATUS}]', "connector.status", "stray_comma"),  # ZJ Beny
    (15, f',[2,"x","StatusNotification",{STATUS}]', "connector.status", "surrounding_noise"),
    (15, f'[2,"x","StatusNotification",{STATUS}]\x00\x00', "connector.status", "surrounding_noise"),  # Wallbe
    (15, f'\ufeff[2,"x","StatusNotification",{STATUS}]', "connector.status", "surrounding_noise"),
    (15, f'  [ 2 , "x" , "StatusNotification" , {STATUS} ]  \n', "connector.status", ""),
    (17, f'[2,"x","statusnotification",{STATUS}]', "connector.status", "action_case"),
    (17, '[2,"x","DataTransfer",null]', "data.transfer", "payload_null required"),
    (17, f'[2,"x","StatusNotification",[{STATUS}]]', "connector.status", "payload_not_an_object"),
    (17, '[2,"x","DataTransfer",[]]', "data.transfer", "payload_not_an_object required"),
    (18, sampled('[{"value":604.213,"unit":"Wh"}]'), "meter.values", "type"),  # OpenEVSE
    (18, frame("StartTransaction", {**START, "connectorId": "1", "meterStart": "1"}), "transaction.started", "type"),
    (18, frame("StatusNotification", {"connectorId": 1.0, "errorCode": "NoError", "status": "Available"}),
     "connector.status", "type"),
    (18, frame("DataTransfer", {"vendorId": 7}), "data.transfer", "type"),
    (19, frame("MeterValues", {"connectorId": 1, "meterValue": METER["meterValue"][0]}),  # type: ignore[index]
     "meter.values", "type"),  # Huawei
    (19, sampled("[]"), "meter.values", "min_items"),  # Vestel
    (20, sampled('[{"value":"50","measurand":"Frequency","unit":"Hz"}]'), "meter.values", "enum"),  # Charge Amps
    (20, sampled('[{"value":"16.000","context":"CurrentMax","unit":"A"}]'), "meter.values", "enum"),  # Alfen
    (20, sampled('[{"value":"1","measurand":"Power.Of.Love","unit":"W"}]'), "meter.values", "enum"),
    (20, frame("StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "Faulted"}),  # Legrand
     "connector.status", "enum"),
    (22, frame("Authorize", {"idTag": "X16WG99J2QIEGCC0MCJ5-"}), "authorization.decided", "max_length"),  # Sigen
    (22, frame("Authorize", {"idTag": " TAG\u0000 "}), "authorization.decided", "token_padded"),
    (23, frame("DataTransfer", {"vendorId": "v", "data": {"a": [1]}}), "data.transfer", "type"),  # Growatt
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "text", "event_type", "codes"),
    ODD,
    ids=[f"row {odd[0]}, {place}" for place, odd in enumerate(ODD)],
)
async def test_an_odd_message_is_taken_answered_and_flagged(row: int, text: str, event_type: str, codes: str) -> None:
    """Rows 15 to 20, 22 and 23: each has its event, its violations are named and counted, its answer is right."""
    async with running() as node, node.charger() as charger:
        await charger.send(text)
        assert (await charger.receive())[:2] == [3, "x"]
        (event,) = node.data(event_type)
        assert {violation["code"] for violation in event.get("violations", [])} == set(codes.split())
        assert node.state()["violation_codes"].keys() == set(codes.split())
        for code in codes.split():
            assert f'charger_violations_total{{charger="CP1",code="{code}"}}'.encode() in node.observer.page()
        assert "currentTime" in await charger.call("Heartbeat", {})


@pytest.mark.parametrize("subprotocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_status_without_its_connector_is_the_first_ones(subprotocol: str) -> None:
    """Row 22 (2135)."""
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        payload = {"timestamp": AT, "connectorStatus": "Available", "evseId": 1}
        assert await charger.call("StatusNotification", payload) == {}
        (event,) = node.data("connector.status")
        assert (event["evse_id"], event["connector_id"]) == (1, 1)
        assert [violation["code"] for violation in event["violations"]] == ["required"]


async def test_an_odd_code_and_an_odd_sample_are_passed_on_as_they_are() -> None:
    """Row 20: nothing is lost for being unknown."""
    async with running() as node, node.charger() as charger:
        await charger.send(
            sampled('[{"value":"16.000","context":"CurrentMax","measurand":"Power.Of.Love","unit":"A"}]')
        )
        await charger.receive()
        (sample,) = node.data("meter.values")[0]["samples"]
        assert (sample["measurand"], sample["context"], sample["value"]) == ("Power.Of.Love", "CurrentMax", 16)
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "Faulted"})
        assert node.data("connector.status")[0]["error"]["code"] == "Error"


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ('[2,"x","StatusNotification",{"connectorId":1,"erro', [4, "x", "FormationViolation"]),
        ('[2,"x","StartTransaction",{"connectorId":1,"idT', None),  # money: kept by a charger that gets no answer
        ('[2,"x","Stop', None),
        ('[2,"x', None),
    ],
)
async def test_a_message_that_is_cut_off_leaves_the_session_up(text: str, answered: list[Any] | None) -> None:
    """Row 15 (Grizzl-E)."""
    async with running() as node, node.charger() as charger:
        await charger.send(text)
        if answered is not None:
            assert (await charger.receive())[:3] == answered
        assert "currentTime" in await charger.call("Heartbeat", {})
        await until(lambda: node.data("charger.violation"))
        assert node.data("charger.violation")[0]["raw"] == text
        assert node.state()["violation_codes"] == {"malformed": 1}


async def test_two_frames_in_one_text_are_answered_each() -> None:
    """Row 15."""
    async with running() as node, node.charger() as charger:
        await charger.send(f'[2,"a","StatusNotification",{STATUS}][2,"b","StatusNotification",{STATUS}]')
        assert [(await charger.receive())[:2] for _ in range(2)] == [[3, "a"], [3, "b"]]
        assert len(node.data("connector.status")) == 2


async def test_a_numeric_id_is_answered_as_the_number_that_it_was() -> None:
    """Row 16."""
    async with running() as node, node.charger() as charger:
        await charger.send(f'[2,4711,"StatusNotification",{STATUS}]')
        assert await charger.receive() == [3, 4711, {}]
        assert node.data("connector.status")[0]["violations"][0]["code"] == "message_id_not_text"


async def test_an_empty_id_in_a_result_is_taken_for_the_call_that_waits() -> None:
    """Row 16 (ocpp-go#267)."""
    async with running() as node, node.charger() as charger:
        command = reset(node)
        await charger.called()
        await charger.answer("", {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED


async def test_answers_to_nothing_and_answers_too_late_change_nothing() -> None:
    """Row 16: they are told as violations, and the next command has its own answer."""
    clock = LeapingClock()
    async with running(clock=clock) as node, node.charger() as charger:
        await charger.answer("never-asked", {"status": "Accepted"})
        await until(lambda: node.data("charger.violation"))
        assert node.data("charger.violation")[0]["code"] == "unknown_answer"
        command = reset(node)
        message_id, _, _ = await charger.called()
        clock.leap(TOO_LONG)
        assert (await command).outcome is Outcome.TIMEOUT
        await charger.answer(message_id, {"status": "Accepted"})
        command = reset(node)
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Rejected"})
        assert (await command).outcome is Outcome.REJECTED
        page = node.observer.page().decode()
        assert 'charger_violations_total{charger="CP1",code="late_answer"} 1.0' in page


async def test_ids_may_be_used_again_at_once() -> None:
    """Row 16 (MicroOcpp#50)."""
    async with running() as node, node.charger() as charger:
        for _ in range(3):
            await charger.send(f'[2,"same","StatusNotification",{STATUS}]')
        assert [await charger.receive() for _ in range(3)] == [[3, "same", {}]] * 3
        assert len(node.data("connector.status")) == 3


async def test_an_error_with_four_elements_ends_its_command() -> None:
    """Row 17."""
    async with running() as node, node.charger() as charger:
        command = reset(node)
        message_id, _, _ = await charger.called()
        await charger.send(json.dumps([4, message_id, "NotSupported", "no"]))
        result = await command
        assert (result.outcome, result.reason) == (Outcome.ERROR, "NotSupported: no")


@pytest.mark.parametrize("written", [str, float, lambda number: f" {number} "], ids=["text", "float", "blanks"])
async def test_a_transaction_is_found_however_its_number_is_written(written: Any) -> None:
    """Row 18."""
    async with running() as node, node.charger() as charger:
        number = (await charger.call("StartTransaction", START))["transactionId"]
        stop = {"transactionId": written(number), "meterStop": "1600", "timestamp": "2026-11-21T09:00:00Z"}
        await charger.call("StopTransaction", stop)
        (ended,) = node.data("transaction.ended")
        assert (ended["energy_wh"], ended["suspect"]) == (1500, [])


async def test_kwh_that_are_labelled_wh_are_corrected_for_the_make_that_does_so() -> None:
    """Row 20 (OpenEVSE#703): corrected, told, and in `raw` as it was sent; a later firmware's Wh are Wh."""
    boot = {"chargePointVendor": "OpenEVSE", "chargePointModel": "Advanced Series"}
    async with running() as node, node.charger(boot=False) as charger:
        for firmware, quirks, start_wh, register_wh in (
            ("4.2.2", "openevse-4.2", 361_000, 362_000),
            ("5.0.0", None, 361, 362),
        ):
            await charger.call("BootNotification", {**boot, "firmwareVersion": firmware})
            await until(lambda: node.state()["quirks"] == quirks)  # noqa: B023
            start = {**START, "idTag": firmware, "meterStart": 361}
            number = (await charger.call("StartTransaction", start))["transactionId"]
            values = [{"value": "362", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}] * 2
            meter = {"connectorId": 1, "transactionId": number}
            await charger.call("MeterValues", {**meter, "meterValue": [{"timestamp": AT, "sampledValue": values}]})
            started, updated = node.data("transaction.started")[-1], node.data("transaction.updated")[-1]
            assert started["meter_start_wh"] == start_wh
            assert [sample["value"] for sample in updated["samples"]] == [register_wh] * 2
            assert updated["raw"]["meterValue"][0]["sampledValue"][0]["value"] == "362"
            corrected = [told["code"] for told in updated.get("violations", [])]
            assert corrected == (["unit_corrected"] if quirks else [])
            await charger.call("StopTransaction", {"transactionId": number, "meterStop": 362, "timestamp": AT})


@pytest.mark.parametrize(
    ("written", "read", "codes"),
    [
        ("2023-10-19T15:28:07", None, "format timestamp_without_zone"),  # Growatt THOR
        ("2026-11-21T08:00:00+02", "2026-11-21T06:00:00.000Z", "format"),  # monta
        ("", None, "format timestamp_unreadable"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", ""),  # MicroOcpp#311
        ("2026-11-21 08:00:00Z", "2026-11-21T08:00:00.000Z", None),
        ("2026-11-21t08:00:00z", "2026-11-21T08:00:00.000Z", None),
        (None, None, "type"),
        (1760000000, None, "type timestamp_unreadable"),
    ],
)
async def test_a_timestamp_is_read_or_named(written: Any, read: str | None, codes: str | None) -> None:
    """Row 21: what cannot be read is replaced by the gateway's clock, with a violation."""
    async with running() as node, node.charger() as charger:
        payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": written}
        assert await charger.call("StatusNotification", payload) == {}
        (event,) = [event for _, event in node.store.events if event["type"] == "ocpp.connector.status"]
        assert event["time"] == (read or event["recordedtime"])
        if codes is not None:
            told = event["data"].get("violations", [])  # type: ignore[attr-defined]
            assert {violation["code"] for violation in told} == set(codes.split())


@pytest.mark.parametrize(
    ("options", "written", "read", "codes"),
    [
        ("", "2026-07-21T10:00:00", "2026-07-21T08:00:00.000Z", "format"),
        ("", "2026-07-21T10:00:00Z", "2026-07-21T10:00:00.000Z", ""),
        ("ignore_zone = true", "2026-07-21T10:00:00Z", "2026-07-21T08:00:00.000Z", "zone_ignored"),  # steve#136
        ("ignore_zone = true", "2026-12-21T10:00:00.5Z", "2026-12-21T09:00:00.500Z", "zone_ignored"),
    ],
)
async def test_local_time_is_read_where_the_zone_is_known(
    options: str, written: str, read: str, codes: str, tmp_path: Path
) -> None:
    """Row 21: an operator says which zone the charger is in, and that it writes a wrong one."""
    catalog = operators(
        f'[[profile]]\nname = "ours"\nmatch = {{ identity = "CP?" }}\ntime_zone = "Europe/Berlin"\n{options}', tmp_path
    )
    async with running(catalog=catalog) as node, node.charger(boot=False) as charger:
        await charger.call("BootNotification", {"chargePointVendor": "Growatt", "chargePointModel": "THOR_11AS"})
        await until(lambda: node.state()["quirks"] == "growatt-thor + ours")
        payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": written}
        await charger.call("StatusNotification", payload)
        (event,) = [event for _, event in node.store.events if event["type"] == "ocpp.connector.status"]
        assert event["time"] == read
        told = event["data"].get("violations", [])  # type: ignore[attr-defined]
        assert {violation["code"] for violation in told} == set(codes.split())


async def test_a_long_id_tag_is_no_violation_of_a_make_that_has_them() -> None:
    """Row 22 (Sigen): 21 characters, also where the listener is strict; 22 are too long for it, too."""
    async with running(strict=True) as node, node.charger(boot=False) as charger:
        await charger.call("BootNotification", {"chargePointVendor": "Sigen", "chargePointModel": "EVDC"})
        assert (await charger.call("Authorize", {"idTag": "X" * 21}))["idTagInfo"]["status"] == "Accepted"
        assert "violations" not in node.data("authorization.decided")[0]
        start = asyncio.create_task(node.execute("start", validated_arguments("start", {"token": "X" * 21})))
        message_id, _, payload = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert (payload["idTag"], (await start).outcome) == ("X" * 21, Outcome.ACCEPTED)
        await charger.post("Authorize", {"idTag": "X" * 22}, "long")
        assert (await charger.receive())[:2] == [4, "long"]


async def test_a_megabyte_is_taken() -> None:
    """Row 23."""
    async with running() as node, node.charger() as charger:
        data = "x" * 1_000_000
        assert "status" in await charger.call("DataTransfer", {"vendorId": "v", "data": data})
        assert node.data("data.transfer")[0]["raw"]["data"] == data


# ---------------------------------------------------------------- profiles, as a charger meets them


async def test_strictness_is_a_make_s_own_and_chosen_anew_at_each_boot(tmp_path: Path) -> None:
    catalog = operators('[[profile]]\nname = "neat"\nmatch = { vendor = "Neat*" }\nstrict = true', tmp_path)
    broken = {"connectorId": 1, "errorCode": "Odd", "status": "Available"}
    async with running(catalog=catalog) as node, node.charger() as charger:
        await charger.call("StatusNotification", broken)
        for vendor, kind, quirks in (("NEAT Ltd", 4, "neat"), ("Vendor", 3, None)):
            await charger.call("BootNotification", {**BOOT, "chargePointVendor": vendor})
            await charger.post("StatusNotification", broken, vendor)
            assert (await charger.receive())[:2] == [kind, vendor]
            await until(lambda: node.state()["quirks"] == quirks)  # noqa: B023


async def test_a_charger_s_make_is_known_again_when_it_reconnects(tmp_path: Path) -> None:
    catalog = operators('[[profile]]\nname = "neat"\nmatch = { vendor = "Neat*" }\nstrict = true', tmp_path)
    async with running(catalog=catalog) as node:
        async with node.charger(subprotocol="ocpp2.0.1", boot=False) as charger:
            station = {**BOOT_2X["chargingStation"], "vendorName": "Neat"}  # type: ignore[dict-item]
            await charger.call("BootNotification", {**BOOT_2X, "chargingStation": station})
        await until(lambda: not node.store.owned)
        async with node.charger(subprotocol="ocpp2.0.1", boot=False) as charger:
            await charger.post("StatusNotification", {"evseId": "1"}, "x")
            assert (await charger.receive())[:2] == [4, "x"]
            assert node.state()["quirks"] == "neat"


async def test_commands_know_the_make_s_limits() -> None:
    async with running() as node, node.charger("GRS-1"):
        assert node.connection("GRS-1")._calling._station().quirks.max_stack_level == 0
