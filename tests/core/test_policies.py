"""Section [answers]: which chains can be written, and which one holds for a charger."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.core.answers import ANSWERS
from gateway.core.identity import ChargerId
from gateway.core.patterns import matches
from gateway.core.policies import FALLBACKS, AnswersConfig, Policies, PolicyBook, Step, parsed, words

STEPS = ["mqtt", "webhook", "mqtt:2", "webhook:0.5"]


def test_every_question_has_its_option_and_every_fallback_its_word() -> None:
    assert set(Policies.model_fields) == set(ANSWERS)
    for question, word in FALLBACKS.items():
        assert word in words(question)


@given(st.data())
def test_any_steps_with_an_end_make_a_chain(data: st.DataObject) -> None:
    question = data.draw(st.sampled_from(sorted(ANSWERS)))
    steps = data.draw(st.lists(st.sampled_from(STEPS), min_size=1))
    end = data.draw(st.sampled_from(["local", *words(question)]))
    for chain in (steps, [*steps, end]):
        assert [str(step) for step in parsed(question, tuple(chain))] == chain
    with pytest.raises(ValueError, match=f"nothing can come after '{end}'"):
        parsed(question, (end, *steps))


@pytest.mark.parametrize(
    ("question", "chain", "message"),
    [
        ("authorize", [], "a chain needs a step"),
        (
            "authorize",
            ["token"],
            r"unknown step 'token' \(did you mean 'tokens'\?\); steps of authorize are tokens, mqtt, webhook, local",
        ),
        ("authorize", ["pending"], "unknown step 'pending'.* as the last one accepted, blocked, expired, invalid"),
        ("settlement", ["accepted"], r"unknown step 'accepted'; steps of settlement are mqtt, webhook, local \["),
        ("authorize", ["mqt:3"], r"unknown step 'mqt' \(did you mean 'mqtt'\?\)"),
        ("boot", ["acepted"], r"unknown step 'acepted' \(did you mean 'accepted'\?\)"),
        ("authorize", ["known"], "'known' is a step of boot only"),
        ("boot", ["tokens"], "'tokens' is a step of authorize only"),
        ("boot", ["pending", "mqtt"], "nothing can come after 'pending', as it always answers"),
        ("boot", ["local", "mqtt"], "nothing can come after 'local'"),
        ("boot", ["mqtt:soon"], "'mqtt:soon': what follows the colon is a number of seconds greater than 0"),
        ("boot", ["mqtt:"], "'mqtt:': what follows"),
        ("boot", ["mqtt:0"], "'mqtt:0': what follows"),
        ("boot", ["mqtt:-1"], "'mqtt:-1': what follows"),
        ("boot", ["mqtt:inf"], "'mqtt:inf': what follows"),
        ("boot", ["mqtt:nan"], "'mqtt:nan': what follows"),
        ("authorize", ["tokens:3"], "'tokens:3': seconds go with mqtt and webhook only"),
        ("boot", ["accepted:3"], "'accepted:3': seconds go with"),
    ],
)
def test_what_makes_no_chain_is_told(question: str, chain: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as raised:
        AnswersConfig.model_validate({question: chain})
    assert raised.value.errors()[0]["loc"] == (question,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": [{"authorize": ["tokens"]}]},
        {"groups": [{"chargers": [], "authorize": ["tokens"]}]},
        {"groups": [{"chargers": ["a"], "authorize": ["known"]}]},
        {"chargers": {"CP1": {"boot": ["tokens"]}}},
        {"chargers": {"CP1": {"chargers": ["a"]}}},
        {"deadline": 0},
        {"cache_max": -1},
    ],
)
def test_what_makes_no_section_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AnswersConfig.model_validate(wrong)


def test_the_deadline_follows_the_grace_time_and_cannot_pass_it() -> None:
    assert AnswersConfig().within(8).deadline == 6
    assert AnswersConfig(deadline=3).within(8).deadline == 3
    with pytest.raises(ValueError, match=r"deadline 8 must be less than \[chargers\] money_grace 8"):
        AnswersConfig(deadline=8).within(8)


POLICIES = {
    "authorize": ["tokens"],
    "groups": [
        {"chargers": ["depot-*", "x"], "authorize": ["mqtt"]},
        {"chargers": ["depot-1?"], "authorize": ["webhook"], "boot": ["known"]},
    ],
    "chargers": {"depot-12": {"authorize": ["blocked"]}, "x": {"boot": ["rejected"]}},
}


@pytest.mark.parametrize(
    ("charger", "question", "expected"),
    [
        ("street-1", "authorize", "tokens"),
        ("street-1", "boot", None),
        ("depot-1", "authorize", "mqtt"),
        ("depot-11", "authorize", "mqtt"),
        ("depot-11", "boot", "known"),
        ("depot-12", "authorize", "blocked"),
        ("depot-12", "boot", "known"),
        ("x", "authorize", "mqtt"),
        ("x", "boot", "rejected"),
        ("X", "authorize", "tokens"),
        ("x", "settlement", None),
    ],
)
def test_a_chargers_own_policy_wins_over_its_groups_and_that_over_the_one_for_all(
    charger: str, question: str, expected: str | None
) -> None:
    book = PolicyBook(AnswersConfig.model_validate(POLICIES))
    for _ in range(2):  # the second time from memory
        chain = book.chain(question, ChargerId(charger))
        assert (chain and [step.name for step in chain]) == (expected and [expected])


def test_a_policy_for_all_is_found_without_looking_at_the_charger() -> None:
    book = PolicyBook(AnswersConfig.model_validate({"boot": ["mqtt:2", "pending"]}))
    assert book.chain("boot", ChargerId("any")) == (Step("mqtt", 2), Step("pending", is_word=True))


@given(st.text("ab*?", max_size=8), st.text("ab\n", max_size=8))
@example("a.b", "axb")
@example("[ab]", "a")
def test_a_pattern_means_what_the_shell_means_but_for_brackets(pattern: str, identity: str) -> None:
    expected = fnmatchcase(identity, re.sub(r"([\[\]])", r"[\1]", pattern))
    assert matches([pattern], ChargerId(identity)) is expected


@pytest.mark.timeout(60)
@pytest.mark.parametrize("pattern", ["*" * 1000 + "b", "*a" * 200 + "b", "*?a" * 20 + "*b", "a*" * 24 + "b"])
def test_a_pattern_full_of_stars_costs_no_more(pattern: str) -> None:
    assert not matches([pattern], ChargerId("a" * 48))
