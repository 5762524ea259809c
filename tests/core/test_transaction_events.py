"""Transactions of OCPP 2.x: TransactionEvents, late, out of order, and again."""

import itertools

import pytest

from gateway.core.reports import Meter, Status, Token, TokenDecision, Transaction
from tests.core.driver import REGISTER, Driver, at, event, sample


def driver_2x() -> Driver:
    return Driver("2.0.1")


def test_a_whole_transaction() -> None:
    driver = driver_2x()
    first = driver.say(event("started", 0, wh=1000, token=Token("T", "ISO14443"), trigger="authorized"))
    second = driver.say(event("updated", 1, 300, wh=2000, charging_state="charging"))
    ended = driver.say(event("ended", 2, 600, wh=3000, stop_reason="ev_disconnected"))
    assert [*first.types, *second.types, *ended.types] == [
        "transaction.started",
        "transaction.updated",
        "transaction.ended",
    ]
    assert (first.change.key, first.events[0].key) == ("tx|tx-1|0", "tx|tx-1|0")
    assert (first.data["token"], first.data["trigger"]) == ({"id": "T", "type": "ISO14443"}, "authorized")
    assert (second.data["energy_wh"], second.data["charging_state"]) == (1000, "charging")
    data = ended.data
    assert (data["energy_wh"], data["energy_method"]) == (2000, "register")
    assert (data["meter_start_wh"], data["meter_stop_wh"]) == (1000, 3000)
    assert (data["transaction_sequence"], data["revision"], data["suspect"]) == (2, 1, [])
    assert (data["stop_reason"], data["duration_s"]) == ("ev_disconnected", 600.0)


def test_begin_and_end_samples_are_preferred() -> None:
    driver = driver_2x()
    first = event("started", 0)
    first.samples = [sample(REGISTER, 900, -60), sample(REGISTER, 1000, 0, context="Transaction.Begin"),
                     sample(REGISTER, 500, 0, phase="L1"), sample(REGISTER, "odd", 0)]  # fmt: skip
    driver.say(first)
    last = event("ended", 1, 600)
    last.samples = [sample(REGISTER, 3000, 600, context="Transaction.End"), sample(REGISTER, 2900, 540)]
    ended = driver.say(last)
    assert (ended.data["meter_start_wh"], ended.data["meter_stop_wh"]) == (1000, 3000)


@pytest.mark.parametrize(
    ("readings", "energy", "method"),
    [
        ((1000, 2000, 3000), 2000, "register"),
        ((1000, 2000, None), 1000, "samples"),
        ((None, 2000, 3000), 1000, "register"),
        ((None, None, 3000), None, "unknown"),
        ((None, None, None), None, "unknown"),
        ((1000, 900, 1500), 500, "register"),
    ],
)
def test_energy_comes_from_the_samples_there_are(
    readings: tuple[float | None, ...], energy: float | None, method: str
) -> None:
    driver = driver_2x()
    for seq_no, (kind, wh) in enumerate(zip(("started", "updated", "ended"), readings, strict=True)):
        outcome = driver.say(event(kind, seq_no, 60 * seq_no, wh=wh))
    assert (outcome.data["energy_wh"], outcome.data["energy_method"]) == (energy, method)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("restart", [False, True])
def test_in_whatever_order_they_come_the_bill_is_the_same(order: tuple[int, ...], restart: bool) -> None:
    """Quirk 29."""
    driver = driver_2x()
    said = [
        event("started", 0, 0, wh=1000, offline=True),
        event("updated", 1, 60, wh=1500, offline=True),
        event("updated", 2, 120, wh=2000, offline=True),
        event("ended", 3, 180, wh=3000, stop_reason="local"),
    ]
    for place in order:
        outcome = driver.say(said[place])
        if restart:
            driver.restart()
    assert outcome.types[-1] == "transaction.ended"
    ended = outcome.events[-1].data
    assert (ended["energy_wh"], ended["duration_s"], ended["suspect"]) == (2000, 180.0, [])
    assert (ended["meter_start_wh"], ended["meter_stop_wh"], ended["stop_reason"]) == (1000, 3000, "local")
    [sequence] = driver.sequences().values()
    assert sequence == list(range(len(driver.log) - 1))
    assert driver.twin.pending_ends() == {}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("seconds", [(0, 0, 0, 0), (0, 60, 60, 120), (0, 60, 120, 120)])
