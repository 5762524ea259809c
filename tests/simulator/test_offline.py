"""Virtual chargers when things go wrong: no answer, no CSMS, no line; nothing that is money gets lost."""

import asyncio
import http
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigurationError
from gateway.simulator import SimulatorEvent, SimulatorOptions, simulate
from tests.simulator.csms import FakeCsms
from tests.simulator.runs import options, running, transaction_messages
from tests.support.leaping import LeapingClock
from tests.support.servers import free_port

CHARGE = ["Started", "Updated", "Updated", "Updated", "Ended"]


def timestamp(payload: dict[str, Any]) -> datetime:
    text = payload["timestamp"] if "timestamp" in payload else payload["meterValue"][0]["timestamp"]
    return datetime.fromisoformat(text)


async def test_a_stored_transaction_is_replayed_in_order_with_its_own_time(csms: FakeCsms) -> None:
    await simulate(options(csms, scenario="backlog", rounds=1, backlog_age=3600.0))

    assert csms.received[0].action == "BootNotification"
    assert transaction_messages(csms) == CHARGE
    money = [r for r in csms.received if "ransaction" in r.action or r.action == "MeterValues"]
    moments = [timestamp(r.payload) for r in money]
    assert moments == sorted(moments)
    assert 3500 < (datetime.now(UTC) - moments[0]).total_seconds() < 3700
    if csms.version == "1.6":
        assert {r.payload["transactionId"] for r in money[1:]} == {1000}
    else:
        assert [r.payload["seqNo"] for r in money] == [0, 1, 2, 3, 4]
        assert all(r.payload["offline"] for r in money)


async def test_an_unanswered_transaction_message_is_sent_again_with_a_new_id(csms: FakeCsms) -> None:
    action = "StartTransaction" if csms.version == "1.6" else "TransactionEvent"
    csms.manners.swallow[action] = 2
    clock = LeapingClock()
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(simulate(options(csms, rounds=1, ping_interval=None, record=True)))
        for times in (1, 2):
            await csms.until_received(action, times=times)
            clock.leap(61)
    report = run.result()

    first, second, third = csms.of(action)[:3]
    assert first.payload == second.payload == third.payload
    assert len({first.message_id, second.message_id, third.message_id}) == 3
    assert report.resent >= 2
    acknowledged = next(record for record in report.records if record.action == action)
    assert acknowledged.message_ids == (first.message_id, second.message_id, third.message_id)
    assert acknowledged.message_id == third.message_id
    assert report.unsent == 0


async def test_what_happens_while_the_csms_is_away_is_told_when_it_is_back(csms: FakeCsms) -> None:
    refusals: list[SimulatorEvent] = []
    refused_thrice = asyncio.Event()
    port = csms.port

    def watch(event: SimulatorEvent) -> None:
        if event.kind == "refused":
            refusals.append(event)
        if len(refusals) >= 3:
            refused_thrice.set()

    settings = options(csms, samples=30, rounds=1, interval=2.0, reconnect_max=0.1, record=True)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(simulate(settings, on_event=watch))
        await csms.until(lambda: "Updated" in transaction_messages(csms))
        await csms.__aexit__()
        away = len(csms.received)
        await refused_thrice.wait()
        async with FakeCsms(csms.version, port=port) as back:
            back.manners = csms.manners
            await run
    await csms.__aenter__()

    report = run.result()
    heard = transaction_messages(csms)[:away] + transaction_messages(back)
    assert heard[0] == "Started"
    assert heard[-1] == "Ended"
    assert heard.count("Ended") == 1
    # A message whose answer was lost with the line comes twice, nothing comes never.
    assert heard.count("Updated") in (30, 31)
    assert report.unsent == 0
    assert report.connections == 2
    assert not back.of("BootNotification"), "a lost line is no reboot"


async def test_lost_lines_lose_no_transaction_message(csms: FakeCsms) -> None:
    report = await simulate(
        options(
            csms, scenario="storm", rounds=3, samples=10, idle_time=20.0, interval=3.0, reconnect_max=0.1, record=True
        )
    )

    wanted = (CHARGE[:1] + ["Updated"] * 10 + CHARGE[-1:]) * 3
    acknowledged = [
        {"StartTransaction": "Started", "MeterValues": "Updated", "StopTransaction": "Ended"}.get(
            record.action, record.payload.get("eventType")
        )
        for record in report.records
        if record.action in ("StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent")
    ]
    assert acknowledged == wanted
    assert report.disconnections >= 1


@pytest.mark.parametrize("word", ["Pending", "Rejected"])
async def test_a_boot_that_is_not_accepted_is_tried_again_and_nothing_else_is_sent(csms: FakeCsms, word: str) -> None:
    csms.manners.boots.extend([(word, 20), (word, 0)])
    await simulate(options(csms, rounds=1))

    assert csms.actions()[:3] == ["BootNotification"] * 3
    assert csms.actions()[3] != "BootNotification"
    assert transaction_messages(csms) == CHARGE


