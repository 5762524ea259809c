"""The picture of a charger: its snapshot, its connectors, and the events that tell of changes."""

from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.identity import ChargerId
from gateway.core.reports import (
    Authorization,
    Boot,
    BootDecision,
    Heartbeat,
    Limit,
    Meter,
    Notice,
    Status,
    Token,
    TokenDecision,
    Untranslated,
)
from gateway.core.twin import Twin
from tests.core.driver import NOW, REGISTER, Driver, at, event, sample, start, stop, whole

DOCUMENTED = {
    "status",
    "error",
    "plugged",
    "charging",
    "enabled",
    "paused_by",
    "power_w",
    "energy_register_wh",
    "current_a",
    "voltage_v",
    "soc_percent",
    "limit_a",
    "transaction",
    "measured_at",
    "updated_at",
    "iec61851",
    "evse_id",
    "connector_id",
}


# ---------------------------------------------------------------- the charger


def test_a_connection_brings_the_charger_online() -> None:
    driver = Driver()
    assert [one.type for one in driver.log] == ["ocpp.charger.connected"]
    assert driver.fields["availability"] == b"online"
    snapshot = driver.snapshot()
    assert (snapshot["id"], snapshot["availability"], snapshot["ocpp_version"]) == ("CP 1", "online", "1.6")
    assert (snapshot["connected_at"], snapshot["last_seen_at"], snapshot["node"]) == (at(0), at(0), "node-a")
    assert driver.twin.version == "1.6"


def test_a_lost_connection_takes_it_offline_but_forgets_nothing() -> None:
    driver = Driver()
    driver.say(start())
    outcome = driver.commit(driver.twin.disconnected(NOW + 5, reason="1006"))
    assert (outcome.types, outcome.data) == (["charger.disconnected"], {"reason": "1006"})
    assert driver.fields["availability"] == b"offline"
    assert driver.snapshot()["disconnected_at"] == at(5)
    assert len(driver.twin.active_transactions()) == 1


def test_every_key_of_the_snapshot_is_there_from_the_start() -> None:
    assert set(Driver().snapshot()) == {
        *[
            "id",
            "availability",
            "ocpp_version",
            "vendor",
            "model",
            "serial_number",
            "firmware_version",
            "iccid",
            "imsi",
            "boot",
            "connected_at",
        ],
        *[
            "disconnected_at",
            "last_seen_at",
            "remote_address",
            "security",
            "node",
            "status",
            "error",
            "enabled",
            "limit_a",
            "limit_w",
        ],
        *["connectors", "transactions", "firmware_status", "violations", "meter_type", "meter_serial_number"],
        *["violation_codes", "unresponsive", "quirks"],
        *["log_status", "published_firmware_status", "external_limit"],
    }


@pytest.mark.parametrize("status", ["accepted", "pending", "rejected"])
def test_a_boot_is_told_with_its_decision(status: str) -> None:
    driver = Driver()
    assert driver.twin.boot_status is None
    outcome = driver.say(Boot("V", "M", reason="power_up"), boot=BootDecision(status, 300))
    assert outcome.types == ["charger.booted"]
    assert (outcome.data["vendor"], outcome.data["reason"]) == ("V", "power_up")
    assert (outcome.data["status"], outcome.data["interval"], outcome.data["decided_by"]) == (status, 300, "local")
    driver.restart()
    assert driver.twin.boot_status == status
    assert driver.snapshot()["boot"] == {"reason": "power_up", "status": status, "at": at(0)}
    assert driver.snapshot()["model"] == "M"


def test_an_authorization_is_told_with_its_decision() -> None:
    outcome = Driver().say(Authorization(Token("A", "Central"), 2), token=TokenDecision("blocked", decided_by="list"))
    assert outcome.types == ["authorization.decided"]
    assert outcome.data["token"] == {"id": "A", "type": "Central"}
    assert (outcome.data["status"], outcome.data["decided_by"]) == ("blocked", "list")
    assert outcome.change.key is None


def test_a_heartbeat_makes_nothing() -> None:
    change = Driver().say(Heartbeat()).change
    assert (change.events, change.key, change.fields, change.transactions) == ([], None, {}, {})


def test_an_untranslated_message_passes_raw() -> None:
    outcome = Driver().say(Untranslated())
    assert (outcome.types, outcome.data) == (["message"], {"direction": "received"})


