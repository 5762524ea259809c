import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    structlog.get_logger("gateway.app").info("charger connected", charger="CP-1", version="1.6")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "charger connected",
        "level": "info",
        "logger": "gateway.app",
        "charger": "CP-1",
        "version": "1.6",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "hunter2"),
        ("broker_password", "hunter2"),
        ("token", "hunter2"),
        ("id_token", "hunter2"),
        ("idTag", "hunter2"),
        ("Authorization", "Basic hunter2"),
        ("client_secret", b"hunter2"),
        ("api_key", "hunter2"),
        ("url", "mqtts://user:hunter2@broker:8883/path"),
        ("settings", {"mqtt": {"password": "hunter2"}}),
        ("urls", ["redis://:hunter2@host"]),
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_hidden(form: log.LogFormat, key: str, value: object) -> None:
    stream = io.StringIO()
    log.configure(form, stream=stream)
    structlog.get_logger().warning("refused", **{key: value})
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    structlog.get_logger().info("x", token_type="Central", tokens=3, password=None, url="mqtt://broker:1883/a@b")
    (line,) = lines(stream)
    assert (line["token_type"], line["tokens"], line["password"]) == ("Central", 3, None)
    assert line["url"] == "mqtt://broker:1883/a@b"


def test_other_libraries_come_through_the_same_way_from_warning_on() -> None:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    logging.getLogger("uvicorn.error").info("chatter")
    logging.getLogger("websockets.server").warning("connection %s is odd, see %s", 7, "http://u:hunter2@x")
    (line,) = lines(stream)
    assert line["event"] == "connection 7 is odd, see http://***@x"
    assert (line["level"], line["logger"]) == ("warning", "websockets.server")


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    log.configure("json", "warning", stream)
    structlog.get_logger().info("chatter")
    structlog.get_logger().warning("trouble")
    assert [line["event"] for line in lines(stream)] == ["trouble"]


def test_auto_is_json_where_nobody_watches() -> None:
    stream = io.StringIO()
    log.configure("auto", stream=stream)
    structlog.get_logger().info("x")
    assert lines(stream)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variables(form: log.LogFormat) -> None:
    stream = io.StringIO()
    log.configure(form, stream=stream)
    hidden = "".join(["hun", "ter2"])
    try:
        raise ValueError(len(hidden))
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
