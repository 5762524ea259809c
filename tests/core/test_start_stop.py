"""Transactions of OCPP 1.6: each started and ended once, whatever the charger repeats, garbles or forgets."""

import pytest

from gateway.core.reports import Meter, Token, TokenDecision, Transaction
from tests.core.driver import NOW, REGISTER, Driver, Outcome, at, meter, sample, start, started, stop

EPOCH_2025 = 1735689600

ONLY_AT_THE_END = {
    "revision",
    "tokens",
    "recorded_started_at",
    "recorded_ended_at",
    "readings",
    "sample_count",
    "peak_power_w",
    "soc_start_percent",
    "soc_end_percent",
    "offline_part",
    "cost",
    "alternatives",
}


# ---------------------------------------------------------------- the plain course


def test_a_whole_transaction() -> None:
    driver = Driver()
    public, number = started(driver)
    updated = driver.say(meter(number, 300, 2000))
    ended = driver.say(stop(number, 600, meter=3000))
    assert (updated.types, ended.types) == (["transaction.updated"], ["transaction.ended"])
    assert updated.data["energy_wh"] == 1000
    assert updated.data["samples"][0]["value"] == 2000
    assert ended.data == {
        "transaction_id": public,
        "ocpp_transaction_id": str(number),
        "evse_id": 1,
        "connector_id": 1,
        "transaction_sequence": 2,
        "token": {"id": "TAG", "type": None},
        "authorized_by": "local",
        "authorization_status": "accepted",
        "reservation_id": None,
        "remote_start_id": None,
        "started_at": at(0),
        "ended_at": at(600),
        "duration_s": 600.0,
        "meter_start_wh": 1000,
        "meter_stop_wh": 3000,
        "energy_wh": 2000,
        "energy_method": "register",
        "stop_reason": "local",
        "charging_state": None,
        "trigger": None,
        "offline": False,
        "samples": [],
        "suspect": [],
        "command_id": None,
        "revision": 1,
        "tokens": [{"id": "TAG", "type": None}],
        "recorded_started_at": at(0),
        "recorded_ended_at": at(0),
        "readings": [],
        "sample_count": 1,
        "peak_power_w": None,
        "soc_start_percent": None,
        "soc_end_percent": None,
        "offline_part": None,
        "cost": None,
        "alternatives": [],
    }
    assert ended.events[0].subject == f"transaction/{public}"
    assert driver.record(public)["status"] == "ended"
    assert driver.twin.active_transactions() == []
    assert driver.snapshot()["transactions"] == []


def test_every_key_is_there_from_the_start() -> None:
    driver = Driver()
    first = driver.say(start())
    ended = driver.say(stop(first.transaction_id))
    assert set(ended.data) - set(first.data) == ONLY_AT_THE_END


def test_numbers_count_seconds_since_2025_and_never_repeat() -> None:
    driver = Driver()
    numbers = [driver.say(start(seconds)).transaction_id for seconds in range(4)]
    first = int(NOW - EPOCH_2025)
    assert numbers == [first, first + 1, first + 2, first + 3]
    driver.now += 1000
    assert driver.say(start(9)).transaction_id == first + 1000


def test_a_rejected_token_is_authorized_by_nobody() -> None:
    outcome = Driver().say(start(), token=TokenDecision("blocked"))
    assert outcome.data["authorized_by"] is None
    assert outcome.data["authorization_status"] == "blocked"


# ---------------------------------------------------------------- repeats (quirks 24, 25, 26)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("days", [0, 3])
@pytest.mark.parametrize("after_stop", [False, True])
def test_a_start_said_again_gets_the_same_number_and_makes_no_event(restart: bool, days: int, after_stop: bool) -> None:
    driver = Driver()
    _, number = started(driver)
    if after_stop:
        driver.say(stop(number))
    if restart:
        driver.restart()
    driver.now += days * 86400
    again = driver.say(start(token="tag"), payload="another message id")
    assert (again.repeated, again.transaction_id, again.change.transaction_id) == (True, number, number)


