"""What a component of a discovery document is, and where its topics lie."""

import json
from dataclasses import dataclass, field
from typing import Any

from adapters.homeassistant.words import Words

Options = dict[str, Any]

CONFIG, DIAGNOSTIC = "config", "diagnostic"


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its key within the document, its platform, and its options in Home Assistant's words.

    One that is not `shown` is listed with its platform alone, by which Home Assistant removes it if it has it.
    """

    key: str
    platform: str
    options: Options = field(default_factory=dict)
    shown: bool = True

    def written(self, *, unique: str, slug: str, words: Words) -> Options:
        """As it stands in the document. `unique` and `slug` begin its unique id and its entity id."""
        if not self.shown:
            return {"platform": self.platform}
        if self.platform == "tag":
            return {"platform": self.platform, **self.options}
        return {
            "platform": self.platform,
            "name": words.entities[self.key],
            "unique_id": f"{unique}_{self.key}",
            "default_entity_id": f"{self.platform}.{slug}_{self.key}",
            # Before 2025.10 Home Assistant knew this one; where it knows the other it takes no notice of it.
            "object_id": f"{slug}_{self.key}",
            **self.options,
        }


def sensor(key: str, topic: str, template: str, *, shown: bool = True, **options: Any) -> Component:
    return Component(key, "sensor", {"state_topic": topic, "value_template": template, **options}, shown)


def told_to(problem_at: str, **arguments: Any) -> str:
    """A command's payload; what does not end as accepted is retained on the problem topic of the place."""
    return json.dumps({**arguments, "problem_at": problem_at})


def button(key: str, topic: str, payload: str, *, category: str = CONFIG, **options: Any) -> Component:
    """A button that publishes a payload."""
    pressed = {"command_topic": topic, "payload_press": payload, "qos": 1, "entity_category": category}
    return Component(key, "button", {**pressed, **options})


def switch(key: str, topic: str, template: str, command: str, problem: str, **options: Any) -> Component:
    """A switch; its attribute `problem` tells what became of the last thing that was asked."""
    states = {"state_topic": topic, "value_template": template, "command_topic": command, "qos": 1}
    return Component(key, "switch", {**states, **with_problem(problem), **options})


def with_problem(topic: str) -> Options:
    """Attributes from the topic of problems."""
    return {
        "json_attributes_topic": topic,
        "json_attributes_template": "{{ value_json | tojson if value_json is defined else '{}' }}",
    }
