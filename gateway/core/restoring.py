"""Reading back what a twin stored, of whatever age and shape (what cannot be read is left out, the rest is kept), and
storing it whole again."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.core.charger_state import ChargerState, EndedTransaction, Memory, new_charger, new_memory
from gateway.core.connector_state import ConnectorState, new_connector
from gateway.core.draft import PART_PREFIX, Change, Place, State, StoredPart
from gateway.core.events import to_json
from gateway.core.identity import ChargerId
from gateway.core.ledger import command_name
from gateway.core.matching import number_name
from gateway.core.transaction import TransactionRecord, new_record

_log = structlog.get_logger(__name__)

_T = TypeVar("_T", ChargerState, ConnectorState, TransactionRecord, Memory)

_CHARGER = TypeAdapter(ChargerState)
_CONNECTOR = TypeAdapter(ConnectorState)
_RECORD = TypeAdapter(TransactionRecord)
_MEMORY = TypeAdapter(Memory)
_ENDED = TypeAdapter(EndedTransaction)


def restored(charger: ChargerId, fields: Mapping[str, bytes], transactions: Mapping[str, bytes]) -> State:
    """The state that was stored in these snapshot fields and transaction records."""
    left_out: list[str] = []
    memory = _memory(charger, fields.get("memory"), left_out)
    records: dict[str, TransactionRecord] = {}
    for known in memory["active"]:
        stored = _object(f"transaction/{known}", transactions.get(known), left_out)
        if stored is not None:
            records[known] = _record(charger, known, stored, left_out)
    memory["active"] = [*records]
    connectors: dict[Place, ConnectorState] = {}
    for name, value in fields.items():
        place = _place(name)
        if place is not None:
            stored = _object(name, value, left_out)
            if stored is not None and isinstance(stored.get("transaction"), dict):
                # An older gateway stored none.
                stored["transaction"] = {"cost": None, "currency": None, **stored["transaction"]}
            connectors[place] = _merged(
                name, new_connector(*place), stored, _CONNECTOR, left_out, keep=("evse_id", "connector_id")
            )
    stored = _object("charger", fields.get("charger"), left_out)
    state = _merged("charger", new_charger(charger), stored, _CHARGER, left_out, keep=("id",), further=True)
    state["connectors"] = sorted([*place] for place in connectors)
    state["transactions"] = [*records]
    reports = _reports(fields, left_out)
    _tell(charger, left_out)
    return State(state, memory, connectors, records, reports)


def restored_record(charger: ChargerId, stored: bytes) -> TransactionRecord | None:
    """A transaction's record as it was stored; None where nothing can be made of it."""
    left_out: list[str] = []
    found = _object("transaction", stored, left_out)
    known = None if found is None else found.get("id")
    record = None if found is None or not isinstance(known, str) else _record(charger, known, found, left_out)
    _tell(charger, left_out)
    return record


def everything(state: State) -> Change:
    """What stores the whole state again: with it, the ended transactions that are still in mind."""
    ended = {known: entry["record"] for known, entry in state.memory["ended"].items()}
    kept = {**state.transactions, **{known: record for known, record in ended.items() if record is not None}}
    fields = {
        "charger": to_json(state.charger),
        "availability": state.charger["availability"].encode(),
        "memory": to_json(state.memory),
    }
    for (evse_id, connector_id), connector in state.connectors.items():
        fields[f"connector/{evse_id}/{connector_id}"] = to_json(connector)
    for name, parts in state.reports.items():
        for number, part in parts.items():
            fields[f"{PART_PREFIX}{name}/{number}"] = part.stored()
    records = {known: to_json(record) for known, record in kept.items()}
    names = {
        number_name(record["ocpp_transaction_id"]): known
        for known, record in kept.items()
        if record["start_key"] is not None
    }
    names |= {
        command_name(record["command_id"]): known for known, record in kept.items() if record["command_id"] is not None
    }
    return Change([], None, fields, records, names=names)


def _tell(charger: ChargerId, left_out: list[str]) -> None:
    """What was lost is told by name only: values may be a customer's."""
    if left_out:
        _log.warning("stored state could not be read and was left out", charger=str(charger), fields=left_out)


def _reports(fields: Mapping[str, bytes], left_out: list[str]) -> dict[str, dict[int, StoredPart]]:
    reports: dict[str, dict[int, StoredPart]] = {}
    for field, value in fields.items():
        report, _, number = field.removeprefix(PART_PREFIX).rpartition("/")
        if not field.startswith(PART_PREFIX) or not number.isdecimal():
            continue
        try:
            name, items, last = orjson.loads(value)
        except (ValueError, TypeError):
            left_out.append(field)
            continue
        if isinstance(name, str) and isinstance(items, list):
            reports.setdefault(report, {})[int(number)] = StoredPart(name, items, last is True)
        else:
            left_out.append(field)
    return reports


def _memory(charger: ChargerId, value: bytes | None, left_out: list[str]) -> Memory:
    stored = _object("memory", value, left_out) or {}
    ended = stored.pop("ended", {})
    memory = _merged("memory", new_memory(), stored, _MEMORY, left_out)
    if not isinstance(ended, dict):
        left_out.append("memory.ended")
        return memory
    for known, entry in ended.items():
        if isinstance(entry, dict) and isinstance(entry.get("record"), dict):
            entry["record"] = _record(charger, known, entry["record"], left_out)
        try:
            _ENDED.validate_python(entry, strict=True)
        except ValidationError:
            left_out.append(f"memory.ended.{known}")
            continue
        memory["ended"][known] = cast(EndedTransaction, entry)
    return memory


def _record(charger: ChargerId, known: str, stored: dict[str, Any], left_out: list[str]) -> TransactionRecord:
    blank = new_record(known, charger.identity, "")
    if stored.get("again") is True:
        blank["again"] = True
    if stored.get("stop_unread") is True:
        blank["stop_unread"] = True
    if type(stored.get("token_seq")) is int:
        blank["token_seq"] = stored["token_seq"]
    if isinstance(stored.get("told_cost"), int | float):
        blank["told_cost"] = stored["told_cost"]
    return _merged(f"transaction/{known}", blank, stored, _RECORD, left_out, keep=("id", "charger_id"))


def _merged(
    of: str,
    default: _T,
    stored: dict[str, Any] | None,
    adapter: TypeAdapter[_T],
    left_out: list[str],
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
            left_out.append(f"{of}.{name}")
    return cast(_T, merged)


def _object(name: str, value: bytes | None, left_out: list[str]) -> dict[str, Any] | None:
    """What was stored under a name, None where nothing was, or nothing that can be read."""
    if value is None:
        return None
    try:
        parsed = orjson.loads(value)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    left_out.append(name)
    return None


def _place(name: str) -> Place | None:
    kind, _, numbers = name.partition("/")
    evse_id, _, connector_id = numbers.partition("/")
    if kind == "connector" and evse_id.isdecimal() and connector_id.isdecimal():
        return int(evse_id), int(connector_id)
    return None