def test_in_whatever_order_messages_come_their_numbers_tell_which_reading_is_later(
    order: tuple[int, ...], seconds: tuple[int, ...]
) -> None:
    """Many clocks have whole seconds, and the last sample is often as old as the end."""
    said = [
        event("started", 0, seconds[0], wh=1000),
        event("updated", 1, seconds[1], wh=1400),
        event("updated", 2, seconds[2], wh=2000),
        event("ended", 3, seconds[3], wh=2500),
    ]
    driver = driver_2x()
    last = [driver.say(said[number]) for number in order][-1].events[-1]
    assert last.type == "ocpp.transaction.ended"
    assert (last.data["energy_wh"], last.data["energy_method"], last.data["suspect"]) == (1500, "register", [])


class TestAnEndWithPredecessorsMissing:
    def pending(self) -> tuple[Driver, str]:
        driver = driver_2x()
        driver.say(event("started", 0, wh=1000))
        outcome = driver.say(event("ended", 2, 600, wh=3000))
        assert outcome.types == ["transaction.updated"]
        assert outcome.data["pending_end"] is True
        driver.restart()
        return driver, outcome.data["transaction_id"]

    def test_it_waits_and_runs_no_more(self) -> None:
        driver, known = self.pending()
        assert driver.twin.active_transactions() == []
        assert list(driver.twin.pending_ends()) == [known]
        assert driver.state()["transaction"] is None

    def test_it_ends_when_the_gap_is_filled(self) -> None:
        driver, known = self.pending()
        filled = driver.say(event("updated", 1, 300, wh=2000))
        assert filled.types == ["transaction.updated", "transaction.ended"]
        assert filled.events[1].key == f"ended|{known}"
        assert filled.events[1].data["suspect"] == []
        assert driver.state()["transaction"] is None

    def test_it_ends_as_suspect_when_the_grace_time_is_over(self) -> None:
        driver, known = self.pending()
        ended = driver.commit(driver.twin.end_pending(driver.now, known))
        assert (ended.types, ended.data["suspect"]) == (["transaction.ended"], ["gap"])
        assert driver.twin.end_pending(driver.now, known).events == []
        assert driver.twin.end_pending(driver.now, "unheard of").events == []

    def test_what_comes_after_the_grace_time_corrects(self) -> None:
        driver, known = self.pending()
        driver.commit(driver.twin.end_pending(driver.now, known))
        driver.restart()
        late = driver.say(event("updated", 1, 300, wh=2000))
        assert late.types == ["transaction.corrected"]
        assert (late.data["revision"], late.data["suspect"], late.data["energy_wh"]) == (2, [], 2000)
        assert driver.twin.active_transactions() == []


def test_a_transaction_whose_start_never_came_is_recorded_as_suspect() -> None:
    driver = driver_2x()
    first = driver.say(event("updated", 0, wh=1500))
    assert (first.types, first.data["suspect"]) == (["transaction.updated"], ["missing_start"])
    ended = driver.say(event("ended", 1, 60, wh=1600))
    assert (ended.types, ended.data["suspect"]) == (["transaction.ended"], ["missing_start"])
    assert (ended.data["energy_wh"], ended.data["energy_method"]) == (100, "samples")


def test_without_seq_no_the_payload_tells_messages_apart() -> None:
    driver = driver_2x()
    driver.say(event("started", None, wh=1000))
    assert driver.say(event("started", None, wh=1000)).repeated
    assert driver.say(event("updated", None, 60, wh=1000)).types == ["transaction.updated"]
    assert driver.say(event("ended", None, 90, wh=1000)).types == ["transaction.ended"]


def test_a_transaction_without_a_name_is_still_kept() -> None:
    driver = driver_2x()
    report = Transaction("started", at(0), 1, 1, None, seq_no=0)
    assert driver.say(report).types == ["transaction.started"]
    assert driver.say(report).repeated


@pytest.mark.parametrize("restart", [False, True])
def test_a_repeat_makes_no_event(restart: bool) -> None:
    driver = driver_2x()
    said = [event("started", 0, wh=1), event("updated", 1, 60, wh=2), event("ended", 2, 90, wh=3)]
    for report in said:
        driver.say(report)
        if restart:
            driver.restart()
        assert driver.say(report).repeated
    assert all(driver.say(report).repeated for report in said)