def test_a_notice_is_sent_and_its_changes_are_kept() -> None:
    driver = Driver()
    notice = Notice("ocpp.firmware.status", {"status": "installed"}, changes={"firmware_status": "installed", "new": 1})
    assert driver.say(notice).types == ["firmware.status"]
    driver.restart()
    fields, _ = whole(driver.twin)
    assert (fields["charger"]["firmware_status"], fields["charger"]["new"]) == ("installed", 1)


def test_violations_are_counted_by_code() -> None:
    driver = Driver()
    codes = ["enum", "type", "enum"]
    for _ in range(2):
        driver.commit(driver.twin.handle(Heartbeat(), now=NOW, redis_now=NOW, violations=codes))
    assert driver.snapshot()["violations"] == 6
    assert driver.snapshot()["violation_codes"] == {"enum": 4, "type": 2}


def test_the_codes_of_violations_are_bounded() -> None:
    driver = Driver()
    codes = [f"code {number}" for number in range(60)]
    driver.commit(driver.twin.handle(Heartbeat(), now=NOW, redis_now=NOW, violations=codes))
    counted = driver.snapshot()["violation_codes"]
    assert (len(counted), counted["other"], sum(counted.values())) == (51, 10, 60)


def test_a_count_that_is_not_stored_counts_for_nothing() -> None:
    driver = Driver()
    driver.twin.handle(Heartbeat(), now=NOW, redis_now=NOW, violations=["enum"])
    driver.commit(driver.twin.handle(Heartbeat(), now=NOW, redis_now=NOW, violations=["type"]))
    assert driver.snapshot()["violation_codes"] == {"type": 1}


def test_a_charger_that_does_not_answer_is_flagged_until_it_does_or_connects_anew() -> None:
    driver = Driver()
    outcome = driver.commit(driver.twin.responsive(NOW, False, 3))
    assert (outcome.types, outcome.data) == (["charger.unresponsive"], {"unresponsive": True, "unanswered_calls": 3})
    assert driver.snapshot()["unresponsive"] is True
    driver.commit(driver.twin.responsive(NOW, True, 0))
    assert driver.snapshot()["unresponsive"] is False
    driver.commit(driver.twin.responsive(NOW, False, 3))
    driver.commit(driver.twin.connected(NOW, version="1.6", remote_address="", node="n"))
    assert driver.snapshot()["unresponsive"] is False


def test_the_quirk_profiles_show_in_the_snapshot() -> None:
    driver = Driver()
    assert driver.snapshot()["quirks"] is None
    driver.commit(driver.twin.known_as(NOW, "wallbox"))
    assert driver.snapshot()["quirks"] == "wallbox"


def test_being_seen_changes_the_snapshot_only() -> None:
    driver = Driver()
    change = driver.twin.seen(NOW + 60)
    assert (change.events, list(change.fields)) == ([], ["charger"])
    driver.commit(change)
    assert driver.snapshot()["last_seen_at"] == at(60)


# ---------------------------------------------------------------- status


@pytest.mark.parametrize(
    ("status", "plugged", "charging", "iec61851", "enabled", "paused_by"),
    [
        ("available", False, False, "A", True, None),
        ("preparing", True, False, "B", True, None),
        ("charging", True, True, "C", True, None),
        ("suspended_ev", True, False, "B", True, "ev"),
        ("suspended_evse", True, False, "B", True, "evse"),
        ("finishing", True, False, "B", True, None),
        ("reserved", False, False, "A", True, None),
        ("unavailable", None, False, "F", False, None),
        ("faulted", None, False, "F", True, None),
        ("dancing", None, False, None, True, None),
    ],
)
def test_a_status_says_what_it_means(
    status: str, plugged: bool | None, charging: bool, iec61851: str | None, enabled: bool, paused_by: str | None
) -> None:
    driver = Driver()
    outcome = driver.say(Status(2, 1, status, at(-1)))
    expected = {"status": status, "plugged": plugged, "charging": charging, "iec61851": iec61851, "enabled": enabled}
    assert expected.items() <= outcome.data.items()
    assert {**expected, "paused_by": paused_by}.items() <= driver.state(2).items()
    assert outcome.events[0].subject == "evse/2/connector/1"
    assert driver.snapshot()["connectors"] == [[2, 1]]
    assert driver.say(Status(2, 1, "available", at(0))).data["previous_status"] == status


