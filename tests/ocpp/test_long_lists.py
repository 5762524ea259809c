"""Lists of tokens and reports that are longer than a charger takes at a time."""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.ocpp.profile import Answered, Call, Ending, Refused, Station
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.dialogue import Answer, Desk

DESKS = {profile.version: Desk(profile, Station([], count(1).__next__)) for profile in PROFILES.values()}
VERSIONS = list(DESKS)


@dataclass
class Keeper:
    """A charger with a list, as the specification has it; `limit` and `longest` are what it takes in a message."""

    limit: int | None = None
    longest: int | None = None
    version: int = 0
    kept: dict[str, Any] = field(default_factory=dict)
    parts: list[tuple[int, str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    fails_at: int | None = None

    def answer(self, call: Call) -> Answer:
        if call.action == "SendLocalList":
            return Answered({"status": self._take(call.payload)})
        self.asked.append(call.action)
        if call.action == "GetLocalListVersion":
            return Answered({"listVersion": self.version, "versionNumber": self.version})
        if call.action == "GetConfiguration":
            assert call.payload == {"key": ["SendLocalListMaxLength"]}
            entry = {"key": "SendLocalListMaxLength", "readonly": True, "value": str(self.limit)}
            return Answered({"configurationKey": [entry]} if self.limit else {"unknownKey": call.payload["key"]})
        return self._variable(call.payload)

    def _variable(self, payload: dict[str, Any]) -> Answer:
        (item,) = payload["getVariableData"]
        assert item["component"] == {"name": "LocalAuthListCtrlr"}
        value = {"ItemsPerMessage": self.limit, "BytesPerMessage": self.longest}[item["variable"]["name"]]
        if value is None:
            return Refused("InternalError", "internal_error")
        return Answered({"getVariableResult": [{**item, "attributeStatus": "Accepted", "attributeValue": str(value)}]})

    def _take(self, payload: dict[str, Any]) -> str:
        version = payload["listVersion" if "listVersion" in payload else "versionNumber"]
        entries = payload.get("localAuthorizationList", [])
        self.parts.append((version, payload["updateType"], len(entries)))
        assert self.limit is None or len(entries) <= self.limit
        assert self.longest is None or len(json.dumps(payload)) < self.longest or len(entries) == 1
        if self.fails_at == len(self.parts):
            return "Failed"
        if payload["updateType"] == "Full":
            self.kept = {}
        elif version <= self.version:
            return "VersionMismatch"
        self.version = version
        for entry in entries:
            name = entry["idTag"] if "idTag" in entry else entry["idToken"]["idToken"]
            self.kept[name] = entry
        return "Accepted"


def sent(keeper: Keeper, ocpp: str, version: int, tokens: int, update: str = "full") -> Ending:
    arguments = {"version": version, "update": update, "tokens": [{"token": f"TOKEN-{n}"} for n in range(tokens)]}
    return DESKS[ocpp].talk("send_local_list", arguments, keeper.answer)[1]


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_a_long_list_is_sent_in_parts_the_first_full_and_the_others_added(ocpp: str) -> None:
    keeper = Keeper(limit=4, version=70)
    ending = sent(keeper, ocpp, 9, 10)
    assert ending == Ending(Outcome.ACCEPTED, None, {"status": "accepted", "version": 9})
    assert keeper.parts == [(7, "Full", 4), (8, "Differential", 4), (9, "Differential", 2)]
    assert (keeper.version, len(keeper.kept)) == (9, 10)


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_the_versions_go_beyond_the_one_that_was_asked_for_where_there_is_no_room_below_it(ocpp: str) -> None:
    full = Keeper(limit=4)
    assert sent(full, ocpp, 1, 10).result == {"status": "accepted", "version": 3}
    added = Keeper(limit=4, version=5)
    assert sent(added, ocpp, 6, 10, "differential").result == {"status": "accepted", "version": 8}
    assert added.parts == [(6, "Differential", 4), (7, "Differential", 4), (8, "Differential", 2)]
    roomy = Keeper(limit=4, version=5)
    assert sent(roomy, ocpp, 20, 10, "differential").result == {"status": "accepted", "version": 20}


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_an_update_that_is_older_than_the_list_stays_a_mismatch(ocpp: str) -> None:
    keeper = Keeper(limit=4, version=9)
    ending = sent(keeper, ocpp, 9, 10, "differential")
    assert (ending.outcome, ending.reason, ending.acted) == (Outcome.REJECTED, "VersionMismatch", False)
    assert (keeper.version, keeper.kept) == (9, {})


@pytest.mark.parametrize("ocpp", VERSIONS)
@pytest.mark.parametrize(("tokens", "limit"), [(4, 1), (10, None), (10, 10)])
def test_what_fits_goes_out_in_one_message(ocpp: str, tokens: int, limit: int | None) -> None:
    keeper = Keeper(limit=None if tokens == 4 else limit)
    sent(keeper, ocpp, 3, tokens)
    assert keeper.parts == [(3, "Full", tokens)]
    assert bool(keeper.asked) == (tokens > 4)


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_a_part_that_is_not_taken_tells_that_the_list_is_incomplete(ocpp: str) -> None:
    ending = sent(Keeper(limit=4, fails_at=2), ocpp, 9, 10)
    told = "Failed: 1 of 3 parts were taken, so the list is incomplete; send it again in full"
    assert ending == Ending(Outcome.REJECTED, told, {"status": "failed", "version": 8}, acted=True)


@pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])
def test_no_part_is_longer_than_the_station_takes(ocpp: str) -> None:
    keeper = Keeper(limit=50, longest=700)
    assert sent(keeper, ocpp, 30, 20).outcome is Outcome.ACCEPTED
    assert len(keeper.parts) > 2
    assert len(keeper.kept) == 20
    tiny = Keeper(longest=10)
    assert sent(tiny, ocpp, 30, 5).outcome is Outcome.ACCEPTED
    assert [size for _, _, size in tiny.parts] == [1] * 5


