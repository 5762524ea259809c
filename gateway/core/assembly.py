"""Reports that come in several messages, put together: NotifyReport, ReportChargingProfiles and the like.

Each part is an event of its own. The last one carries the whole: its list holds the items of all parts, and
`complete` is true. What came so far is stored with the snapshot, a field per part, so that it outlives a node.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.draft import Draft, StoredPart
from gateway.core.events import Event
from gateway.core.reports import Notice, Part

MAX_REPORTS = 8
"""Unfinished reports of one charger; the oldest beyond is given up."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of all unfinished reports of one charger. A part beyond is sent on as it is, and its report stays in parts."""

MAX_PARTS = 4096
"""Parts of one report; as for MAX_BYTES."""


def take_part(draft: Draft, notice: Notice, part: Part) -> None:
    """Add a part to its report; `complete` in the notice's data tells whether this made it whole."""
    data = notice.data
    _take_in(draft, notice.type, data, part)
    if part.text is not None:
        data[part.text] = "".join(data[part.items]) if data["complete"] else None


def _take_in(draft: Draft, event_type: str, data: dict[str, Any], part: Part) -> None:
    name = f"{event_type}/{'' if part.request_id is None else part.request_id}"
    known = draft.parts(name)
    if not known and part.last and part.sequence in (None, 0):
        data["complete"] = True
        return
    number = len(known) if part.sequence is None else part.sequence
    own = StoredPart(part.items, [*data[part.items]], part.last)
    if number in known and known[number].items != own.items:
        # Another report under the same id: the old one will not be finished any more.
        draft.drop_parts(name)
        known = {}
    parts = {**known, number: own}
    whole = _whole(parts)
    data["complete"] = bool(whole)
    if whole:
        data[part.items] = [item for n in whole for item in parts[n].items]
        draft.drop_parts(name)
    elif len(parts) <= MAX_PARTS and draft.part_bytes() + own.size <= MAX_BYTES:
        draft.put_part(name, number, own)
        for oldest in draft.unfinished()[:-MAX_REPORTS]:
            draft.drop_parts(oldest)


def _whole(parts: Mapping[int, StoredPart]) -> range:
    """The numbers of a report's parts where none is missing from 0, the first one's, up to the last."""
    last = max((number for number, part in parts.items() if part.last), default=None)
    if last is None or 0 not in parts or last >= len(parts):
        return range(0)
    numbers = range(last + 1)
    return numbers if parts.keys() >= set(numbers) else range(0)


def counts_from_one(parts: Mapping[int, StoredPart]) -> bool:
    """Whether a report would be whole if its charger counted from 1, as some do, and not from 0, as OCPP has it.

    Then its part 0 is merely late, or there is none: only waiting tells.
    """
    last = max((number for number, part in parts.items() if part.last), default=0)
    return last >= 1 and parts.keys() == set(range(1, last + 1))


def give_up(draft: Draft, name: str) -> None:
    """A report that stayed incomplete: forget it, and say in an event what came of it. It was whole after all where the
    charger counts from 1."""
    known = draft.parts(name)
    if not known:
        return
    event_type, _, request_id = name.rpartition("/")
    parts = [known[number] for number in sorted(known)]
    data = {
        "request_id": int(request_id) if request_id.lstrip("-").isdecimal() else None,
        parts[0].name: [item for part in parts for item in part.items],
        "to_be_continued": False,
        "complete": counts_from_one(known),
    }
    draft.events.append(Event(event_type, data))
    draft.drop_parts(name)