def test_every_documented_key_of_a_connector_is_there_from_the_start() -> None:
    driver = Driver()
    driver.say(Status(1, 1, "available", None))
    assert set(driver.state()) >= DOCUMENTED


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("available", None, None),
        ("available", "NoError", None),
        ("faulted", "GroundFailure", {"code": "GroundFailure", "vendor_code": "7", "info": "i"}),
        ("charging", "WeakSignal", {"code": "WeakSignal", "vendor_code": "7", "info": "i"}),
        ("faulted", None, {"code": None, "vendor_code": "7", "info": "i"}),
    ],
)
def test_an_error_is_an_object_or_null(status: str, code: str | None, error: Any) -> None:
    driver = Driver()
    report = Status(1, 1, status, None, error_code=code, vendor_error_code="7", info="i")
    assert driver.say(report).data["error"] == error == driver.state()["error"]


def test_the_status_of_evse_0_is_the_chargers_own() -> None:
    driver = Driver()
    driver.say(Status(0, 0, "available", None))
    outcome = driver.say(Status(0, 0, "unavailable", at(0)))
    assert (outcome.types, outcome.events[0].subject) == (["charger.status"], None)
    assert (outcome.data["previous_status"], outcome.data["enabled"]) == ("available", False)
    assert (driver.snapshot()["status"], driver.snapshot()["connectors"]) == ("unavailable", [])


def test_more_connectors_than_can_be_are_told_but_not_kept() -> None:
    driver = Driver()
    for evse in range(1, 400):
        assert driver.say(Status(evse, 1, "available", None)).types == ["connector.status"]
    assert len(driver.snapshot()["connectors"]) == 256


# ---------------------------------------------------------------- limits and availability


def test_a_limit_shows_and_zero_pauses() -> None:
    driver = Driver()
    driver.say(Status(1, 1, "charging", None))
    for current, paused in ((16.0, None), (0.0, "command"), (None, None)):
        change = driver.twin.limited(NOW, 1, Limit(current))
        assert change.events == []
        driver.commit(change)
        assert (driver.state()["limit_a"], driver.state()["paused_by"]) == (current, paused)


def test_a_limit_of_the_whole_charger_shows_on_every_connector() -> None:
    driver = Driver()
    driver.say(Status(1, 1, "charging", None))
    driver.say(Status(2, 1, "charging", None))
    driver.commit(driver.twin.limited(NOW, 0, Limit(power_w=11000.0)))
    assert driver.snapshot()["limit_w"] == driver.state(1)["limit_w"] == driver.state(2)["limit_w"] == 11000


def test_an_availability_that_was_set_shows() -> None:
    driver = Driver()
    driver.say(Status(1, 1, "charging", None))
    driver.commit(driver.twin.availability_set(NOW, 0, False))
    assert (driver.state()["enabled"], driver.snapshot()["enabled"]) == (False, False)
    driver.say(Status(1, 1, "finishing", None))
    assert driver.state()["enabled"] is False
    driver.commit(driver.twin.availability_set(NOW, 1, True))
    assert driver.state()["enabled"] is True


# ---------------------------------------------------------------- samples


def say_samples(driver: Driver, *samples: Any, seconds: float = 0) -> dict[str, Any]:
    driver.say(Meter(1, 1, list(samples), at(seconds)))
    return driver.state()


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        ([("Power.Active.Import", 7400, None)], {"power_w": 7400}),
        ([("Power.Active.Import", 1.1, "L1"), ("Power.Active.Import", 2.2, "L2")], {"power_w": 3.3}),
        ([("Power.Active.Import", 9, "L1"), ("Power.Active.Import", 20, None)], {"power_w": 20}),
        ([("Current.Import", 16, "L1"), ("Current.Import", 0.1, "N")], {"current_a": {"l1": 16, "l2": 0, "l3": 0}}),
        ([("Current.Import", 16, None)], {"current_a": {"l1": 16, "l2": 0, "l3": 0}}),
        ([("Voltage", 230.1, "L3-N")], {"voltage_v": {"l1": None, "l2": None, "l3": 230.1}}),
        ([("SoC", 55, None)], {"soc_percent": 55}),
        ([(REGISTER, 1234, None), (REGISTER, 1, "L1")], {"energy_register_wh": 1234}),
        ([("Power.Active.Import", "odd", None), ("Made.Up", 1, None)], {"power_w": 0, "measured_at": None}),
    ],
)
def test_samples_show_on_the_connector(samples: list[tuple[str, Any, str | None]], shown: dict[str, Any]) -> None:
    said = [sample(measurand, value, 0, phase=phase) for measurand, value, phase in samples]
    state = say_samples(Driver(), *said)
    assert shown.items() <= state.items()