def test_a_message_after_the_end_resurrects_nothing() -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    ended = driver.say(event("ended", 1, 60, wh=2000))
    late = driver.say(event("updated", 2, 90, wh=2000))
    assert late.types == ["meter.values"]
    assert late.data["transaction_id"] == ended.data["transaction_id"]
    assert driver.twin.active_transactions() == []


def test_the_token_may_come_later_and_the_first_one_stays() -> None:
    driver = driver_2x()
    driver.say(event("started", 0))
    assert driver.say(event("updated", 1, 1, token=Token("A", "Central"))).data["token"]["id"] == "A"
    assert driver.say(event("ended", 2, 2, token=Token("B", "Central"))).data["token"]["id"] == "A"


def test_further_facts_stand_in_the_data_but_overwrite_nothing() -> None:
    outcome = driver_2x().say(event("started", 0, details={"phases_used": 3, "energy_wh": "no"}))
    assert outcome.data["phases_used"] == 3
    assert outcome.data["energy_wh"] is None


def test_meter_values_are_not_part_of_a_transaction() -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    outcome = driver.say(Meter(1, None, [sample(REGISTER, 1100, 30)], at(30)))
    assert (outcome.types, outcome.change.key) == (["meter.values"], None)
    assert driver.state()["energy_register_wh"] == 1100


def test_a_transaction_survives_a_change_of_the_ocpp_version() -> None:
    """Quirk 5."""
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    driver.connect("1.6")
    driver.connect("2.1")
    assert driver.say(event("ended", 1, 60, wh=2000)).data["energy_wh"] == 1000


@pytest.mark.parametrize(
    ("charging_state", "status", "plugged", "charging", "iec61851"),
    [
        ("charging", "charging", True, True, "C"),
        ("ev_connected", "preparing", True, False, "B"),
        ("EVConnected", "preparing", True, False, "B"),
        ("suspended_ev", "suspended_ev", True, False, "B"),
        ("suspended_evse", "suspended_evse", True, False, "B"),
        ("idle", "preparing", False, False, "A"),
        (None, "occupied", True, False, "B"),
        ("unheard_of", "occupied", True, False, "B"),
    ],
)
@pytest.mark.parametrize("status_first", [False, True])
def test_occupied_is_refined_by_the_charging_state(
    charging_state: str | None, status: str, plugged: bool, charging: bool, iec61851: str, status_first: bool
) -> None:
    driver = driver_2x()
    said = [Status(1, 1, "occupied", at(0)), event("started", 0, charging_state=charging_state)]
    for report in said if status_first else reversed(said):
        driver.say(report)
    state = driver.state()
    assert (state["status"], state["reported_status"]) == (status, "occupied")
    assert (state["plugged"], state["charging"], state["iec61851"]) == (plugged, charging, iec61851)


def test_after_the_transaction_an_occupied_connector_is_finishing() -> None:
    driver = driver_2x()
    driver.say(Status(1, 1, "occupied", at(0)))
    driver.say(event("started", 0, charging_state="charging"))
    driver.say(event("ended", 1, 60, charging_state="ev_connected"))
    assert driver.state()["status"] == "finishing"
    assert driver.say(Status(1, 1, "occupied", at(70))).data["status"] == "finishing"
    assert driver.say(Status(1, 1, "available", at(80))).data["previous_status"] == "finishing"
    assert driver.say(Status(1, 1, "occupied", at(90))).data["status"] == "occupied"


# ---------------------------------------------------------------- differences, and ends that were lost


def test_a_repeat_with_differences_is_flagged_and_changes_no_figure() -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    driver.say(event("updated", 1, 60, wh=2000))
    driver.restart()
    other = driver.say(event("updated", 1, 60, wh=9000))
    assert other.types == ["transaction.updated"]
    assert (other.data["suspect"], other.data["energy_wh"]) == (["duplicate_with_differences"], 1000)
    assert driver.say(event("updated", 1, 60, wh=9000)).repeated
    assert driver.say(event("updated", 1, 60, wh=2000, offline=True)).repeated
    ended = driver.say(event("ended", 2, 120, wh=3000))
    assert (ended.data["energy_wh"], [one["meter_wh"] for one in ended.data["alternatives"]]) == (2000, [9000])
    late = driver.say(event("ended", 2, 120, wh=5000))
    assert (late.types, late.data["revision"], late.data["energy_wh"]) == (["transaction.corrected"], 2, 2000)
    assert driver.say(event("ended", 2, 120, wh=5000)).repeated


