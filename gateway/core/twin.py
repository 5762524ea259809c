"""The gateway's picture of one charger, on the node that owns it: a state machine without I/O and without a clock.

It turns reports into events, snapshot fields and transaction records, the same for all OCPP versions. A change is
drawn up beside the state (`gateway.core.draft`) and counts once it is adopted, after its commit: where the log says
that a message was a repeat, its change is thrown away and nothing has happened.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.core import awaiting, charger_reports, ledger, meter_values, start_stop, statuses, transaction_events
from gateway.core.assembly import counts_from_one, give_up
from gateway.core.charger_state import AwaitedStart, count_violations, new_charger, new_memory
from gateway.core.clock import instant, rfc3339
from gateway.core.connector_state import is_idle, make_idle
from gateway.core.draft import Change, Draft, Place, State
from gateway.core.events import Event
from gateway.core.identity import ChargerId
from gateway.core.limits import known_limits, owed, put_limit, show_lapsed
from gateway.core.remembering import recall
from gateway.core.reports import (
    ActiveTransaction,
    Authorization,
    Boot,
    BootDecision,
    Heartbeat,
    Limit,
    Meter,
    Notice,
    Report,
    Status,
    TokenDecision,
    Transaction,
)
from gateway.core.restoring import everything, restored, restored_record

__all__ = ["Change", "Twin"]

STALE_AFTER = 900.0
"""Seconds after which a sample taken outside a transaction says nothing any more."""


class Twin:
    """What is known of one charger."""

    def __init__(self, charger: ChargerId) -> None:
        self._id = charger
        self._state = State(new_charger(charger), new_memory(), {}, {})

    @classmethod
    def restore(cls, charger: ChargerId, fields: Mapping[str, bytes], transactions: Mapping[str, bytes]) -> "Twin":
        """The twin that stored these fields and (at least the active) transaction records; tolerates any content."""
        twin = cls(charger)
        twin._state = restored(charger, fields, transactions)
        return twin

    # ------------------------------------------------------------ to read

    @property
    def version(self) -> str | None:
        """The OCPP version that the charger last spoke."""
        return self._state.charger["ocpp_version"]

    @property
    def boot_status(self) -> str | None:
        """How its last boot was answered, None if it never booted."""
        boot = self._state.charger["boot"]
        return None if boot is None else boot["status"]

    @property
    def make(self) -> tuple[str | None, str | None, str | None]:
        """Vendor, model and firmware, as the last boot told them."""
        charger = self._state.charger
        return charger["vendor"], charger["model"], charger["firmware_version"]

    def active_transactions(self) -> list[ActiveTransaction]:
        """The transactions that run; not those that are only waiting for missing messages."""
        return [
            ActiveTransaction(
                record["id"], record["ocpp_transaction_id"], record["evse_id"] or 0, record["connector_id"] or 0
            )
            for record in self._state.transactions.values()
            if record["pending_since"] is None
        ]

    def charges(self, evse_id: int) -> ActiveTransaction | None:
        """The transaction by which an EVSE charges, or will. One of OCPP 2.x that nobody has authorized yet, as it
        began when the EV was plugged in, is none."""
        authorized = {record["id"] for record in self._state.transactions.values() if awaiting.is_authorized(record)}
        found = [one for one in self.active_transactions() if one.evse_id == evse_id and one.id in authorized]
        return found[-1] if found else None

    def owed_limits(self, now: float) -> dict[int, Limit]:
        """The limits, by EVSE, that the charger must be told again."""
        return owed(self._state.memory, rfc3339(now)) if self._state.memory["limits"] else {}

    def is_plugged(self, evse_id: int) -> bool | None:
        """Whether an EV is plugged in there; None where the charger does not say."""
        said = [state["plugged"] for place, state in self._state.connectors.items() if place[0] == evse_id]
        return True if True in said else False if False in said else None

    @property
    def awaited(self) -> Mapping[str, AwaitedStart]:
        """The starts that wait for their EV: see `gateway.core.awaiting`."""
        return self._state.memory["awaited"]

    def due_start(self, now: float) -> AwaitedStart | None:
        """A start that waited, and is to be given to the charger now."""
        return awaiting.due(self.awaited, self._state.connectors, now) if self.awaited else None

    def limits(self, now: float) -> dict[int, Limit]:
        """The charging limits that were set by command, by EVSE; 0 is the whole charger."""
        return known_limits(self._state.memory, rfc3339(now))

    def evse_ids(self) -> list[int]:
        """The EVSEs that the charger has reported."""
        return sorted({evse_id for evse_id, _ in self._state.connectors})

    def places(self) -> list[Place]:
        """The connectors that the charger has reported, each with its EVSE."""
        return sorted(self._state.connectors)

    def pending_ends(self) -> dict[str, float]:
        """Transactions whose end waits for missing messages, and since when (Unix seconds): see `end_pending`."""
        return {
            record["id"]: record["pending_since"]
            for record in self._state.transactions.values()
            if record["pending_since"] is not None
        }

    # ------------------------------------------------------------ changes

    def adopt(self, change: Change) -> None:
        """Make a change part of the picture; call it once its commit succeeded, before the next change is made."""
        if change.draft is not None:
            change.draft.adopt_into(self._state)

    def connected(
        self,
        now: float,
        *,
        version: str,
        remote_address: str,
        node: str,
        security: str | None = None,
        quirks: str | None = None,
    ) -> Change:
        """A socket was opened and the charger is ours. `quirks` names the quirk profiles that apply to it."""
        draft = self._draft(now)
        charger = draft.charger()
        charger["availability"] = "online"
        charger["ocpp_version"] = version
        charger["connected_at"] = charger["last_seen_at"] = draft.now_text
        charger["remote_address"], charger["node"], charger["security"] = remote_address, node, security
        charger["quirks"], charger["unresponsive"] = quirks, False
        data = {"ocpp_version": version, "remote_address": remote_address, "node": node, "security": security}
        return _with_availability(draft, Event("ocpp.charger.connected", data))

    def disconnected(self, now: float, *, reason: str) -> Change:
        """The socket is gone."""
        draft = self._draft(now)
        charger = draft.charger()
        charger["availability"] = "offline"
        charger["disconnected_at"] = draft.now_text
        charger["node"] = None
        return _with_availability(draft, Event("ocpp.charger.disconnected", {"reason": reason}))

    def handle(
        self,
        report: Report,
        *,
        now: float,
        redis_now: float,
        token: TokenDecision | None = None,
        boot: BootDecision | None = None,
        payload: str = "",
        violations: Sequence[str] = (),
        may_recall: bool = False,
        recalled: bytes | None = None,
    ) -> Change:
        """What a message of the charger means.

        `now` is the node's clock, `redis_now` Redis's (both Unix seconds); `payload` is the message's original
        text; `violations` are the codes of its deviations. Never refuses a report.

        `may_recall`: where the report may be about a transaction that the twin has forgotten, the change only asks for
        it (`Change.recall`), and the caller comes again with what was stored of it as `recalled`, empty for nothing.
        """
        draft = self._draft(now)
        draft.may_recall = may_recall
        if recalled:
            recall(draft, restored_record(self._id, recalled))
        if violations:
            count_violations(draft.charger(), violations)
        numbered = self._is_numbered(report)
        match report:
            case Meter():
                if numbered:
                    return meter_values.meter(draft, report, payload)
                draft.events.append(meter_values.outside(draft, report))
            case Transaction():
                if not numbered:
                    return transaction_events.transaction_event(draft, report, token, payload)
                if report.kind == "started":
                    return start_stop.start(draft, report, token, redis_now)
                return start_stop.stop(draft, report)
            case Status():
                draft.events.append(statuses.status(draft, report))
            case Boot():
                draft.events.append(charger_reports.booted(draft, report, boot))
            case Authorization():
                draft.events.append(charger_reports.authorized(report, token))
            case Notice():
                charger_reports.notice(draft, report)
            case Heartbeat():
                pass
            case _:
                draft.events.append(Event("ocpp.message", {"direction": "received"}))
        return draft.change()

    def end_pending(self, now: float, transaction_id: str) -> Change:
        """The grace time of a transaction in `pending_ends` is over: end it with what is there, as suspect."""
        return transaction_events.end_pending(self._draft(now), transaction_id)

    @property
    def turn(self) -> int:
        """As long as it stays, so do the active transactions, those that are pending, and the unfinished reports."""
        return self._state.turn

    def active_ids(self) -> list[str]:
        """The transactions that run, and those whose end waits for missing messages."""
        return [*self._state.transactions]

    def spoken_at(self, transaction_id: str) -> float | None:
        """When anything was last heard of an active transaction (Unix seconds); None where it is none."""
        record = self._state.transactions.get(transaction_id)
        return None if record is None or record["updated_at"] is None else instant(record["updated_at"])

    def unfinished_reports(self) -> list[str]:
        """Reports of which parts are missing: see `give_up_report`."""
        return [*self._state.reports]

    def give_up_report(self, now: float, report: str) -> Change:
        """A report of `unfinished_reports` stayed incomplete for too long: say what came of it, and forget it."""
        draft = self._draft(now)
        give_up(draft, report)
        return draft.change()

    def reports_from_one(self) -> list[str]:
        """Those of `unfinished_reports` that are whole where the charger counts from 1: see `end_report`."""
        return [name for name, parts in self._state.reports.items() if counts_from_one(parts)]

    def end_report(self, now: float, report: str) -> Change:
        """A report of `reports_from_one` got no part 0 either: it is whole."""
        draft = self._draft(now)
        if report in self.reports_from_one():
            give_up(draft, report)
        return draft.change()

    def start_expected(
        self, now: float, command_id: str, *, token: str, evse_id: int | None, remote_start_id: int | None
    ) -> Change:
        """A remote start is on its way to the charger: the transaction that it causes bears the command's id."""
        draft = self._draft(now)
        ledger.expect_start(
            draft,
            {
                "command_id": command_id,
                "token": token,
                "evse_id": evse_id,
                "remote_start_id": remote_start_id,
                "at": now,
            },
        )
        return draft.change()

    def start_unexpected(self, now: float, command_id: str) -> Change:
        """The charger refused the remote start."""
        draft = self._draft(now)
        memory = draft.memory()
        memory["expected"] = [one for one in memory["expected"] if one["command_id"] != command_id]
        return draft.change()

    def written(self, now: float, write: Callable[[Draft], None]) -> Change:
        """The change that somebody draws up."""
        draft = self._draft(now)
        write(draft)
        return _shown(draft)

    def end_stale(self, now: float, transaction_id: str, *, silent_for: float) -> Change:
        """End a transaction that has been silent for so many seconds: its stop was lost."""
        draft = self._draft(now)
        record = self._state.transactions.get(transaction_id)
        if record is not None and (record["updated_at"] or "") <= rfc3339(now - silent_for):
            draft.events.append(ledger.end_without_stop(draft, draft.record(transaction_id), record["updated_at"]))
            return draft.change(ledger.ended_key(transaction_id))
        return draft.change()

    def known_as(self, now: float, quirks: str | None) -> Change:
        """The charger turned out to be of a make with these quirk profiles."""
        draft = self._draft(now)
        draft.charger()["quirks"] = quirks
        return draft.change()

    def responsive(self, now: float, responsive: bool, unanswered: int) -> Change:
        """Whether the charger answers calls; `unanswered` is how many in a row it did not answer."""
        draft = self._draft(now)
        draft.charger()["unresponsive"] = not responsive
        data = {"unresponsive": not responsive, "unanswered_calls": unanswered}
        draft.events.append(Event("ocpp.charger.unresponsive", data))
        return draft.change()

    def limited(self, now: float, evse_id: int, limit: Limit, *, is_told: bool = True) -> Change:
        """The limit of an EVSE (0: of the whole charger) was set, lifted, or charging was paused or resumed there.

        Where the charger was not told of it, what it must be told again is so still.
        """
        draft = self._draft(now)
        put_limit(draft, evse_id, limit, is_told=is_told)
        return _shown(draft)

    def availability_set(self, now: float, evse_id: int, available: bool, *, connector_id: int | None = None) -> Change:
        """An EVSE (0: the whole charger), or one connector of it, was taken into or out of service."""
        draft = self._draft(now)
        if evse_id == 0:
            draft.charger()["enabled"] = available
        for place in self._places(evse_id):
            state = draft.connector(place) if connector_id in (None, 0, place[1]) else None
            if state is not None:
                state["enabled"] = available
        return _shown(draft)

    def seen(self, now: float) -> Change:
        """The charger is there. What was sampled long ago outside a transaction ceases to count."""
        draft = self._draft(now)
        draft.charger()["last_seen_at"] = draft.now_text
        show_lapsed(draft)
        stale = self._draft(now - STALE_AFTER).now_text
        for place, state in self._state.connectors.items():
            if state["transaction"] is None and not is_idle(state) and (state["updated_at"] or "") < stale:
                drafted = draft.connector(place)
                if drafted is not None:
                    make_idle(drafted)
        return draft.change()

    def everything(self) -> Change:
        """All that is known, to be stored again: with it, the ended transactions that are still in mind."""
        return everything(self._state)

    def _draft(self, now: float) -> Draft:
        return Draft(self._id, self._state, now)

    def _places(self, evse_id: int) -> Iterable[Place]:
        """The connectors of an EVSE, of all for 0."""
        places = [place for place in self._state.connectors if evse_id in (0, place[0])]
        return places if places or evse_id == 0 else [(evse_id, 1)]

    def _is_numbered(self, report: Report) -> bool:
        """Transactions are known by the gateway's numbers, as in OCPP 1.6, and not by the charger's names."""
        version = self._state.charger["ocpp_version"]
        if version is not None:
            return version.startswith("1.")
        if isinstance(report, Transaction):
            return report.seq_no is None and (report.kind == "ended" or report.ocpp_transaction_id is None)
        return True


def _with_availability(draft: Draft, event: Event) -> Change:
    draft.events.append(event)
    change = draft.change()
    change.fields["availability"] = draft.charger()["availability"].encode()
    return change


def _shown(draft: Draft) -> Change:
    """A change that makes no event, and that is to be seen at once."""
    change = draft.change()
    change.shows = bool(change.fields)
    return change