def test_the_latest_sample_counts_by_its_time_not_by_its_arrival() -> None:
    driver = Driver()
    say_samples(driver, sample("SoC", 60, 100))
    assert say_samples(driver, sample("SoC", 50, 40))["soc_percent"] == 60
    assert say_samples(driver, sample("SoC", 61, None), seconds=100)["soc_percent"] == 61
    assert driver.state()["measured_at"] == at(100)


def test_a_clock_that_was_once_far_ahead_does_not_hold_samples_up_for_ever() -> None:
    driver = Driver()
    say_samples(driver, sample("SoC", 60, 10 * 86400))
    assert say_samples(driver, sample("SoC", 61, 0))["soc_percent"] == 61


def test_outside_a_transaction_nothing_is_drawn() -> None:
    driver = Driver()
    power, current = sample("Power.Active.Import", 7400, 60), sample("Current.Import", 16, 60, phase="L1")
    number = driver.say(start()).transaction_id
    assert (driver.state()["power_w"], driver.state()["current_a"]["l1"]) == (None, None)
    driver.say(Meter(1, 1, [power, current], at(60), str(number)))
    assert (driver.state()["power_w"], driver.state()["current_a"]["l1"]) == (7400, 16)
    driver.say(stop(number))
    assert (driver.state()["power_w"], driver.state()["current_a"]) == (0, {"l1": 0, "l2": 0, "l3": 0})
    assert driver.state()["energy_register_wh"] == 3000


@pytest.mark.parametrize("word", ["suspended_ev", "suspended_evse", "finishing"])
def test_while_no_energy_flows_only_a_newer_sample_counts(word: str) -> None:
    driver = Driver()
    number = driver.say(start()).transaction_id
    for seconds, status, power_w in ((60, 30, 7400), (60, 90, 0), (120, 90, 12)):
        driver.say(Meter(1, 1, [sample("Power.Active.Import", power_w or 7400, seconds)], at(seconds), str(number)))
        driver.say(Status(1, 1, "charging", at(20)))
        driver.say(Status(1, 1, word, at(status)))
        assert driver.state()["power_w"] == power_w


def test_a_sample_outside_a_transaction_counts_while_it_is_fresh() -> None:
    driver = Driver()
    assert say_samples(driver, sample("Power.Active.Import", 25, 0))["power_w"] == 25
    driver.commit(driver.twin.seen(NOW + 600))
    assert driver.state()["power_w"] == 25
    driver.commit(driver.twin.seen(NOW + 1000))
    assert driver.state()["power_w"] == 0


def test_the_transaction_shows_on_its_connector() -> None:
    driver = Driver()
    outcome = driver.say(start())
    assert driver.state()["transaction"] == {
        "id": outcome.data["transaction_id"],
        "ocpp_transaction_id": str(outcome.transaction_id),
        "token": {"id": "TAG", "type": None},
        "started_at": at(0),
        "energy_wh": 0,
        "charging_state": None,
        "cost": None,
        "currency": None,
    }
    [active] = driver.twin.active_transactions()
    assert (active.id, active.evse_id, active.connector_id) == (outcome.data["transaction_id"], 1, 1)


# ---------------------------------------------------------------- restoring


def busy(version: str) -> Driver:
    driver = Driver(version)
    driver.say(Boot("V", "M"), boot=BootDecision("accepted", 60))
    driver.say(Status(1, 1, "charging", at(0)))
    if version == "1.6":
        driver.say(start())
        driver.say(stop(driver.say(start(3600)).transaction_id, 4000))
        driver.say(start(5000))
    else:
        driver.say(event("started", 0, wh=1000))
        driver.say(event("updated", 2, 60, wh=1100))
    return driver


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_everything_is_stored_again_when_redis_lost_it(version: str) -> None:
    driver = busy(version)
    everything = driver.twin.everything()
    assert everything.events == []
    restored = Twin.restore(driver.charger, everything.fields, everything.transactions)
    assert whole(restored) == whole(driver.twin)
    assert set(everything.fields) == set(driver.fields)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("damage", [b"", b"null", b"[]", b"{", b"\xff", b'{"active":7,"ended":[],"boot":"x"}', b"{}"])