def test_what_was_kept_offline_is_told() -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    driver.say(event("updated", 1, 60, wh=1500, offline=True))
    driver.say(event("updated", 2, 120, wh=2000, offline=True))
    ended = driver.say(event("ended", 3, 180, wh=3000))
    assert ended.data["offline_part"] == {"since": at(60), "until": at(120), "messages": 2}


def test_a_start_on_a_busy_evse_ends_the_transaction_whose_end_was_lost() -> None:
    driver = driver_2x()
    old = driver.say(event("started", 0, wh=1000)).data["transaction_id"]
    new = Transaction("started", at(600), 1, 1, "tx-2", seq_no=0, samples=[sample(REGISTER, 3000, 600)])
    outcome = driver.say(new)
    assert outcome.types == ["transaction.started", "transaction.ended"]
    assert (outcome.events[1].data["transaction_id"], outcome.events[1].data["suspect"]) == (old, ["missing_stop"])
    late = driver.say(event("ended", 1, 500, wh=2900))
    assert late.types == ["transaction.corrected"]
    assert (late.data["energy_wh"], late.data["suspect"], late.data["revision"]) == (1900, [], 2)


def test_the_remote_start_is_known_by_its_id() -> None:
    driver = driver_2x()
    driver.commit(driver.twin.start_expected(driver.now, "c-1", token="A", evse_id=None, remote_start_id=7))
    assert driver.say(event("started", 0, remote_start_id=8, token=Token("A"))).data["command_id"] is None
    other = Transaction("started", at(), 2, 1, "tx-2", seq_no=0, remote_start_id=7, token=Token("B"))
    assert driver.say(other).data["command_id"] == "c-1"


# ---------------------------------------------------------------- long after, and names that are used again


def tx(name: str, kind: str, seq_no: int, seconds: float, wh: float, token: str | None = None) -> Transaction:
    samples = [sample(REGISTER, wh, seconds)]
    shown = None if token is None else Token(token, "ISO14443")
    return Transaction(kind, at(seconds), 1, 1, name, seq_no=seq_no, samples=samples, token=shown)  # type: ignore[arg-type]


def whole_one(driver: Driver, name: str, seconds: float, wh: float, token: str = "A") -> str:
    started = driver.say(tx(name, "started", 0, seconds, wh, token))
    assert started.types == ["transaction.started"]
    assert driver.say(tx(name, "ended", 1, seconds + 600, wh + 500)).types == ["transaction.ended"]
    known: str = started.data["transaction_id"]
    return known


@pytest.mark.parametrize("restart", [False, True])
def test_a_late_event_of_a_transaction_ended_long_ago_leaves_its_record_alone(restart: bool) -> None:
    """Quirk 29."""
    driver = driver_2x()
    known = whole_one(driver, "old", 0, 1000)
    for place in range(40):
        whole_one(driver, f"n{place}", 3600 * (place + 1), 2000)
    driver.now += 200_000
    if restart:
        driver.restart()
    late = driver.say(tx("old", "updated", 2, 500, 1400))
    assert (late.types, late.data["transaction_id"]) == (["meter.values"], known)
    assert driver.say(tx("old", "started", 0, 0, 1000, "A")).repeated
    assert driver.say(tx("old", "ended", 1, 600, 1500)).repeated
    record = driver.record(known)
    assert (record["status"], record["energy_wh"], record["revision"], record["suspect"]) == ("ended", 500, 1, [])
    assert driver.twin.active_transactions() == []


def test_late_ends_correct_however_many_were_missing() -> None:
    driver = driver_2x()
    for place in range(12):
        driver.say(tx(f"t{place}", "started", 0, 3600 * place, 1000 * place))
    for place in range(11):
        late = driver.say(tx(f"t{place}", "ended", 1, 3600 * place + 600, 1000 * place + 700))
        assert (late.types, late.data["suspect"], late.data["energy_wh"]) == (["transaction.corrected"], [], 700)