# ---------------------------------------------------------------- keys of 1.6


@pytest.mark.parametrize(("limit", "sizes"), [("5", [1, 5, 5, 2]), (None, [1, 12]), ("0", [1, 12])])
def test_no_more_keys_are_read_at_a_time_than_the_charger_takes(limit: str | None, sizes: list[int]) -> None:
    def answer(call: Call) -> Answer:
        asked = call.payload["key"]
        if asked == ["GetConfigurationMaxKeys"] and limit is None:
            return Answered({"unknownKey": asked})
        return Answered({"configurationKey": [{"key": key, "readonly": True, "value": limit} for key in asked]})

    arguments = {"variables": [{"variable": f"Key{number}"} for number in range(12)]}
    calls, ending = DESKS["1.6"].talk("get_variables", arguments, answer)
    assert [len(call.payload["key"]) for call in calls] == sizes
    assert ending.result is not None
    assert [variable["variable"] for variable in ending.result["variables"]] == [f"Key{n}" for n in range(12)]


# ---------------------------------------------------------------- reports

NAMED = [{"component": "C", "variable": f"V{number}"} for number in range(10)]


def reporting(ocpp: str, statuses: list[str], limit: int = 4) -> tuple[list[Call], Ending]:
    """get_report of ten variables, four at a time; the answers to each GetReport."""
    waiting = iter(statuses)

    def answer(call: Call) -> Answer:
        if call.action == "GetReport":
            return Answered({"status": next(waiting)})
        (item,) = call.payload["getVariableData"]
        assert item["variable"] == {"name": "ItemsPerMessage", "instance": "GetReport"}
        return Answered({"getVariableResult": [{**item, "attributeStatus": "Accepted", "attributeValue": str(limit)}]})

    return DESKS[ocpp].talk("get_report", {"variables": NAMED}, answer)


def report(call: Call, *names: str) -> dict[str, Any]:
    variables = [{"component": "C", "variable": name, "variable_instance": None} for name in names]
    return {"request_id": call.payload["requestId"], "complete": True, "variables": variables}


@pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])
def test_reports_that_a_station_gives_in_portions_are_one_result(ocpp: str) -> None:
    calls, yes = reporting(ocpp, ["Accepted", "EmptyResultSet", "Accepted"])
    reports = [call for call in calls if call.action == "GetReport"]
    assert [len(call.payload["componentVariable"]) for call in reports] == [4, 4, 2]
    assert len({call.payload["requestId"] for call in reports}) == 3
    follow = DESKS[ocpp].profile.outbound["get_report"].follow
    assert follow is not None
    unfinished = {**report(reports[0], "V0"), "complete": False}
    assert follow.ending(yes, calls, unfinished) is None
    assert follow.ending(yes, calls, {**report(reports[0]), "request_id": 99_999}) is None
    more = follow.ending(yes, calls, report(reports[2], "V8", "V9"))
    assert more is not None
    assert more.awaiting == (reports[0].payload["requestId"],)
    end = follow.ending(more, calls, report(reports[0], "V0", "V1", "V2"))
    assert end is not None
    assert (end.outcome, end.awaiting) == (Outcome.ACCEPTED, ())
    assert end.result is not None
    assert [found["variable"] for found in end.result["variables"]] == ["V8", "V9", "V0", "V1", "V2"]
    assert [missing["variable"] for missing in end.result["unknown"]] == ["V4", "V5", "V6", "V7", "V3"]


@pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])
def test_reports_none_of_which_has_anything_end_at_once(ocpp: str) -> None:
    _, ending = reporting(ocpp, ["EmptyResultSet"] * 3)
    assert (ending.outcome, ending.reason, ending.final) == (Outcome.REJECTED, "EmptyResultSet", True)
    assert ending.result is not None
    assert len(ending.result["unknown"]) == 10


@pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])
def test_a_portion_of_a_report_that_is_refused_ends_the_command(ocpp: str) -> None:
    _, ending = reporting(ocpp, ["Accepted", "Rejected", "Accepted"])
    assert (ending.outcome, ending.reason, ending.acted) == (Outcome.REJECTED, "Rejected", True)
