"""Structured logs to stderr: one line each, on a terminal for people, else as JSON."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_SECRET_KEY = re.compile(
    r"(^|_|-)(password|passwd|pwd|secret|authorization|credentials?|cookie|(api|admin|private)_?key|"
    r"token|id_?tag|(group|parent)_?id_?tag)$",
    re.IGNORECASE,
)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_REDACTED = "***"


def configure(log_format: LogFormat = "auto", level: LogLevel = "info", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging; called once, by the entry points.

    Other libraries' loggers come through the same processors from WARNING on.
    """
    stream = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="iso", utc=True) if as_json else structlog.processors.TimeStamper("%T"),
    ]
    # Tracebacks without local variables: those may hold passwords.
    rendering: list[Processor] = (
        [structlog.processors.format_exc_info, redact, _headline_first, structlog.processors.JSONRenderer()]
        if as_json
        else [
            redact,
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            ),
        ]
    )
    structlog.configure(
        processors=[*shared, _take_logger_name, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_NamedLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(stream, shared, rendering, max(number, logging.WARNING))


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides values of keys which name a secret, and credentials in URLs."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def redact_url(url: str) -> str:
    """The URL with `***` in place of user name and password."""
    return _URL_CREDENTIALS.sub(f"{_REDACTED}@", url)


def _redacted(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(key) and value is not None:
        return _REDACTED
    if isinstance(value, str):
        return redact_url(value) if "://" in value else value
    if isinstance(value, Mapping):
        return {name: _redacted(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", inner) for inner in value]
    return value


class _NamedLogger(structlog.WriteLogger):
    """Writes lines, and knows the module that it was made for."""

    def __init__(self, stream: TextIO, name: str | None) -> None:
        super().__init__(stream)
        self.name = name


class _NamedLoggerFactory:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, *args: Any) -> _NamedLogger:
        return _NamedLogger(self._stream, args[0] if args else None)


def _take_logger_name(logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    name = getattr(logger, "name", None)
    if name:
        event.setdefault("logger", name)
    return event


def _headline_first(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Begin each JSON line with what all lines have."""
    first = {key: event.pop(key) for key in ("timestamp", "level", "event", "logger") if key in event}
    return {**first, **event}


def _route_standard_library(stream: TextIO, shared: list[Processor], rendering: list[Processor], level: int) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