@pytest.mark.parametrize("many", [0, 40])
@pytest.mark.parametrize("restart", [False, True])
def test_a_name_used_again_after_its_end_is_another_transaction(many: int, restart: bool) -> None:
    """A factory reset: the charger counts its transactions from 1 again."""
    driver = driver_2x()
    old = whole_one(driver, "1", 0, 1000)
    for place in range(many):
        whole_one(driver, f"n{place}", 3600 * (place + 1), 2000)
    driver.now += 200_000
    new = whole_one(driver, "1", 180_000, 7000, "ZZ")
    assert new != old
    if restart:
        driver.restart()
    for place in range(many):
        whole_one(driver, f"m{place}", 190_000 + 700 * place, 9000)
    driver.now += 200_000
    assert driver.say(tx("1", "started", 0, 180_000, 7000, "ZZ")).repeated
    assert driver.say(tx("1", "ended", 1, 180_600, 7500)).repeated
    third = whole_one(driver, "1", 300_000, 20_000, "A")
    assert len({old, new, third}) == 3
    assert driver.record(old)["energy_wh"] == driver.record(new)["energy_wh"] == 500
    assert [driver.record(known)["suspect"] for known in (old, new, third)] == [[], [], []]


def test_a_name_used_again_while_the_end_before_was_lost_ends_the_old_one() -> None:
    driver = driver_2x()
    old = driver.say(tx("1", "started", 0, 0, 1000, "A")).data["transaction_id"]
    driver.say(tx("1", "updated", 1, 300, 1300))
    new = driver.say(tx("1", "started", 0, 7200, 9000, "ZZ"))
    assert new.types == ["transaction.started", "transaction.ended"]
    assert (new.events[1].data["transaction_id"], new.events[1].data["suspect"]) == (old, ["missing_stop"])
    ended = driver.say(tx("1", "ended", 1, 7800, 9600))
    assert (ended.types, ended.data["energy_wh"]) == (["transaction.ended"], 600)
    assert ended.data["transaction_id"] == new.data["transaction_id"]


def test_a_second_start_within_a_transaction_is_flagged_and_changes_no_figure() -> None:
    driver = driver_2x()
    driver.say(tx("t", "started", 0, 0, 1000, "A"))
    driver.say(tx("t", "updated", 1, 600, 5000))
    again = driver.say(tx("t", "started", 2, 1200, 5000, "A"))
    assert (again.types, again.data["suspect"]) == (["transaction.updated"], ["duplicate_with_differences"])
    ended = driver.say(tx("t", "ended", 3, 2400, 9000)).data
    assert (ended["meter_start_wh"], ended["started_at"], ended["energy_wh"]) == (1000, at(0), 8000)
    assert [(one["said"], one["meter_wh"]) for one in ended["alternatives"]] == [("started", 5000)]


@pytest.mark.parametrize("restart", [False, True])
def test_an_end_whose_number_was_another_message_s_ends_the_transaction(restart: bool) -> None:
    """The charger restarted within the transaction, and so did its seqNo."""
    driver = driver_2x()
    driver.say(tx("t", "started", 0, 0, 1000, "A"))
    driver.say(tx("t", "updated", 1, 600, 2000))
    driver.say(tx("t", "updated", 2, 1200, 3000))
    driver.say(tx("t", "updated", 0, 1800, 4000))
    if restart:
        driver.restart()
    ended = driver.say(tx("t", "ended", 1, 2400, 5000))
    assert (ended.types, ended.data["energy_wh"]) == (["transaction.ended"], 4000)
    assert ended.data["suspect"] == ["duplicate_with_differences"]
    assert driver.say(tx("t", "ended", 1, 2400, 5000)).repeated
    assert driver.twin.active_transactions() == []


def test_a_second_end_is_told_and_changes_no_figure() -> None:
    driver = driver_2x()
    whole_one(driver, "t", 0, 1000)
    again = driver.say(tx("t", "ended", 2, 1800, 5000))
    assert (again.types, again.data["suspect"]) == (["transaction.corrected"], ["duplicate_with_differences"])
    assert (again.data["energy_wh"], again.data["revision"]) == (500, 2)
    assert [(one["said"], one["meter_wh"]) for one in again.data["alternatives"]] == [("ended", 5000)]
    assert driver.say(tx("t", "ended", 2, 1800, 5000)).repeated