def test_a_start_said_again_after_the_log_lost_its_data_keeps_number_and_event_id() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.say(meter(number, 60, 1100))
    driver.answers.clear()
    again = driver.say(start())
    assert (again.transaction_id, again.events[0].key) == (number, driver.log[1].key)
    assert again.data["transaction_id"] == public
    assert driver.say(meter(number, 120, 1200)).data["transaction_sequence"] == 2


@pytest.mark.parametrize("number", ["0", "-1", None, "7", "junk"])
@pytest.mark.parametrize("restart", [False, True])
def test_a_stop_with_a_wrong_number_ends_the_only_running_transaction_once(number: str | None, restart: bool) -> None:
    driver = Driver()
    public, _ = started(driver)
    ended = driver.say(stop(number))
    assert (ended.types, ended.data["transaction_id"]) == (["transaction.ended"], public)
    if restart:
        driver.restart()
    assert driver.say(stop(number)).repeated
    # And not even while the next one runs.
    started(driver, seconds=1200)
    assert driver.say(stop(number)).repeated


def test_a_stop_with_a_wrong_number_is_matched_by_token_among_many() -> None:
    driver = Driver()
    started(driver, evse=1, token="A")
    public, _ = started(driver, evse=2, token="B")
    assert driver.say(stop(0, token="b")).data["transaction_id"] == public


@pytest.mark.parametrize("token", [None, "C", "A"])
def test_a_stop_that_could_mean_many_transactions_ends_none_of_them(token: str | None) -> None:
    driver = Driver()
    started(driver, evse=1, token="A")
    started(driver, evse=2, token="A")
    ended = driver.say(stop(-1, token=token))
    assert ended.types == ["transaction.ended"]
    assert ended.data["suspect"] == ["missing_start"]
    assert len(driver.twin.active_transactions()) == 2


def test_a_stop_without_a_start_is_recorded_as_suspect_and_once() -> None:
    driver = Driver()
    readings = [(1000.0, 0.0, "Transaction.Begin"), (5000.0, 600.0, "Transaction.End")]
    samples = [sample(REGISTER, wh, seconds, context=context) for wh, seconds, context in readings]
    first = driver.say(stop(4711, meter=5000, samples=samples))
    assert first.types == ["transaction.ended"]
    assert first.data["suspect"] == ["missing_start"]
    assert (first.data["energy_wh"], first.data["energy_method"]) == (4000, "samples")
    assert (first.data["transaction_sequence"], first.data["evse_id"]) == (0, None)
    driver.restart()
    assert driver.say(stop(4711, meter=5000)).repeated


def test_a_stop_from_before_the_running_transaction_does_not_end_it() -> None:
    driver = Driver()
    public, _ = started(driver, seconds=3600)
    assert driver.say(stop(12, 600)).data["transaction_id"] != public
    assert [one.id for one in driver.twin.active_transactions()] == [public]


@pytest.mark.parametrize("restart", [False, True])
def test_a_stop_said_again_with_other_values_is_flagged_and_changes_no_figure(restart: bool) -> None:
    """Quirk 26."""
    driver = Driver()
    public, number = started(driver)
    driver.say(stop(number, meter=3000))
    if restart:
        driver.restart()
    again = driver.say(stop(number, 900, meter=4000))
    assert again.types == ["transaction.corrected"]
    assert (again.data["transaction_id"], again.data["revision"]) == (public, 2)
    assert (again.data["energy_wh"], again.data["meter_stop_wh"], again.data["ended_at"]) == (2000, 3000, at(600))
    assert again.data["suspect"] == ["duplicate_with_differences"]
    assert [(one["said"], one["meter_wh"], one["time"]) for one in again.data["alternatives"]] == [
        ("stop", 4000, at(900))
    ]
    assert driver.say(stop(number, 900, meter=4000)).repeated
    assert driver.say(stop(number, meter=3000)).repeated


