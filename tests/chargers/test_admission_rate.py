"""A whole fleet that connects at once is let in at the configured rate, and every charger let in is served."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from heapq import heappop, heappush

import pytest
from websockets.exceptions import InvalidStatus

from gateway.chargers import admission_rate
from gateway.chargers.admission_rate import TOLD_EVERY, TURN_KEPT, AdmissionRate
from tests.chargers.conftest import Entries
from tests.chargers.harness import PATIENCE, handshake, response, running, until

RATE, BURST = 50.0, 250

Behaviour = Callable[[float, int], float]
"""When a charger comes again that was told so many seconds, at this moment."""


def obedient(_: float, told: int) -> float:
    return told + random.uniform(0, 0.5)


def impatient(_: float, told: int) -> float:
    return random.uniform(1, 10)


def slow(_: float, told: int) -> float:
    return random.uniform(20, 40)


def storm(fleet: int, burst: int, *behaviours: Behaviour) -> list[float]:
    """All of a fleet come at once, and again when they will, until all are in; when each was let in."""
    admission = AdmissionRate(RATE, burst, now=0.0)
    coming = [(random.random() / 10, number) for number in range(fleet)]
    coming.sort()
    let_in = []
    while coming:
        now, number = heappop(coming)
        told = admission.admit(f"CP-{number}", now)
        if told is None:
            let_in.append(now)
        else:
            heappush(coming, (now + behaviours[number % len(behaviours)](now, told), number))
    return let_in


@pytest.mark.parametrize("burst", [BURST, 60])
@pytest.mark.parametrize("behaviours", [(obedient,), (impatient,), (obedient, impatient), (obedient, slow)])
def test_a_fleet_settles_in_the_time_that_the_rate_says(behaviours: tuple[Behaviour, ...], burst: int) -> None:
    fleet = 5000
    let_in = storm(fleet, burst, *behaviours)
    ideal = (fleet - burst) / RATE
    # Whoever does not come at its turn is late by its own pause, at the end by a few of them.
    slack = 4 * (40 if slow in behaviours else 10 if impatient in behaviours else 3)
    assert ideal - 1 < let_in[-1] < ideal * 1.05 + slack
    for second in range(math.ceil(let_in[-1])):
        assert sum(second <= moment < second + 1 for moment in let_in) <= burst + RATE + 1


def test_the_obedient_are_told_once_and_their_turns_are_spread() -> None:
    admission = AdmissionRate(RATE, BURST, now=0.0)
    told = [admission.admit(f"CP-{number}", 0.0) for number in range(BURST + 1000)]
    assert told[:BURST] == [None] * BURST
    later = [seconds for seconds in told[BURST:] if seconds is not None]
    assert len(later) == 1000 == admission.line
    assert min(later) >= 1
    assert 19 < max(later) <= 1000 / RATE + 2
    for second in range(2, 20):
        assert later.count(second) < 2 * RATE, "no second has more than its share"
    again = sorted((seconds, number) for number, seconds in enumerate(told) if seconds is not None)
    assert all(admission.admit(f"CP-{number}", float(seconds)) is None for seconds, number in again)
    assert admission.line == 0


def test_who_comes_before_its_turn_keeps_its_place_and_makes_the_line_no_longer() -> None:
    admission = AdmissionRate(1.0, 1, now=0.0, jitter=lambda: 0.0)
    assert [admission.admit(who, 0.0) for who in "ABCD"] == [None, 1, 2, 3]
    assert [admission.admit("D", moment / 10) for moment in range(1, 9)] == [3] * 8
    assert admission.line == 3
    assert admission.admit("E", 0.9) == 4
    assert [admission.admit(who, moment) for who, moment in (("B", 1.0), ("C", 2.0), ("D", 3.0))] == [None] * 3


def test_the_places_of_those_that_never_come_back_are_given_to_others() -> None:
    admission = AdmissionRate(1.0, 10, now=0.0, jitter=lambda: 0.0)
    for number in range(14):
        admission.admit(f"GONE-{number}", 0.0)
    assert admission.line == 4
    assert admission.admit("NEW", 4.5) == 1, "those four may still come"
    assert admission.admit("NEW", 4.0 + TURN_KEPT + 0.1) is None
    assert admission.line == 0


def test_the_line_is_bounded_whatever_names_chargers_make_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_rate, "LONGEST_LINE", 100)
    admission = AdmissionRate(10.0, 1, now=0.0)
    told = [admission.admit(f"CP-{number}", 0.0) for number in range(5000)]
    assert admission.line == 100
    assert max(seconds for seconds in told if seconds is not None) <= 12


def test_without_a_rate_everybody_is_let_in() -> None:
    admission = AdmissionRate(0, 1, now=0.0)
    assert {admission.admit(f"CP-{number}", 0.0) for number in range(5000)} == {None}


# ------------------------------------------------------------ over real sockets


async def test_every_charger_of_a_storm_has_its_boot_answered_and_no_time_of_redis_is_spent_on_refusals(
    log: Entries,
) -> None:
    fleet, told, began = 50, [], time.monotonic()
    async with running(admission_rate=10, admission_burst=10) as node:

        async def connect_and_boot(number: int) -> None:
            while True:
                try:
                    async with node.charger(f"CP{number}"):
                        return
                except InvalidStatus as error:
                    told.append((error.response.status_code, int(error.response.headers["Retry-After"])))
                await asyncio.sleep(told[-1][1])

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(connect_and_boot(number) for number in range(fleet)))
        refused = len(told)
        assert {status for status, _ in told} == {503}
        assert node.store.asked == 2 * fleet, "settings and claim, for those that were let in alone"
        page = node.observer.page().decode()
        assert f"ocpp_gateway_admissions_put_off_total {float(refused)}" in page
        assert f'ocpp_gateway_handshakes_refused_total{{status="503"}} {float(refused)}' in page
        await until(lambda: 'ocpp_gateway_queue_depth{queue="admission"} 0.0' in node.observer.page().decode())
        lines = [entry for entry in log if entry["event"] == "more chargers connect than are let in at once"]
        assert 1 <= len(lines) <= 1 + (time.monotonic() - began) / TOLD_EVERY, "one line sums up many refusals"
        assert not [entry for entry in log if entry["event"] == "charger refused"]


async def test_a_refusal_tells_the_turn_and_ends_the_connection() -> None:
    async with running(admission_rate=0.001, admission_burst=1) as node, node.charger("FIRST"):
        for path, turn in (("/ocpp/A", 1000), ("/ocpp/B", 2000), ("/ocpp/A", 1000)):
            reader, writer = await node.raw()
            writer.write(handshake(path))
            status, headers = await response(reader)
            assert status == 503
            assert turn - 500 < int(headers["retry-after"]) <= turn + 1
            async with asyncio.timeout(PATIENCE):
                await reader.read()
            writer.close()