@pytest.mark.parametrize("restart", [False, True])
def test_an_end_said_again_after_the_log_lost_its_data_tells_the_whole_bill_again(restart: bool) -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000, token=Token("T")))
    said = event("ended", 1, 600, wh=3000, stop_reason="local")
    first = driver.say(said)
    driver.answers.clear()
    if restart:
        driver.restart()
    again = driver.say(said)
    assert (again.types, again.events[0].key, again.data) == (first.types, first.events[0].key, first.data)


def test_an_end_that_waited_for_a_gap_ends_once_whatever_the_log_lost() -> None:
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    last = event("ended", 2, 600, wh=3000)
    driver.say(last)
    driver.say(event("updated", 1, 300, wh=2000))
    driver.answers.clear()
    driver.say(last)
    assert [told.type for told in driver.log].count("ocpp.transaction.ended") == 1


def test_the_cost_that_the_charger_reports_is_the_records() -> None:
    driver = driver_2x()
    driver.say(event("started", 0))
    cost = {"currency": "EUR", "total": {"excl_tax": 1.5}}
    driver.say(event("updated", 1, 300, details={"costs": cost}))
    ended = driver.say(event("ended", 2, 600))
    assert ended.data["cost"] == cost
    assert driver.record(ended.data["transaction_id"])["cost"] == cost


@pytest.mark.parametrize("restart", [False, True])
def test_a_reading_that_fills_a_gap_counts_where_the_end_brought_none(restart: bool) -> None:
    """The last reading before the gap had stood in for that of the end."""
    driver = driver_2x()
    driver.say(event("started", 0, wh=1000))
    driver.say(event("updated", 1, 60, wh=2000))
    driver.say(event("ended", 3, 180))
    (pending,) = driver.twin.pending_ends()
    early = driver.commit(driver.twin.end_pending(driver.now, pending))
    assert (early.data["energy_wh"], early.data["energy_method"]) == (1000, "samples")
    if restart:
        driver.restart()
    late = driver.say(event("updated", 2, 120, wh=3000))
    assert late.types == ["transaction.corrected"]
    assert (late.data["meter_stop_wh"], late.data["energy_wh"], late.data["energy_method"]) == (3000, 2000, "samples")
    assert (late.data["revision"], late.data["suspect"]) == (2, [])


def test_a_reading_counts_that_comes_after_the_transaction_was_given_up() -> None:
    """Its end was lost, and so far that of its last reading."""
    driver = driver_2x()
    outcome = driver.say(event("started", 0, wh=1000))
    driver.now += 7200
    driver.commit(driver.twin.end_stale(driver.now, outcome.data["transaction_id"], silent_for=3600))
    late = driver.say(event("updated", 1, 60, wh=2500))
    assert late.types == ["transaction.corrected"]
    assert (late.data["energy_wh"], late.data["suspect"]) == (1500, ["missing_stop"])


