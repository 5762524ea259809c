"""Reading back what a twin stored, of whatever age and shape: what cannot be read is left out, the rest is kept."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from gateway.core.charger_state import ChargerState, EndedTransaction, Memory, new_charger, new_memory
from gateway.core.connector_state import ConnectorState, new_connector
from gateway.core.draft import PART_PREFIX, Place, State, StoredPart
from gateway.core.identity import ChargerId
from gateway.core.transaction import TransactionRecord, new_record

_T = TypeVar("_T", ChargerState, ConnectorState, TransactionRecord, Memory)

_CHARGER = TypeAdapter(ChargerState)
_CONNECTOR = TypeAdapter(ConnectorState)
_RECORD = TypeAdapter(TransactionRecord)
_MEMORY = TypeAdapter(Memory)
_ENDED = TypeAdapter(EndedTransaction)


def restored(charger: ChargerId, fields: Mapping[str, bytes], transactions: Mapping[str, bytes]) -> State:
    """The state that was stored in these snapshot fields and transaction records."""
    memory = _memory(charger, fields.get("memory"))
    records: dict[str, TransactionRecord] = {}
    for known in memory["active"]:
        stored = _object(transactions.get(known))
        if stored is not None:
            records[known] = _record(charger, known, stored)
    memory["active"] = [*records]
    connectors: dict[Place, ConnectorState] = {}
    for name, value in fields.items():
        place = _place(name)
        if place is not None:
            connectors[place] = _merged(
                new_connector(*place), _object(value), _CONNECTOR, keep=("evse_id", "connector_id")
            )
    state = _merged(new_charger(charger), _object(fields.get("charger")), _CHARGER, keep=("id",), further=True)
    state["connectors"] = sorted([*place] for place in connectors)
    state["transactions"] = [*records]
    return State(state, memory, connectors, records, _reports(fields))


def restored_record(charger: ChargerId, stored: bytes) -> TransactionRecord | None:
    """A transaction's record as it was stored; None where nothing can be made of it."""
    found = _object(stored)
    known = None if found is None else found.get("id")
    return None if found is None or not isinstance(known, str) else _record(charger, known, found)


def _reports(fields: Mapping[str, bytes]) -> dict[str, dict[int, StoredPart]]:
    reports: dict[str, dict[int, StoredPart]] = {}
    for field, value in fields.items():
        report, _, number = field.removeprefix(PART_PREFIX).rpartition("/")
        if not field.startswith(PART_PREFIX) or not number.isdecimal():
            continue
        try:
            name, items, last = orjson.loads(value)
        except (ValueError, TypeError):
            continue
        if isinstance(name, str) and isinstance(items, list):
            reports.setdefault(report, {})[int(number)] = StoredPart(name, items, last is True)
    return reports


def _memory(charger: ChargerId, value: bytes | None) -> Memory:
    stored = _object(value) or {}
    ended = stored.pop("ended", None)
    memory = _merged(new_memory(), stored, _MEMORY)
    for known, entry in ended.items() if isinstance(ended, dict) else ():
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("record"), dict):
            entry["record"] = _record(charger, known, entry["record"])
        try:
            _ENDED.validate_python(entry, strict=True)
        except ValidationError:
            continue
        memory["ended"][known] = cast(EndedTransaction, entry)
    return memory


def _record(charger: ChargerId, known: str, stored: dict[str, Any]) -> TransactionRecord:
    blank = new_record(known, charger.identity, "")
    if stored.get("again") is True:
        blank["again"] = True
    return _merged(blank, stored, _RECORD, keep=("id", "charger_id"))


def _merged(
    default: _T,
    stored: dict[str, Any] | None,
    adapter: TypeAdapter[_T],
    *,
    keep: tuple[str, ...] = (),
    further: bool = False,
) -> _T:
    """The defaults, overlaid with what was stored and fits; `further` takes over keys that are not known, too."""
    plain = cast(dict[str, Any], default)
    overlay = {name: value for name, value in (stored or {}).items() if (further or name in plain) and name not in keep}
    merged = {**plain, **overlay}
    try:
        adapter.validate_python(merged, strict=True)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            name = str(problem["loc"][0])
            merged[name] = plain[name]
    return cast(_T, merged)


def _object(value: bytes | None) -> dict[str, Any] | None:
    if value is None:
        return None
    try:
        parsed = orjson.loads(value)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _place(name: str) -> Place | None:
    kind, _, numbers = name.partition("/")
    evse_id, _, connector_id = numbers.partition("/")
    if kind == "connector" and evse_id.isdecimal() and connector_id.isdecimal():
        return int(evse_id), int(connector_id)
    return None