def test_a_start_said_again_with_another_meter_is_the_same_transaction() -> None:
    """Quirk 26."""
    driver = Driver()
    public, number = started(driver)
    again = driver.say(start(meter=1500))
    assert (again.types, again.transaction_id) == (["transaction.updated"], number)
    assert (again.data["transaction_id"], again.data["suspect"]) == (public, ["duplicate_with_differences"])
    assert driver.say(start(meter=1500)).repeated
    ended = driver.say(stop(number, meter=3000))
    assert (ended.data["energy_wh"], ended.data["meter_start_wh"]) == (2000, 1000)
    assert [one["meter_wh"] for one in ended.data["alternatives"]] == [1500]


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00.000Z", at(86400 * 400), None])
def test_a_start_with_an_odd_clock_is_a_repeat_until_something_later_came(time: str | None) -> None:
    """Quirk 21: the meter may stand still between two transactions, so that it tells nothing either."""
    driver = Driver()
    odd = Transaction("started", time, 1, 1, token=Token("TAG"), meter_wh=5000)
    first = driver.say(odd)
    assert driver.say(odd).repeated
    driver.restart()
    assert driver.say(odd).transaction_id == first.transaction_id
    driver.say(stop(first.transaction_id, meter=5000))
    second = driver.say(odd)
    assert (second.types, second.repeated) == (["transaction.started"], False)
    assert second.transaction_id != first.transaction_id


def test_a_clock_that_stands_still_starts_new_transactions() -> None:
    driver = Driver()
    driver.now += 3600
    first = driver.say(start(meter=0))
    driver.now += 600
    driver.say(stop(first.transaction_id, 0, meter=0))
    second = driver.say(start(meter=0))
    assert (second.types, second.transaction_id != first.transaction_id) == (["transaction.started"], True)


@pytest.mark.parametrize("later", [0, 600])
def test_a_start_repeated_after_a_stop_of_the_same_second_is_a_repeat(later: float) -> None:
    """Quirk 25: plugged and unplugged at once, of a clock with whole seconds; such a clock does not stand still."""
    driver = Driver()
    first = driver.say(start(meter=0))
    driver.now += later
    assert driver.say(stop(first.transaction_id, 0, meter=0)).types == ["transaction.ended"]
    again = driver.say(start(meter=0))
    assert (again.repeated, again.transaction_id) == (True, first.transaction_id)


class TestWithoutClockAndRegister:
    """Such a charger says every start, and every stop, with the same words."""

    start = Transaction("started", "1970-01-01T00:00:00.000Z", 1, 1, token=Token("A"), meter_wh=0)
    stop = Transaction("ended", "1970-01-01T00:00:00.000Z", ocpp_transaction_id="0", meter_wh=0)

    def test_it_is_a_repeat_while_the_transaction_runs_and_a_new_one_after(self) -> None:
        driver = Driver()
        seen: list[Outcome] = []
        for _ in range(3):
            first = driver.say(self.start)
            assert driver.say(self.start).transaction_id == first.transaction_id
            driver.restart()
            assert driver.say(self.start).repeated
            assert driver.say(self.stop).types == ["transaction.ended"]
            assert driver.say(self.stop).repeated
            seen.append(first)
        assert len({outcome.transaction_id for outcome in seen}) == 3
        assert seen[0].data["suspect"] == ["clock_past"]


# ---------------------------------------------------------------- overlaps


def test_a_start_on_a_busy_connector_ends_the_old_transaction_in_the_same_change() -> None:
    driver = Driver()
    old, number = started(driver)
    driver.say(meter(number, 60, 1500))
    outcome = driver.say(start(3600, meter=9000))
    assert outcome.types == ["transaction.started", "transaction.ended"]
    ended = outcome.events[1].data
    assert (ended["transaction_id"], ended["suspect"], ended["ended_at"]) == (old, ["missing_stop"], at(3600))
    assert (ended["energy_wh"], ended["energy_method"]) == (500, "samples")
    assert outcome.data["suspect"] == []
    assert [one.id for one in driver.twin.active_transactions()] == [outcome.data["transaction_id"]]
    assert driver.state()["transaction"]["id"] == outcome.data["transaction_id"]


