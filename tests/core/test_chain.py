"""Chains of steps carried out: who is asked in which order, for how long, and what counts in the end."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.core.answers import DataTransferAnswer
from gateway.core.chain import NO_LIST
from gateway.core.clock import rfc3339
from gateway.core.identity import ChargerId
from gateway.core.ports import IdToken
from gateway.core.responder import Question
from gateway.core.token_list import EMPTINESS_HOLDS
from tests.core.answering import BOOT, CP1, FOR_EVER, NOBODY, FakeAsker, House, asked, house
from tests.support.virtual_time import START, run

YES = {"status": "accepted"}


async def clock_after(*work: Any) -> tuple[list[Any], float]:
    """The results of several pieces of work, one after the other, and the seconds that they took."""
    began = asyncio.get_running_loop().time()
    results = [await piece for piece in work]
    return results, asyncio.get_running_loop().time() - began


def decided(made: House, *questions: Any) -> tuple[list[tuple[str, str]], float]:
    """Status and decider for each question, and the seconds in all."""
    work = (made.responder.authorize(question) for question in (questions or (asked(),)))
    results, seconds = run(clock_after(*work))
    return [(result.status, result.decided_by) for result in results], seconds


# ---------------------------------------------------------------- order and deadlines


@pytest.mark.parametrize(
    ("chain", "webhook", "mqtt", "expected", "seconds"),
    [
        (["webhook", "mqtt"], (YES, 1), (YES, 1), ("accepted", "webhook"), 1),
        (["mqtt", "webhook"], ({"status": "blocked"}, 1), (NOBODY, 0), ("blocked", "webhook"), 1),
        (["webhook", "mqtt"], (YES, FOR_EVER), (YES, 1), ("accepted", "mqtt"), 4),
        (["webhook:0.5", "mqtt"], (YES, FOR_EVER), (YES, 1), ("accepted", "mqtt"), 1.5),
        (["webhook:99", "mqtt"], (YES, FOR_EVER), (YES, 1), ("invalid", "fallback"), 6),
        (["webhook:99", "accepted"], (YES, FOR_EVER), (YES, 1), ("accepted", "fallback"), 6),
        (["webhook:99", "local"], (YES, FOR_EVER), (YES, 1), ("accepted", "local"), 6),
        (["webhook", "mqtt"], (YES, FOR_EVER), (YES, FOR_EVER), ("invalid", "fallback"), 6),
        (["webhook:4", "mqtt:4"], (YES, FOR_EVER), (YES, FOR_EVER), ("invalid", "fallback"), 6),
        (["webhook", "blocked"], (RuntimeError("bug"), 0), (YES, 0), ("blocked", "fallback"), 0),
        (["webhook", "mqtt"], ({"status": "nonsense"}, 0), (YES, 0), ("accepted", "mqtt"), 0),
        (["webhook"], ("yes", 0), (YES, 0), ("invalid", "fallback"), 0),
        (["no_credit"], (YES, 0), (YES, 0), ("no_credit", "fallback"), 0),
    ],
)
def test_steps_are_tried_in_turn_within_their_time_and_the_chains(
    chain: list[str],
    webhook: tuple[Any, float],
    mqtt: tuple[Any, float],
    expected: tuple[str, str],
    seconds: float,
) -> None:
    made = house(FakeAsker("webhook", *webhook), FakeAsker("mqtt", *mqtt), authorize=chain)
    assert decided(made) == ([expected], pytest.approx(seconds))


@given(
    steps=st.lists(st.tuples(st.sampled_from(["mqtt", "webhook"]), st.floats(0.1, 9)), min_size=1, max_size=6),
    delays=st.tuples(st.floats(0, 9), st.floats(0, 9)),
    deadline=st.floats(0.5, 8),
)
def test_no_chain_takes_longer_than_its_deadline_and_none_goes_unanswered(
    steps: list[tuple[str, float]], delays: tuple[float, float], deadline: float
) -> None:
    askers = FakeAsker("mqtt", YES, delays[0]), FakeAsker("webhook", YES, delays[1])
    chain = [f"{name}:{seconds:g}" for name, seconds in steps]
    made = house(*askers, authorize=chain, deadline=deadline)
    results, seconds = decided(made)
    assert seconds <= deadline + 1e-6
    assert results[0] in [("accepted", "mqtt"), ("accepted", "webhook"), ("invalid", "fallback")]
    for asker in askers:
        assert all(ask.deadline <= START + deadline + 1e-6 for ask in asker.asks)


def test_a_way_to_ask_that_is_not_set_up_is_passed_over() -> None:
    assert decided(house(authorize=["webhook", "accepted"]))[0] == [("accepted", "fallback")]


# ---------------------------------------------------------------- what is asked and answered


def test_an_ask_tells_all_that_is_known_under_a_new_id_each_time() -> None:
    asker = FakeAsker("webhook", YES)
    made = house(asker, authorize=["webhook:2"])
    decided(made, asked("TAG", type_="ISO14443", certificate="PEM", moment="not this"), asked("TAG"))
    first, second = (ask.as_dict() for ask in asker.asks)
    assert first.pop("id") != second.pop("id")
    assert first == {
        "question": "authorize",
        "charger_id": "CP1",
        "certificate": "PEM",
        "evse_id": 1,
        "token": {"id": "TAG", "type": "ISO14443"},
        "moment": "presented",
        "deadline_at": rfc3339(START + 2),
    }


def test_a_boot_and_other_questions_are_asked_with_what_the_charger_said() -> None:
    asker = FakeAsker("mqtt", lambda ask: {"status": "rejected"})
    made = house(asker, boot=["mqtt"], data_transfer=["mqtt"])

    async def ask() -> None:
        boot = await made.responder.boot(CP1, BOOT)
        assert (boot.status, boot.interval, boot.decided_by) == ("rejected", 300, "mqtt")
        other = await made.responder.decide(Question("data_transfer", CP1, {"vendor_id": "V"}))
        assert (other.answer, other.decided_by) == (DataTransferAnswer(status="rejected"), "mqtt")

    run(ask())
    assert [(ask.kind, ask.data.get("serial_number"), ask.data.get("vendor_id")) for ask in asker.asks] == [
        ("boot", "S1", None),
        ("data_transfer", None, "V"),
    ]


def test_the_whole_answer_reaches_the_charger() -> None:
    answer = {
        "status": "accepted",
        "expires_at": "2030-01-01T01:00:00+01:00",
        "group": "G",
        "evse_ids": [2],
        "charging_priority": 3,
        "personal_message": "Hi",
        "certificate_status": "accepted",
        "new": "ignored",
    }
    made = house(FakeAsker("webhook", answer), authorize=["webhook"])
    decision = run(made.responder.authorize(asked()))
    told = decision.expires_at, decision.group, decision.evse_ids, decision.charging_priority
    assert told == ("2030-01-01T00:00:00.000Z", "G", (2,), 3)
    assert (decision.personal_message, decision.certificate_status) == ("Hi", "accepted")


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"status": "SECRET"}, "status"),
        ({}, "status"),
        ({**YES, "expires_at": "SECRET"}, "expires_at"),
        ({**YES, "group": {"SECRET": 1}}, "group"),
        ({**YES, "evse_ids": [1, -1]}, "evse_ids.1"),
        ({**YES, "evse_ids": [2**31]}, "evse_ids.0"),
        (["SECRET"], "the answer"),
        (None, "the answer"),
    ],
)
def test_an_answer_that_cannot_be_used_is_logged_by_its_fields_not_their_values(answer: Any, field: str) -> None:
    made = house(FakeAsker("webhook", answer), authorize=["webhook"])
    with capture_logs() as logged:
        assert decided(made, asked("SECRET"))[0] == [("invalid", "fallback")]
    (entry,) = logged
    assert (entry["log_level"], entry["asker"], entry["question"], entry["charger"]) == (
        "warning",
        "webhook",
        "authorize",
        "CP1",
    )
    assert entry["problems"][0].startswith(f"{field}: ")
    assert "SECRET" not in str(entry)


def nested(depth: int) -> Any:
    value: Any = "SECRET"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("data", [nested(100), nested(100_000), 2**64, {"a": "\ud800"}])
def test_an_answer_that_cannot_be_written_as_json_is_none(data: Any) -> None:
    asker = FakeAsker("webhook", {"status": "accepted", "data": data})
    made = house(asker, data_transfer=["webhook", "rejected"])
    with capture_logs() as logged:
        decision = run(made.responder.decide(Question("data_transfer", CP1, {})))
    assert (decision.answer, decision.decided_by) == (DataTransferAnswer(status="rejected"), "fallback")
    assert [entry["log_level"] for entry in logged] == ["warning"]


@pytest.mark.parametrize(("interval", "told"), [(0, 900), (None, 900), (1, 1), (2**31 - 1, 2**31 - 1), (2**31, 900)])
def test_the_interval_of_a_boot_is_one_that_every_charger_can_read(interval: int | None, told: int) -> None:
    asker = FakeAsker("webhook", {"status": "accepted", "interval": interval})
    made = house(asker, boot=["webhook", "accepted"])
    assert run(made.responder.boot(CP1, BOOT)).interval == told


def test_that_nobody_answers_is_logged_when_it_begins_and_when_it_ends() -> None:
    asker = FakeAsker("webhook", NOBODY)
    made = house(asker, authorize=["webhook"])
    with capture_logs() as logged:
        decided(made, *[asked("SECRET")] * 5)
        asker.answer = YES
        decided(made, *[asked("SECRET")] * 5)
        asker.answer, asker.delay = YES, FOR_EVER
        decided(made, asked("SECRET"))
    assert [entry.get("reason") for entry in logged] == ["nobody listens", None, "no answer within 3 s"]
    assert {entry["log_level"] for entry in logged} == {"info"}
    assert "SECRET" not in str(logged)


# ---------------------------------------------------------------- the policy where none is configured


def test_a_fresh_install_accepts_any_token_until_there_is_a_list() -> None:
    made = house()

    async def over_time() -> list[tuple[str, str]]:
        found = []
        for _ in range(3):
            found.append(await made.responder.authorize(asked("OTHER")))
            await asyncio.sleep(EMPTINESS_HOLDS / 4)
        assert made.tokens.asked == ["standing"]
        await made.tokens.put([IdToken("tag")])
        await asyncio.sleep(EMPTINESS_HOLDS)
        found += [await made.responder.authorize(asked(token)) for token in ("OTHER", "TAG")]
        return [(decision.status, decision.decided_by) for decision in found]

    assert run(over_time()) == [*[("accepted", "local")] * 3, ("invalid", "fallback"), ("accepted", "tokens")]


def test_a_list_that_was_emptied_lets_no_token_charge_and_the_log_says_so() -> None:
    made = house(tokens=(IdToken("tag"),))

    async def over_time() -> list[str]:
        found = [(await made.responder.authorize(asked("TAG"))).status]
        await made.tokens.remove("tag")
        await asyncio.sleep(EMPTINESS_HOLDS)
        return [*found, (await made.responder.authorize(asked("TAG"))).status]

    with capture_logs() as logged:
        assert run(over_time()) == ["accepted", "invalid"]
    assert [(entry["log_level"], entry["event"].partition(":")[0]) for entry in logged] == [
        ("warning", "there is a list of id tokens"),
        ("warning", "the list of id tokens is empty"),
    ]


def test_a_webhook_is_asked_for_tokens_that_no_list_has() -> None:
    asker = FakeAsker("webhook", YES)
    made = house(asker, tokens=(IdToken("listed"),))
    assert decided(made, asked("LISTED"), asked("OTHER"))[0] == [("accepted", "tokens"), ("accepted", "webhook")]
    asker.answer = NOBODY
    assert decided(made)[0] == [("invalid", "fallback")]


def test_that_mqtt_could_be_asked_changes_nothing_until_a_chain_names_it() -> None:
    assert decided(house(FakeAsker("mqtt", {"status": "blocked"})))[0] == [("accepted", "local")]


@pytest.mark.parametrize("kind", ["data_transfer", "sign_certificate", "settlement"])
def test_other_questions_get_the_default_reply(kind: str) -> None:
    asker = FakeAsker("webhook", YES)
    decision = run(house(asker).responder.decide(Question(kind, CP1, {})))
    assert (decision.answer, decision.decided_by, asker.asks) == (None, "local", [])


def test_where_a_chain_for_another_question_runs_out_the_default_reply_is_given() -> None:
    decision = run(house(sign_certificate=["webhook"]).responder.decide(Question("sign_certificate", CP1, {})))
    assert (decision.answer, decision.decided_by) == (None, "fallback")


@pytest.mark.parametrize(
    ("answers", "tokens", "lines"),
    [
        ({}, (), [NO_LIST]),
        ({}, (IdToken("t"),), ["authorize: tokens → invalid"]),
        ({"authorize": ["webhook:2", "accepted"]}, (), ["authorize (all): webhook:2 → accepted"]),
        (
            {"boot": ["known"], "groups": [{"chargers": ["a*"], "authorize": ["tokens"]}]},
            (),
            ["boot (all): known → pending", "authorize (a*): tokens → invalid", NO_LIST],
        ),
    ],
)
def test_who_answers_can_be_told(answers: dict[str, Any], tokens: Sequence[IdToken], lines: list[str]) -> None:
    assert run(house(tokens=tuple(tokens), **answers).responder.told()) == lines


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize(
    ("entry", "question", "status"),
    [
        (IdToken("tag"), asked("TAG"), "accepted"),
        (IdToken("TAG", "blocked"), asked("tag"), "blocked"),
        (IdToken("TAG", expires_at=rfc3339(START + 9)), asked(), "accepted"),
        (IdToken("TAG", expires_at=rfc3339(START)), asked(), "expired"),
        (IdToken("TAG", expires_at="rubbish"), asked(), "expired"),
        (IdToken("TAG", "nonsense"), asked(), "invalid"),
        (IdToken("TAG", group="x" * 256), asked(), "invalid"),
        (IdToken("TAG", chargers=("CP?", "x")), asked(), "accepted"),
        (IdToken("TAG", chargers=("cp1", "CP", "CP1?")), asked(), "not_at_this_location"),
        (IdToken("TAG", "blocked", chargers=("other",)), asked(), "blocked"),
        (IdToken("TAG", type="iso14443"), asked(type_="ISO14443"), "accepted"),
        (IdToken("TAG", type="ISO14443"), asked(), "accepted"),
        (IdToken("TAG"), asked(type_="Central"), "accepted"),
        (IdToken("TAG", type="ISO14443"), asked(type_="Central"), None),
        (IdToken("OTHER"), asked(), None),
    ],
)
def test_the_list_says_what_a_token_may(entry: IdToken, question: Any, status: str | None) -> None:
    made = house(tokens=(entry,), authorize=["tokens", "no_credit"])
    expected = ("no_credit", "fallback") if status is None else (status, "tokens")
    assert decided(made, question)[0] == [expected]
    assert made.tokens.asked == ["find"]


def test_an_entrys_group_and_expiry_are_passed_on() -> None:
    entry = IdToken("TAG", expires_at="2099-01-01T00:00:00+00:00", group="fleet")
    decision = run(house(tokens=(entry,), authorize=["tokens"]).responder.authorize(asked()))
    assert (decision.group, decision.expires_at) == ("fleet", "2099-01-01T00:00:00.000Z")


@pytest.mark.parametrize("chain", [["accepted"], ["webhook"], ["tokens", "accepted"], None])
def test_an_empty_token_is_nobodys_and_nobody_is_asked(chain: list[str] | None) -> None:
    asker = FakeAsker("webhook", YES)
    made = house(asker, authorize=chain)
    assert decided(made, asked(" "))[0] == [("invalid", "local")]
    assert not asker.asks


def test_no_authorization_needed_is_a_token_that_can_be_asked_about() -> None:
    made = house(FakeAsker("webhook", YES), authorize=["tokens", "webhook"])
    assert decided(made, asked("", type_="NoAuthorization"))[0] == [("accepted", "webhook")]
    assert made.tokens.asked == []


@pytest.mark.parametrize(
    ("chain", "decision"),
    [
        (["tokens"], ("accepted", "fallback")),
        (None, ("accepted", "fallback")),
        (["tokens", "webhook"], ("blocked", "webhook")),
        (["tokens", "no_credit"], ("no_credit", "fallback")),
    ],
)
def test_where_a_station_wants_no_token_no_list_says_no(chain: list[str] | None, decision: tuple[str, str]) -> None:
    """OCPP 2.x part 2, C02.FR.02; whoever is asked, or names a last status, may say no."""
    asker = [FakeAsker("webhook", {"status": "blocked"})] if chain and "webhook" in chain else []
    made = house(*asker, tokens=(IdToken("TAG"),), authorize=chain)
    assert decided(made, asked("", type_="NoAuthorization"))[0] == [decision]


@pytest.mark.parametrize("chain", [["tokens", "webhook"], None])
def test_while_redis_is_away_a_good_token_waits_and_is_not_refused(chain: list[str] | None) -> None:
    made = house(FakeAsker("webhook", {"status": "blocked"}, delay=2), tokens=(IdToken("TAG"),), authorize=chain)

    async def outage() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        made.tokens.away = True
        loop.call_later(60, lambda: setattr(made.tokens, "away", False))
        listed = asyncio.create_task(made.responder.authorize(asked()))
        other = asyncio.create_task(made.responder.authorize(asked("OTHER")))
        assert (await listed).decided_by == "tokens"
        assert 60 <= loop.time() < 61
        # The outage has taken nothing from the time of those that are asked after it.
        decision = await other
        return decision.decided_by, loop.time()

    by, at = run(outage())
    assert by == "webhook"
    assert 62 <= at < 63


# ---------------------------------------------------------------- the cache


def yes_until(seconds: float) -> dict[str, Any]:
    return {**YES, "expires_at": rfc3339(START + seconds)}


@pytest.mark.parametrize(
    ("answer", "options", "asked_after", "asks"),
    [
        (yes_until(100), {}, [0, 1, 98], 1),
        (yes_until(100), {}, [0, 101], 2),
        (yes_until(1e6), {"cache_max": 50}, [0, 30, 40], 2),
        (yes_until(1e6), {"cache_max": 50}, [0, 49, 2, 47], 2),
        (yes_until(1e6), {"cache_max": 0}, [0, 0], 2),
        (yes_until(-5), {}, [0, 0], 2),
        (YES, {}, [0, 0], 2),
        ({**yes_until(100), "status": "blocked"}, {}, [0, 0], 2),
    ],
)
def test_a_yes_is_remembered_as_long_as_it_says_it_holds(
    answer: dict[str, Any], options: dict[str, Any], asked_after: list[float], asks: int
) -> None:
    asker = FakeAsker("webhook", answer)
    made = house(FakeAsker("mqtt", NOBODY), asker, authorize=["tokens", "mqtt", "webhook"], **options)

    async def over_time() -> None:
        answers = []
        for seconds in asked_after:
            await asyncio.sleep(seconds)
            answers.append(await made.responder.authorize(asked()))
        assert {(decision.status, decision.decided_by) for decision in answers} == {(answer["status"], "webhook")}

    run(over_time())
    assert len(asker.asks) == asks


def test_what_is_remembered_is_of_one_charger_and_one_token_alone() -> None:
    asker = FakeAsker("webhook", yes_until(100))
    made = house(asker, authorize=["webhook"])
    decided(made, asked("A"), asked("a"), asked("B"), asked("A", charger=ChargerId("CP2")), asked("A", type_="eMAID"))
    assert [ask.data["token"]["id"] for ask in asker.asks] == ["A", "B", "A", "A"]


def test_what_was_asked_with_details_is_asked_every_time() -> None:
    asker = FakeAsker("webhook", yes_until(100))
    made = house(asker, authorize=["webhook"])
    decided(made, *[asked(certificate="PEM")] * 2, asked(), asked(certificate="PEM"))
    assert len(asker.asks) == 4


def test_a_token_that_the_list_has_since_is_not_answered_from_memory() -> None:
    made = house(FakeAsker("webhook", yes_until(100)), authorize=["tokens", "webhook"])

    async def listed_later() -> str:
        await made.responder.authorize(asked())
        await made.tokens.put([IdToken("TAG", "blocked")])
        return (await made.responder.authorize(asked())).status

    assert run(listed_later()) == "blocked"


# ---------------------------------------------------------------- boots


@pytest.mark.parametrize(
    ("answers", "stored", "expected"),
    [
        ({}, {}, ("accepted", 900, "local")),
        ({"boot": ["local"]}, {}, ("accepted", 900, "local")),
        ({"boot": ["known"]}, {}, ("pending", 60, "fallback")),
        ({"boot": ["known", "rejected"]}, {}, ("rejected", 300, "fallback")),
        ({"boot": ["known", "rejected"]}, {"has_password": True}, ("accepted", 900, "known")),
        ({"boot": ["known", "rejected"]}, {"subprotocol": "ocpp1.6"}, ("accepted", 900, "known")),
        ({"boot": ["known", "rejected"]}, {"vendor": "told by itself"}, ("rejected", 300, "fallback")),
        ({"boot": ["pending"], "boot_interval_pending": 7}, {}, ("pending", 7, "fallback")),
        ({"boot": ["rejected"], "boot_interval_rejected": 8}, {}, ("rejected", 8, "fallback")),
        ({"boot": ["rejected"]}, {"registration": "accepted"}, ("accepted", 900, "operator")),
        ({"boot": ["known"]}, {"registration": "pending", "has_password": True}, ("pending", 60, "operator")),
        ({}, {"registration": "rejected"}, ("rejected", 300, "operator")),
        ({"boot": ["webhook"]}, {}, ("pending", 60, "fallback")),
        ({"boot": ["mqtt"]}, {}, ("accepted", 5, "mqtt")),
    ],
)
def test_a_boot_is_answered_by_the_operator_or_the_chain(
    answers: dict[str, Any], stored: dict[str, Any], expected: tuple[str, int, str]
) -> None:
    made = house(FakeAsker("mqtt", {"status": "accepted", "interval": 5}), stored=stored, **answers)
    decision = run(made.responder.boot(CP1, BOOT))
    assert (decision.status, decision.interval, decision.decided_by) == expected


def test_a_boot_waits_while_redis_is_away() -> None:
    made = house(stored={"registration": "rejected"})
    made.settings.away = True

    async def outage() -> str:
        asyncio.get_running_loop().call_later(60, lambda: setattr(made.settings, "away", False))
        return (await made.responder.boot(CP1, BOOT)).status

    assert run(outage()) == "rejected"


def test_what_a_business_system_says_of_an_interval_is_told_as_it_is_and_the_settings_own_are_spread() -> None:
    asker = FakeAsker("webhook", {"status": "pending", "interval": 120})
    asked = house(asker, boot=["webhook", "accepted"], spread=0.5)
    assert run(asked.responder.boot(CP1, BOOT)).interval == 120
    own = house(boot=["pending"], spread=0.5, boot_interval_pending=1000)
    fleet = [ChargerId(f"CP-{number}") for number in range(50)]
    told = {run(own.responder.boot(charger, BOOT)).interval for charger in fleet}
    assert len(told) > 25
    assert 500 <= min(told) <= max(told) <= 1000