@pytest.mark.parametrize("restart", [False, True])
def test_the_true_end_counts_also_after_late_updates_of_a_transaction_that_was_given_up(restart: bool) -> None:
    """A charger that was offline for longer than `silent_transaction_limit` sends all that it kept, in order."""
    driver = driver_2x()
    outcome = driver.say(event("started", 0, wh=1000))
    driver.now += 7200
    driver.commit(driver.twin.end_stale(driver.now, outcome.data["transaction_id"], silent_for=3600))
    said = [event("updated", n, 60 * n, wh=1000 + 500 * n, offline=True) for n in range(1, 4)]
    for late in [*said, event("ended", 4, 300, wh=4000, stop_reason="local")]:
        if restart:
            driver.restart()
        outcome = driver.say(late)
        assert outcome.types == ["transaction.corrected"]
    assert (outcome.data["energy_wh"], outcome.data["meter_stop_wh"]) == (3000, 4000)
    assert (outcome.data["ended_at"], outcome.data["stop_reason"]) == (at(300), "local")
    assert (outcome.data["revision"], outcome.data["suspect"]) == (5, [])
    assert driver.say(event("updated", 5, 360, wh=5000)).types == ["meter.values"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("restart", [False, True])
def test_in_whatever_order_messages_come_the_token_is_the_one_that_began(order: tuple[int, ...], restart: bool) -> None:
    """The EV was plugged in first, its driver presented a token, and another one of the group stopped it."""
    driver = driver_2x()
    said = [
        event("started", 0, 0, wh=1000),
        event("updated", 1, 60, wh=1500, token=Token("Driver")),
        event("ended", 2, 120, wh=2000, token=Token("Group")),
    ]
    for place in order:
        decided_by = "tokens" if said[place].kind == "updated" else "local"
        outcome = driver.say(said[place], token=TokenDecision("accepted", decided_by=decided_by))
        if restart:
            driver.restart()
    ended = driver.record(outcome.data["transaction_id"])
    assert (ended["token"]["id"], ended["authorized_by"], ended["status"]) == ("Driver", "tokens", "ended")
    assert {token["id"] for token in ended["tokens"]} == {"Driver", "Group"}


def test_the_token_of_a_start_is_the_transaction_s_whatever_its_number() -> None:
    driver = driver_2x()
    driver.say(event("started", 7, 0, wh=1000, token=Token("Driver")))
    assert driver.say(event("updated", 3, 60, wh=1500, token=Token("Group"))).data["token"]["id"] == "Driver"
    other = Driver("2.0.1")
    other.say(event("ended", 3, 120, wh=2000, token=Token("Group")))
    assert other.say(event("started", 7, 0, wh=1000, token=Token("Driver"))).data["token"]["id"] == "Driver"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_messages_come_cost_and_battery_are_those_of_the_last_one(order: tuple[int, ...]) -> None:
    driver = driver_2x()
    said = []
    for seq_no, kind in enumerate(("started", "updated", "ended")):
        one = event(kind, seq_no, 60 * seq_no, wh=1000 + 500 * seq_no)
        one.samples = [*one.samples, sample("SoC", 20 + 10 * seq_no, 60 * seq_no)]
        one.details = {"costs": {"currency": "EUR", "total": {"excluding_tax": seq_no}}}
        said.append(one)
    for place in order:
        outcome = driver.say(said[place])
        driver.restart()
    record = driver.record(outcome.data["transaction_id"])
    assert (record["status"], record["cost"]["total"]) == ("ended", {"excluding_tax": 2})
    assert (record["measured"]["soc_start_percent"], record["measured"]["soc_end_percent"]) == (20, 40)


def test_an_end_is_the_last_message_though_its_number_is_lower() -> None:
    """A charger that was restarted may number anew."""
    driver = driver_2x()
    driver.say(event("started", 5, wh=1000, details={"costs": {"total": {"excluding_tax": 0}}}))
    driver.say(event("updated", 6, 60, wh=1500, details={"costs": {"total": {"excluding_tax": 1}}}))
    ended = event("ended", 0, 120, wh=2000, details={"costs": {"total": {"excluding_tax": 2}}})
    driver.say(ended)
    (pending,) = driver.twin.pending_ends()
    outcome = driver.commit(driver.twin.end_pending(driver.now, pending))
    assert (outcome.data["cost"]["total"], outcome.data["energy_wh"]) == ({"excluding_tax": 2}, 1000)


def test_an_end_alone_has_no_energy_of_nothing() -> None:
    """Its start was lost, or the charger sends readings at the end only: that reading is no start."""
    driver = driver_2x()
    driver.say(event("ended", 3, 180, wh=3000))
    (pending,) = driver.twin.pending_ends()
    ended = driver.commit(driver.twin.end_pending(driver.now, pending)).data
    assert (ended["meter_start_wh"], ended["meter_stop_wh"]) == (None, 3000)
    assert (ended["energy_wh"], ended["energy_method"]) == (None, "unknown")
    late = driver.say(event("updated", 2, 120, wh=2000)).data
    assert (late["meter_start_wh"], late["energy_wh"], late["energy_method"]) == (2000, 1000, "samples")


def test_an_end_that_brings_all_readings_has_that_of_the_start_among_them() -> None:
    """Part 2, SampledDataCtrlr.TxEndedInterval: the end carries what was measured over the transaction."""
    driver = driver_2x()
    driver.say(event("started", 0))
    ended = event("ended", 1, 600)
    ended.samples = [sample(REGISTER, 1000, 0), sample(REGISTER, 3000, 600, context="Transaction.End")]
    outcome = driver.say(ended).data
    assert (outcome["meter_start_wh"], outcome["meter_stop_wh"], outcome["energy_wh"]) == (1000, 3000, 2000)