def test_damaged_fields_are_left_out_and_the_rest_is_kept(version: str, damage: bytes) -> None:
    driver = busy(version)
    for name in driver.fields:
        restored = Twin.restore(driver.charger, {**driver.fields, name: damage}, driver.records)
        for report in (Status(1, 1, "available", None), start(9000), stop(0, 9600), event("updated", 1)):
            restored.adopt(restored.handle(report, now=NOW, redis_now=NOW))
        if name != "charger":
            assert restored.boot_status == "accepted"


@pytest.mark.parametrize(
    ("name", "value", "left_out"),
    [
        ("memory", b"{", ["memory"]),
        ("memory", b'{"active": 7, "ended": []}', ["memory.active", "memory.ended"]),
        ("memory", b'{"ended": {"a": {}, "b": 1}}', ["memory.ended.a", "memory.ended.b"]),
        ("charger", b'{"boot": "secret"}', ["charger.boot"]),
        ("connector/1/1", b"[]", ["connector/1/1"]),
        ("part/x/1/0", b"7", ["part/x/1/0"]),
        ("part/x/1/0", b"[1, 2, false]", ["part/x/1/0"]),
        ("weather", b"sun", []),
    ],
)
def test_what_was_left_out_is_told_by_name(name: str, value: bytes, left_out: list[str]) -> None:
    driver = busy("2.0.1")
    with structlog.testing.capture_logs() as logs:
        Twin.restore(driver.charger, {**driver.fields, name: value}, driver.records)
    told = [(line["charger"], line["fields"]) for line in logs]
    assert told == ([(str(driver.charger), left_out)] if left_out else [])


def test_a_running_transaction_that_cannot_be_read_is_told() -> None:
    driver = busy("2.0.1")
    (running,) = driver.twin.active_ids()
    with structlog.testing.capture_logs() as logs:
        restored = Twin.restore(driver.charger, driver.fields, {running: b"{"})
    assert restored.active_ids() == []
    assert logs[0]["fields"] == [f"transaction/{running}"]
    with structlog.testing.capture_logs() as logs:
        Twin.restore(driver.charger, driver.fields, {})
    assert logs == [], "what is not there is not damaged"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(["1.6", "2.0.1"]), st.data())
def test_keys_of_any_type_are_tolerated(version: str, data: st.DataObject) -> None:
    driver = busy(version)
    stored = {**driver.fields, **driver.records}
    name = data.draw(st.sampled_from(sorted(stored)))
    if name == "availability":
        return
    content = orjson.loads(stored[name])
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(JSON)
    stored[name] = orjson.dumps(content)
    fields = {known: stored[known] for known in driver.fields}
    restored = Twin.restore(driver.charger, fields, {known: stored[known] for known in driver.records})
    for report in (Status(1, 1, "available", None), start(9000), stop(0, 9600), event("updated", 1)):
        restored.adopt(restored.handle(report, now=NOW, redis_now=NOW))
    restored.everything()


@pytest.mark.parametrize("damage", [[[]], [[1]], [[1, 2, 3]], [["1", 2]]])
def test_ranges_of_seq_nos_that_are_none_are_left_out(damage: list[Any]) -> None:
    driver = busy("2.0.1")
    ((known, record),) = driver.records.items()
    stored = orjson.dumps({**orjson.loads(record), "seen": damage})
    with structlog.testing.capture_logs() as logs:
        restored = Twin.restore(driver.charger, driver.fields, {known: stored})
    assert logs[0]["fields"] == [f"transaction/{known}.seen"]
    updated = restored.handle(event("updated", 3, 90, wh=1200), now=NOW, redis_now=NOW)
    assert [one.type for one in updated.events] == ["ocpp.transaction.updated"]


def test_unknown_fields_and_keys_of_a_later_version_do_no_harm() -> None:
    driver = busy("1.6")
    fields = {**driver.fields, "connector/x/1": b"{}", "connector/1": b"{}", "weather": b"sun"}
    fields["memory"] = orjson.dumps({**orjson.loads(fields["memory"]), "later": 1})
    assert whole(Twin.restore(driver.charger, fields, driver.records)) == whole(driver.twin)


def test_without_anything_stored_a_twin_is_new() -> None:
    charger = ChargerId("CP9")
    assert whole(Twin.restore(charger, {}, {})) == whole(Twin(charger))
