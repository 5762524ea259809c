"""Reports that come in several messages, put together: NotifyReport, ReportChargingProfiles and the like.

Each part is an event of its own. The last one carries the whole: its list holds the items of all parts, and
`complete` is true. What came so far is stored with the snapshot, a field per part, so that it outlives a node.
"""

from collections.abc import Mapping

from gateway.core.draft import Draft, StoredPart
from gateway.core.events import Event
from gateway.core.reports import Notice, Part

MAX_REPORTS = 8
"""Unfinished reports of one charger; the oldest beyond is given up."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of all unfinished reports of one charger. A part beyond is sent on as it is, and its report stays in parts."""


def take_part(draft: Draft, notice: Notice, part: Part) -> None:
    """Add a part to its report; `complete` in the notice's data tells whether this made it whole."""
    data = notice.data
    name = f"{notice.type}/{'' if part.request_id is None else part.request_id}"
    known = draft.parts(name)
    if not known and part.last and part.sequence in (None, 0):
        data["complete"] = True
        return
    number = len(known) if part.sequence is None else part.sequence
    own = StoredPart(part.items, [*data[part.items]], part.last)
    parts = {**known, number: own}
    data["complete"] = _is_whole(parts)
    if data["complete"]:
        data[part.items] = [item for n in sorted(parts) for item in parts[n].items]
        draft.drop_parts(name)
    elif draft.part_bytes() + own.size <= MAX_BYTES:
        draft.put_part(name, number, own)
        for oldest in draft.unfinished()[:-MAX_REPORTS]:
            draft.drop_parts(oldest)


def _is_whole(parts: Mapping[int, StoredPart]) -> bool:
    """Nothing is missing up to the last part; some chargers count from 1."""
    last = max((number for number, part in parts.items() if part.last), default=None)
    first = min(parts)
    return last is not None and first in (0, 1) and parts.keys() >= set(range(first, last + 1))


def give_up(draft: Draft, name: str) -> None:
    """A report that stayed incomplete: forget it, and say in an event what came of it."""
    known = draft.parts(name)
    if not known:
        return
    event_type, _, request_id = name.rpartition("/")
    parts = [known[number] for number in sorted(known)]
    data = {
        "request_id": int(request_id) if request_id.lstrip("-").isdecimal() else None,
        parts[0].name: [item for part in parts for item in part.items],
        "to_be_continued": False,
        "complete": False,
    }
    draft.events.append(Event(event_type, data))
    draft.drop_parts(name)