async def test_a_pending_charger_obeys_a_trigger_for_its_boot(csms: FakeCsms) -> None:
    csms.manners.boots.append(("Pending", 100_000))
    async with running(csms, scenario="idle"):
        await csms.until_received("BootNotification")
        await csms.until(lambda: "CP1" in csms.chargers)
        answer = await csms.call("CP1", "TriggerMessage", requested_message="BootNotification")
        assert answer.status == "Accepted"
        await csms.until_received("StatusNotification")
    assert len(csms.of("BootNotification")) == 2


async def test_heartbeats_keep_the_interval_of_the_boot(csms: FakeCsms) -> None:
    csms.manners.boots.append(("Accepted", 10))
    async with running(csms, scenario="idle"):
        await csms.until_received("Heartbeat", times=3)


async def test_a_refused_handshake_is_tried_again(csms: FakeCsms) -> None:
    events: list[SimulatorEvent] = []
    csms.refuse_with = http.HTTPStatus.SERVICE_UNAVAILABLE
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(simulate(options(csms, rounds=1, reconnect_max=0.1), on_event=events.append))
        await csms.until(lambda: len(csms.headers) >= 3)
        csms.refuse_with = None
        await run
    refusals = [event.detail for event in events if event.kind == "refused"]
    assert "503" in refusals[0]
    assert transaction_messages(csms) == CHARGE


async def test_a_csms_of_another_version_is_refused_with_the_reason() -> None:
    events: list[SimulatorEvent] = []
    refused = asyncio.Event()

    def watch(event: SimulatorEvent) -> None:
        events.append(event)
        if event.kind == "refused":
            refused.set()

    async with FakeCsms("1.6", speaks_nothing=True) as csms:
        await simulate(options(csms), on_event=watch, stop=refused)
    assert "does not speak ocpp1.6" in next(event.detail for event in events if event.kind == "refused")


async def test_the_password_travels_as_basic_auth(csms: FakeCsms) -> None:
    await simulate(options(csms, rounds=1, password="sesame"))
    assert csms.headers[0]["authorization"] == "Basic Q1AxOnNlc2FtZQ=="


@pytest.fixture
def self_signed(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


async def test_a_private_ca_is_trusted_where_it_is_named(self_signed: tuple[Path, Path]) -> None:
    certificate, key = self_signed
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with FakeCsms("1.6", tls=context) as csms:
        report = await simulate(options(csms, rounds=1, tls_ca=certificate))
        assert report.acknowledged["StopTransaction"] == 1
        refused = asyncio.Event()
        stranger = await simulate(options(csms), on_event=lambda _: refused.set(), stop=refused)
        assert (stranger.connections, stranger.refused) == (0, 1)


async def test_leaving_ends_the_running_transaction(csms: FakeCsms) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(simulate(options(csms, samples=10_000), stop=stop))
        await csms.until(lambda: "Updated" in transaction_messages(csms))
        stop.set()
    assert transaction_messages(csms)[-1] == "Ended"
    assert run.result().unsent == 0


async def test_leaving_may_leave_the_transaction_open(csms: FakeCsms) -> None:
    async with running(csms, samples=10_000, stop_on_exit=False):
        await csms.until(lambda: "Updated" in transaction_messages(csms))
    assert "Ended" not in transaction_messages(csms)


async def test_cancelling_ends_transactions_and_tasks(csms: FakeCsms) -> None:
    before = asyncio.all_tasks()
    run = asyncio.create_task(simulate(options(csms, samples=10_000, connectors=2)))
    await csms.until(lambda: transaction_messages(csms).count("Updated") > 2)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert transaction_messages(csms).count("Ended") == 2
    left = [task.get_name() for task in asyncio.all_tasks() - before if task.get_name().startswith(("CP1", "sim"))]
    assert left == []


async def test_without_a_csms_it_ends_in_time() -> None:
    clock, refusals, refused_thrice = LeapingClock(), list[SimulatorEvent](), asyncio.Event()

    def watch(event: SimulatorEvent) -> None:
        refusals.append(event)
        if len(refusals) >= 3:
            refused_thrice.set()

    nowhere = SimulatorOptions(url=f"ws://127.0.0.1:{free_port()}/ocpp", duration=3600, count=3)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(simulate(nowhere, on_event=watch))
        await refused_thrice.wait()
        clock.leap(3601)
    report = run.result()
    assert report.refused >= 3
    assert report.connections == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://localhost"},
        {"version": "1.5"},
        {"scenario": "party"},
        {"count": 0},
        {"speed": 0.0},
        {"ids": ("A", "A")},
        {"reconnect_min": 5.0, "reconnect_max": 1.0},
        {"tls_ca": Path("ca.pem")},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SimulatorOptions(**wrong)
