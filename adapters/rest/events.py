"""/v1/events: the event log for those who cannot take MQTT, by long poll or as a stream (SSE)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from adapters.rest import models, problems
from adapters.rest.event_types import wanted_types
from adapters.rest.parameters import Limit, PathCharger
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer
from adapters.rest.security import needs
from adapters.rest.services import Here, Services
from gateway.core.errors import CursorExpired, LogUnavailable, NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports import FeedPage

MAX_WAIT = 60.0
LOOK_EVERY = 0.25
"""Seconds between two looks at the log while a client waits for something new."""
SIGN_OF_LIFE = 15.0
"""Seconds of silence after which a stream says that it is there, so that no proxy closes it."""
STREAM_PAGE = 50
"""Events between two cursors at the most: who is cut off ever and again sooner does not get on."""
EARLIEST_TRIES = 10
"""Looks for what is left of a log that is just being trimmed."""

Types = Annotated[
    str | None,
    Query(
        description="Only these types, separated by commas, with or without the leading `ocpp.`; `*` at the end "
        "stands for anything",
        examples=["ocpp.transaction.*,ocpp.charger.booted"],
        max_length=1024,
    ),
]
ChargerFilter = Annotated[str | None, Query(description="Only this charger's", min_length=1)]
Start = Annotated[
    str,
    Query(
        description="Cursor: `next` of the answer before; `earliest` begins with all that is kept, `latest` with what "
        "comes from now on",
        max_length=4096,
    ),
]


class _CloudEvent(Response):
    media_type = "application/cloudevents+json"


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["events"], dependencies=[needs("read")], responses=documented(422))
    gone = documented(410)
    routes.add_api_route("/events", list_events, response_model=models.Events, responses=gone)
    stream: dict[int | str, dict[str, object]] = {
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events"}
    }
    routes.add_api_route(
        "/events/stream", stream_events, response_class=StreamingResponse, responses={**gone, **stream}
    )
    cloud_event: dict[int | str, dict[str, object]] = {
        200: {"content": {"application/cloudevents+json": {"schema": {"type": "object"}}}, "description": "CloudEvent"}
    }
    routes.add_api_route(
        "/chargers/{charger_id}/events/{position}",
        get_event,
        response_class=_CloudEvent,
        responses={**documented(404), **cloud_event},
    )
    return routes


async def list_events(
    services: Here,
    after: Start = "earliest",
    types: Types = None,
    charger_id: ChargerFilter = None,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait where nothing is there yet")] = 0.0,
    limit: Limit = 100,
) -> Response:
    """Events (CloudEvents) after a cursor, in order for each charger. Always go on with `next`.

    The same event may come again in another request's answer after a failure of yours, never in another order: store
    `next` together with what you made of the events. 410 means that events behind your cursor are gone, as you did not
    come for so long; `earliest` in the answer is where to go on.
    """
    clock = services.gateway.clock
    until = clock.monotonic() + wait
    page = await _first_page(services, after, types, charger_id, limit)
    while not page.items and clock.monotonic() < until:
        await asyncio.sleep(min(LOOK_EVERY, max(0.0, until - clock.monotonic())))
        page = await _page(services, page.next, types, charger_id, limit)
    return answer({"items": [orjson.Fragment(entry.body) for entry in page.items], "next": page.next})


async def get_event(
    services: Here,
    charger: PathCharger,
    position: Annotated[str, Path(description="Where it stands in the log, as `rawref` tells it", examples=["1-0"])],
) -> Response:
    """One event (CloudEvent) with its raw OCPP payload: what `rawref` leads to in an event that was too large for the
    MQTT broker with it."""
    entry = await services.gateway.feed.entry(charger, position)
    if entry is None:
        raise HttpProblem(
            problems.UNKNOWN_EVENT, f"{charger.identity!r} has no event {position!r} in the log (any more)."
        )
    return _CloudEvent(entry.body)


async def stream_events(
    services: Here,
    request: Request,
    after: Start = "latest",
    types: Types = None,
    charger_id: ChargerFilter = None,
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was received: goes on after it")
    ] = None,
) -> Response:
    """Events as they come (server-sent events): `event` is the type, `data` the CloudEvent, `id` the cursor."""
    # What is wrong with the request is told before the stream begins.
    first = await _first_page(services, last_event_id or after, types, charger_id, STREAM_PAGE)
    lines = _stream(services, request, first, types, charger_id)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _stream(
    services: Services, request: Request, page: FeedPage, types: str | None, charger_id: str | None
) -> AsyncIterator[bytes]:
    clock = services.gateway.clock
    said_at = clock.monotonic()
    yield b"retry: 2000\n\n"
    while not (services.submissions.stopping or await request.is_disconnected()):
        # The cursor behind a page is told with its last event: one that is cut off before that gets the page again.
        for place, entry in enumerate(page.items):
            last = place == len(page.items) - 1
            head = b"id: " + page.next.encode() + b"\n" if last else b""
            yield head + b"event: " + entry.type.encode() + b"\ndata: " + entry.body + b"\n\n"
        now = clock.monotonic()
        if page.items:
            said_at = now
        else:
            if now - said_at >= SIGN_OF_LIFE:
                # The cursor goes on, so that who waits for rare events does not come back with one that is too old.
                yield b"id: " + page.next.encode() + b"\n: still here\n\n"
                said_at = now
            await asyncio.sleep(LOOK_EVERY)
        try:
            page = await _page(services, page.next, types, charger_id, STREAM_PAGE)
        except HttpProblem as problem:
            yield b"event: problem\ndata: " + orjson.dumps({"detail": problem.detail}) + b"\n\n"
            return
        except LogUnavailable:
            # The client comes again by itself, with the id of its last event.
            return


async def _first_page(
    services: Services, after: str, types: str | None, charger_id: str | None, limit: int
) -> FeedPage:
    """Like `_page`, with `earliest` and `latest` for cursors, too."""
    feed = services.gateway.feed
    if after != "earliest":
        cursor = await feed.latest() if after == "latest" else after
        return await _page(services, cursor, types, charger_id, limit)
    for tries_left in reversed(range(EARLIEST_TRIES)):
        try:
            return await _page(services, await feed.earliest(), types, charger_id, limit)
        except HttpProblem as problem:
            # What was the earliest may be gone by now: who asks for what is left has not missed it.
            if problem.kind is not problems.EXPIRED or not tries_left:
                raise
    raise AssertionError


async def _page(services: Services, cursor: str, types: str | None, charger_id: str | None, limit: int) -> FeedPage:
    """Raises HttpProblem: 410 where entries are gone, 422 for an unknown type or cursor."""
    wanted = wanted_types(types)
    charger = None if charger_id is None else ChargerId(charger_id)
    try:
        return await services.gateway.feed.read(cursor, limit=limit, types=wanted, charger=charger)
    except CursorExpired as expired:
        detail = "Events behind this cursor are gone; go on with the cursor `earliest`, and look at what you missed."
        raise HttpProblem(problems.EXPIRED, detail, more={"earliest": expired.earliest}) from expired
    except NotFound as error:
        detail = "This is no cursor of ours: pass `next` as it was given, or `earliest`, or `latest`."
        raise HttpProblem(problems.INVALID, detail) from error
