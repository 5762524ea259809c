"""Questions to a real HTTP endpoint: what counts as an answer, and what becomes of everything else."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.responses import JSONResponse, RedirectResponse, Response
from structlog.typing import EventDict

from adapters.webhooks import WebhooksAdapter
from adapters.webhooks.asking import MAX_ANSWER_BYTES, shown
from adapters.webhooks.config import WebhooksConfig
from gateway.core.clock import SystemClock
from gateway.core.errors import AskFailed, ConfigurationError
from gateway.core.identity import ChargerId
from gateway.core.ports import Ask, Asker
from tests.adapters.rest.fakes import FakeGateway
from tests.adapters.webhooks.endpoint import YES, endpoint
from tests.support.leaping import LeapingClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def question(ask_id: str = "a-1", *, seconds: float = 60) -> Ask:
    data = {"evse_id": 1, "token": {"id": "04Ä2", "type": None}, "moment": "start"}
    return Ask(ask_id, "authorize", ChargerId("CP/1"), data, SystemClock().now() + seconds)


@asynccontextmanager
async def asker_of(gateway: FakeGateway, **settings: Any) -> AsyncIterator[Asker]:
    """The asker that the adapter registers."""
    started = asyncio.Event()
    adapter = WebhooksAdapter(WebhooksConfig.model_validate(settings), gateway.context)
    task = asyncio.create_task(adapter.run(started.set), name="webhooks")
    try:
        async with asyncio.timeout(60):
            await started.wait()
        yield gateway.askers.registered["webhook"]
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_a_question_is_posted_as_json_and_the_response_is_its_answer() -> None:
    gateway = FakeGateway()
    async with endpoint() as server, asker_of(gateway, url=server.url, headers={"X-Who": "me"}) as asker:
        ask = question()
        assert await asker.ask(ask) == YES
    (asked,) = server.asked
    assert asked.json == json.loads(json.dumps(ask.as_dict()))
    assert asked.path == "/ask"
    assert {name: asked.headers.get(name) for name in ("content-type", "webhook-id", "x-who", "webhook-signature")} == {
        "content-type": "application/json",
        "webhook-id": "a-1",
        "x-who": "me",
        "webhook-signature": None,
    }
    assert asked.headers["user-agent"].startswith("ocpp-gateway/")
    assert gateway.health.checks()["webhook"].level == "ok"


async def test_with_a_secret_the_question_is_signed() -> None:
    async with endpoint() as server, asker_of(FakeGateway(), url=server.url, secret=SECRET) as asker:
        before = SystemClock().now()
        await asker.ask(question())
    (asked,) = server.asked
    timestamp = asked.headers["webhook-timestamp"]
    assert before - 1 <= int(timestamp) <= SystemClock().now()
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"a-1.{timestamp}.".encode() + asked.body, "sha256")
    assert asked.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (JSONResponse({"status": "blocked"}, 201), {"status": "blocked"}),
        (Response('{"status": "blocked"}', media_type="text/plain"), {"status": "blocked"}),
        (Response(b'{"a":"' + b"x" * (MAX_ANSWER_BYTES - 8) + b'"}'), {"a": "x" * (MAX_ANSWER_BYTES - 8)}),
    ],
)
async def test_every_json_object_of_a_2xx_is_an_answer(response: Response, answer: dict[str, Any]) -> None:
    async with endpoint() as server, asker_of(FakeGateway(), url=server.url) as asker:
        server.answers = lambda _: response
        assert await asker.ask(question()) == answer


@pytest.mark.parametrize(
    ("response", "told", "level"),
    [
        (lambda: Response(status_code=204), "no opinion", "ok"),
        (lambda: Response(b""), "no opinion", "ok"),
        (lambda: JSONResponse([YES]), "JSON object", "degraded"),
        (lambda: Response(b"yes"), "did not answer JSON", "degraded"),
        (lambda: JSONResponse(YES, 404), "answered HTTP 404", "degraded"),
        (lambda: JSONResponse(YES, 500), "answered HTTP 500", "degraded"),
        (lambda: Response(b" " * (MAX_ANSWER_BYTES + 1)), f"more than {MAX_ANSWER_BYTES} bytes", "degraded"),
        (lambda: RedirectResponse("http://127.0.0.1:1/", 307), "307; redirects are not followed", "degraded"),
    ],
)
async def test_anything_else_is_told_and_leaves_the_decision_to_the_next_step(
    response: Callable[[], Response], told: str, level: str
) -> None:
    gateway = FakeGateway()
    async with endpoint() as server, asker_of(gateway, url=server.url) as asker:
        server.answers = lambda _: response()
        with pytest.raises(AskFailed, match=told):
            await asker.ask(question())
        assert len(server.asked) == 1
        assert gateway.health.checks()["webhook"].level == level
        server.answers = lambda _: JSONResponse(YES)
        assert await asker.ask(question("a-2")) == YES
    assert gateway.health.checks()["webhook"].level == "ok"


@pytest.mark.parametrize(("seconds", "timeout"), [(60, 300), (300, 60)])
async def test_at_the_deadline_the_request_is_given_up_so_that_no_late_answer_can_come(
    seconds: float, timeout: float
) -> None:
    gateway, clock = FakeGateway(), LeapingClock()
    async with endpoint() as server, asker_of(gateway, url=server.url, timeout=timeout) as asker:
        server.waiting = asyncio.Event()
        asking = asyncio.create_task(asker.ask(question(seconds=seconds)))
        async with asyncio.timeout(30):
            await server.arrived.wait()
        assert not asking.done()
        clock.leap(61)
        with pytest.raises(AskFailed, match=r"no answer within \d+(\.\d+)? s"):
            await asking
        async with asyncio.timeout(60):
            await server.gone.wait()
    assert gateway.health.checks()["webhook"].level == "degraded"


async def test_a_question_whose_time_is_up_is_not_asked() -> None:
    async with endpoint() as server, asker_of(FakeGateway(), url=server.url) as asker:
        with pytest.raises(AskFailed, match="no time was left"):
            await asker.ask(question(seconds=0))
    assert not server.asked


async def test_an_endpoint_that_is_away_is_told_once_and_found_again(logged: list[EventDict]) -> None:
    gateway = FakeGateway()
    async with endpoint() as gone:
        pass
    async with asker_of(gateway, url=f"{gone.url}?key=hidden") as asker:
        for _ in range(3):
            with pytest.raises(AskFailed, match=f"^http://127.0.0.1:{gone.port}/ask: "):
                await asker.ask(question())
    warnings = [entry for entry in logged if entry["log_level"] == "warning"]
    assert [entry["event"] for entry in warnings] == ["the webhook cannot be used"]
    assert "hidden" not in str(logged)


async def test_a_connection_that_ended_before_any_response_is_replaced_once() -> None:
    """The server closes each connection after its first answer, without saying so."""
    posted: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answering in (True, False):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            posted.append(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"webhook-id")))
            if answering:
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"status":"x"}')
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, asker_of(FakeGateway(), url=url) as asker:
        assert await asker.ask(question("a-1")) == {"status": "x"}
        assert await asker.ask(question("a-2")) == {"status": "x"}
    assert [line.lower() for line in posted] == [b"webhook-id: a-1", b"webhook-id: a-2", b"webhook-id: a-2"]


async def test_connections_are_kept_and_no_more_than_so_many_opened() -> None:
    async with endpoint() as server, asker_of(FakeGateway(), url=server.url, max_connections=2) as asker:
        answers = await asyncio.gather(*(asker.ask(question(f"a-{number}")) for number in range(20)))
        assert answers == [YES] * 20
    assert len(server.clients) <= 2
    assert {asked.headers["webhook-id"] for asked in server.asked} == {f"a-{number}" for number in range(20)}


async def test_without_a_url_the_adapter_is_idle() -> None:
    gateway = FakeGateway()
    started = asyncio.Event()
    task = asyncio.create_task(WebhooksAdapter(WebhooksConfig(), gateway.context).run(started.set), name="webhooks")
    async with asyncio.timeout(60):
        await started.wait()
    assert not task.done()
    assert not gateway.askers.registered
    assert "webhook" not in gateway.health.checks()
    task.cancel()
    await asyncio.wait({task})


async def test_a_ca_file_that_does_not_load_is_told_at_the_start(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    config = WebhooksConfig(url="https://x/", ca_file=wrong)
    with pytest.raises(ConfigurationError, match=r"ca_file .*ca\.pem does not load"):
        await WebhooksAdapter(config, FakeGateway().context).run(lambda: None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@x.example/ask?key=secret", "https://x.example/ask"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_what_is_shown_of_a_url_holds_no_secret(url: str, expected: str) -> None:
    assert shown(url) == expected
