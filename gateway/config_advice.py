"""What is wrong or odd with settings that are right each by itself, and with variables that are none of ours."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel

from gateway.config_errors import Origins
from gateway.core.errors import ConfigurationError
from gateway.core.policies import AnswersConfig, PolicyBook

_OF_A_SERVICE = ("tcp://", "udp://", "sctp://")
"""What Kubernetes gives variables that are named after a service: OCPP_GATEWAY_REST_PORT."""


def check_askers(answers: AnswersConfig, *, adapters: Sequence[str], webhook: bool, origins: Origins) -> None:
    """Raises ConfigurationError where a chain has a step that asks somebody who is not there."""
    missing: dict[str, str] = {}
    if "mqtt" not in adapters:
        missing["mqtt"] = "the adapter mqtt is not among [gateway] adapters"
    if "webhooks" not in adapters:
        missing["webhook"] = "the adapter webhooks is not among [gateway] adapters"
    elif not webhook:
        missing["webhook"] = "[webhooks] url is not set"
    for who, question, chain in PolicyBook(answers).configured():
        for step in chain:
            if step.name in missing:
                source, line = origins.of(("answers", question)) or origins.of(("answers",)) or (None, None)
                told = f"answers.{question} ({who}): the step {str(step)!r} can ask nobody, as {missing[step.name]}"
                raise ConfigurationError(told, source=source, line=line)


def advice(answers: AnswersConfig) -> list[str]:
    """What holds, and is hardly meant."""
    deadline = answers.deadline
    told = []
    for who, question, chain in PolicyBook(answers).configured():
        seconds = sum(step.seconds or answers.step_deadline for step in chain if step.asks)
        if deadline is not None and seconds > deadline:
            steps = ", ".join(str(step) for step in chain)
            told.append(
                f"answers.{question} ({who}): the steps {steps} may take {seconds:g} s, but the whole chain has "
                f"{deadline:g} s (deadline): the later ones may not be asked in time"
            )
    return told


def misspelt_variables(
    environment: Mapping[str, str], prefix: str, sections: Mapping[str, type[BaseModel]]
) -> Iterator[str]:
    """Variables that look like options but for an underscore, each with its right spelling."""
    for variable, value in environment.items():
        name = variable.upper()
        if not name.startswith(prefix[:-1]) or name.startswith(prefix) or value.startswith(_OF_A_SERVICE):
            continue
        rest = name[len(prefix) - 1 :].lower()
        for section, model in sections.items():
            option = rest.removeprefix(section + "_").lstrip("_")
            if rest.startswith(section + "_") and option in model.model_fields:
                right = f"{prefix}{section}__{option}".upper()
                yield f"the variable {variable} is not read: the option is spelt {right}"