@pytest.mark.parametrize("restart", [False, True])
def test_the_missing_stop_corrects_when_it_comes_after_all(restart: bool) -> None:
    driver = Driver()
    old, number = started(driver)
    driver.say(start(3600, meter=9000))
    if restart:
        driver.restart()
    late = driver.say(stop(number, 1800, meter=8000))
    assert late.types == ["transaction.corrected"]
    assert (late.data["transaction_id"], late.data["revision"], late.data["suspect"]) == (old, 2, [])
    assert (late.data["energy_wh"], late.data["ended_at"], late.data["duration_s"]) == (7000, at(1800), 1800.0)
    assert driver.say(stop(number, 1800, meter=8000)).repeated
    assert driver.record(old)["revision"] == 2


def test_a_start_from_the_past_does_not_end_the_transaction_that_runs() -> None:
    driver = Driver()
    running, _ = started(driver, seconds=3600)
    past, number = started(driver, seconds=0)
    assert driver.record(past)["suspect"] == ["overlapping_transaction"]
    assert driver.state()["transaction"]["id"] == running
    assert driver.say(stop(number)).data["transaction_id"] == past
    assert driver.state()["transaction"]["id"] == running


def test_transactions_of_other_connectors_go_on() -> None:
    driver = Driver()
    started(driver, evse=1)
    started(driver, evse=2)
    assert len(driver.twin.active_transactions()) == 2


def test_the_number_of_running_transactions_is_bounded() -> None:
    driver = Driver()
    for evse in range(1, 300):
        driver.say(start(evse=evse))
    assert len(driver.twin.active_transactions()) == 256
    assert [event.data["suspect"] for event in driver.log if event.type == "ocpp.transaction.ended"] == [
        ["missing_stop"]
    ] * 43


def test_a_change_that_is_not_adopted_leaves_no_trace() -> None:
    driver = Driver()
    before = driver.twin.everything()
    for report in (start(), stop(0), meter(None, 0, 1)):
        driver.twin.handle(report, now=NOW, redis_now=NOW)
    assert driver.twin.everything() == before


# ---------------------------------------------------------------- energy (quirk 28)


@pytest.mark.parametrize(
    ("begin", "samples", "end", "energy", "method", "suspect"),
    [
        (1000, [], 3000, 2000, "register", []),
        (1000, [], 1000, 0, "register", []),
        (0.1, [], 0.3, 0.2, "register", []),
        (1000, [1500, 2000], 3000, 2000, "register", []),
        (1000, [], 999, None, "unknown", ["meter_regression"]),
        (1000, [], -1, None, "unknown", ["meter_regression"]),
        (1000, [2000], 900, 1000, "samples", ["meter_regression"]),
        (1000, [2000], 1900, 900, "register", ["meter_regression"]),
        (1000, [2000, 1900, 2500], 3000, 2000, "register", ["meter_regression"]),
        (1000, [2000, 10, 500], 1600, 2590, "samples", ["meter_reset"]),
        (100000, [500, 1000], 101100, 1100, "register", []),
        (100000, [500, 1000], 1000, 1000, "session_register", ["session_relative_register", "meter_regression"]),
        (1000, [1500], None, 500, "samples", []),
        (1000, [], None, None, "unknown", []),
        (None, [], 3000, None, "unknown", []),
        (None, [1000, 2000], 3000, 2000, "samples", []),
    ],
)
def test_energy_is_never_negative_and_says_where_it_is_from(
    begin: float | None, samples: list[float], end: float | None, energy: float | None, method: str, suspect: list[str]
) -> None:
    driver = Driver()
    _, number = started(driver, meter=begin)
    for place, wh in enumerate(samples):
        driver.say(meter(number, 60 * (place + 1), wh))
    ended = driver.say(stop(number, meter=end)).data
    assert (ended["energy_wh"], ended["energy_method"], ended["suspect"]) == (energy, method, suspect)


def test_late_samples_do_not_turn_the_register_back() -> None:
    driver = Driver()
    _, number = started(driver)
    driver.say(meter(number, 120, 1500))
    late = driver.say(meter(number, 60, 1200))
    assert (late.data["energy_wh"], late.data["suspect"]) == (500, [])


# ---------------------------------------------------------------- clocks (quirk 21)


