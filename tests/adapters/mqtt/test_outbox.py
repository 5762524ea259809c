"""Results that wait for the broker are bounded in number."""

from structlog.testing import capture_logs

from adapters.mqtt.orders import Reply
from adapters.mqtt.outbox import Outbox
from gateway.core.commands import CommandResult, Outcome
from gateway.core.identity import ChargerId


def reply(number: int) -> Reply:
    return Reply(CommandResult(f"c-{number}", ChargerId("CP1"), "reset", Outcome.ACCEPTED), "topic", None)


async def test_what_finds_no_place_is_dropped_and_told() -> None:
    outbox = Outbox(2)
    with capture_logs() as logged:
        for number in range(4):
            outbox.put(reply(number))
    assert [entry["command_id"] for entry in logged] == ["c-2", "c-3"]
    for number in range(2):
        with await outbox.take() as taken:
            assert taken.result.id == f"c-{number}"