@pytest.mark.parametrize(
    ("time", "suspect"),
    [
        (at(0), []),
        (at(-400 * 86400), []),
        (at(86000), []),
        (at(87000), ["clock_future"]),
        ("2019-12-31T23:59:59.999Z", ["clock_past"]),
        ("1970-01-01T00:00:00.000Z", ["clock_past"]),
        (None, []),
    ],
)
def test_a_clock_that_cannot_be_right_is_flagged(time: str | None, suspect: list[str]) -> None:
    driver = Driver()
    report = start()
    report.time = time
    outcome = driver.say(report)
    assert outcome.data["suspect"] == suspect
    assert outcome.events[0].time == time
    assert outcome.data["started_at"] == (time or at(0))


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    driver = Driver()
    _, number = started(driver)
    assert driver.say(stop(number, -5)).data["duration_s"] is None


def test_a_token_that_json_can_hardly_hold_is_kept() -> None:
    driver = Driver()
    outcome = driver.say(start(token="\ud800"))
    driver.restart()
    assert driver.say(start(token="\ud800")).transaction_id == outcome.transaction_id


# ---------------------------------------------------------------- the record


def test_the_record_keeps_what_a_bill_may_rest_on() -> None:
    driver = Driver()
    _, number = started(driver)
    signed = {**sample(REGISTER, "OCMF|{}|{}", 0, context="Transaction.Begin"), "signed": "OCMF|{}|{}"}
    driver.say(Meter(1, 1, [signed, sample("SoC", 20, 0), sample(REGISTER, 1000, 0)], at(0), str(number)))  # type: ignore[list-item]
    power = [sample("Power.Active.Import", 3600.5, 60, phase=phase) for phase in ("L1", "L2", "L3")]
    clock = sample(REGISTER, 2000, 60, context="Sample.Clock")
    driver.say(Meter(1, 1, [*power, clock, sample("SoC", 40, 60)], at(60), str(number)))
    driver.say(Meter(1, 1, [sample("Power.Active.Import", 7000, 120)], at(120), str(number)))
    driver.restart()
    end = sample(REGISTER, 3000, 600, context="Transaction.End")
    ended = driver.say(stop(number, samples=[end], token="other")).data
    assert [(one["at"], one["energy_wh"], one["context"]) for one in ended["readings"]] == [
        (at(0), "OCMF|{}|{}", "Transaction.Begin"),
        (at(60), 2000, "Sample.Clock"),
        (at(600), 3000, "Transaction.End"),
    ]
    assert ended["readings"][0]["signed"] == "OCMF|{}|{}"
    assert (ended["peak_power_w"], ended["soc_start_percent"], ended["soc_end_percent"]) == (10801.5, 20, 40)
    assert [token["id"] for token in ended["tokens"]] == ["TAG", "other"]
    assert ended["sample_count"] == 10


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("meters", [(1500, 900_700), (900_700, 1500)])
def test_the_register_tells_which_of_a_tokens_transactions_a_stop_without_number_means(
    meters: tuple[int, int], restart: bool
) -> None:
    """Quirk 24, with two connectors and one card of a fleet."""
    driver = Driver()
    begun = {1500: started(driver, evse=1, meter=1000)[0], 900_700: started(driver, evse=2, meter=900_000)[0]}
    for seconds, wh in enumerate(meters, start=100):
        said = stop(-1, seconds, meter=wh, token="TAG")
        ended = driver.say(said)
        if restart:
            driver.restart()
        assert ended.types == ["transaction.ended"]
        assert (ended.data["transaction_id"], ended.data["suspect"]) == (begun[wh], [])
        assert driver.say(said).repeated
    assert driver.twin.active_ids() == []


def test_where_the_register_tells_nothing_either_a_stop_without_number_ends_no_transaction_of_several() -> None:
    driver = Driver()
    for evse in (1, 2):
        started(driver, evse=evse, meter=1000)
    ended = driver.say(stop(-1, 600, meter=1500, token="TAG"))
    assert ended.data["suspect"] == ["missing_start"]
    assert len(driver.twin.active_ids()) == 2


def test_the_peak_is_that_of_one_moment_however_many_a_message_tells_of() -> None:
    """A stop brings what was measured over the whole transaction (OCPP 1.6, section 6.49, transactionData)."""
    driver = Driver()
    _, number = started(driver)
    power = "Power.Active.Import"
    samples = [
        *(sample(power, watts, 60, phase=phase) for phase, watts in (("L1", 1000), ("L2", 1500), ("L3", 1250.5))),
        sample("SoC", 20, 60),
        *(sample(power, 1000, 120, phase=phase) for phase in ("L1", "L2", "L3")),
        *(sample(power, watts, 180, phase=phase) for phase, watts in (("L1", 900), (None, 2900))),
        sample("SoC", 60, 180),
        sample("SoC", 20, 240),
    ]
    ended = driver.say(stop(number, samples=samples)).data
    assert (ended["peak_power_w"], ended["soc_start_percent"], ended["soc_end_percent"]) == (3750.5, 20, 20)


@pytest.mark.parametrize(
    ("evse", "token", "later", "caused"),
    [(None, "tag", 0, True), (1, "TAG", 60, True), (2, "TAG", 0, False), (1, "B", 0, False), (1, "TAG", 601, False)],
)
def test_the_remote_start_that_caused_a_transaction_is_told(
    evse: int | None, token: str, later: float, caused: bool
) -> None:
    driver = Driver()
    driver.commit(driver.twin.start_expected(driver.now, "c-1", token=token, evse_id=evse, remote_start_id=None))
    driver.restart()
    driver.now += later
    first = driver.say(start())
    assert first.data["command_id"] == ("c-1" if caused else None)
    assert driver.say(start(30, evse=3)).data["command_id"] is None


def test_a_transaction_that_fell_silent_is_ended_and_corrected_by_its_late_stop() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.say(meter(number, 60, 1500))
    driver.now += 1000
    assert driver.twin.end_stale(driver.now, public, silent_for=1001).events == []
    ended = driver.commit(driver.twin.end_stale(driver.now, public, silent_for=1000))
    assert (ended.types, ended.data["suspect"], ended.data["energy_wh"]) == (
        ["transaction.ended"],
        ["missing_stop"],
        500,
    )
    late = driver.say(stop(number))
    assert (late.types, late.data["revision"], late.data["suspect"]) == (["transaction.corrected"], 2, [])


# ---------------------------------------------------------------- makes that have words of their own (quirks 25, 26)


def test_two_starts_at_once_on_one_connector_are_two_transactions_and_the_right_one_goes_on() -> None:
    driver = Driver()
    first, one = started(driver, token="A")
    other = driver.say(start(token="B"))
    second, two = other.data["transaction_id"], other.transaction_id
    assert (other.types, other.events[1].data["suspect"]) == (
        ["transaction.started", "transaction.ended"],
        ["missing_stop"],
    )
    assert two != one
    late = driver.say(stop(one, 600, meter=1500))
    ended = driver.say(stop(two, 600, meter=3000))
    assert (late.types, late.data["transaction_id"], late.data["energy_wh"]) == (["transaction.corrected"], first, 500)
    assert (ended.types, ended.data["transaction_id"], ended.data["energy_wh"]) == (["transaction.ended"], second, 2000)
    assert ended.data["suspect"] == []


def test_a_start_in_place_of_a_stop_ends_the_transaction_with_what_was_measured() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.say(meter(number, 300, 2500))
    instead = driver.say(start(600, meter=3000))
    assert instead.types == ["transaction.started", "transaction.ended"]
    ended = instead.events[1].data
    assert (ended["transaction_id"], ended["suspect"], ended["energy_wh"]) == (public, ["missing_stop"], 1500)


def test_a_charger_that_never_starts_has_its_samples_and_its_stop_kept() -> None:
    driver = Driver()
    sampled = driver.say(meter(4711, 300, 2500))
    ended = driver.say(stop(4711, 600, meter=3000))
    assert (sampled.types, sampled.data["ocpp_transaction_id"]) == (["meter.values"], "4711")
    assert (ended.types, ended.data["suspect"], ended.data["meter_stop_wh"]) == (
        ["transaction.ended"],
        ["missing_start"],
        3000,
    )
