"""The components of a connector: its switches, its limit, what it measures, and its transaction."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.homeassistant.components import (
    CONFIG,
    DIAGNOSTIC,
    Component,
    button,
    sensor,
    switch,
    told_to,
    with_problem,
)
from adapters.homeassistant.config import HomeCharger
from adapters.homeassistant.facts import ConnectorFacts
from adapters.homeassistant.templates import attributes, inner, key, kilo, on_off, one_of, rendered, value
from adapters.homeassistant.words import Words

_LOWEST_A, _HIGHEST_A = 6.0, 32.0
_PHASES = ("l1", "l2", "l3")
_SESSION = "(value_json.get('transaction') or value_json.get('last_transaction') or {})"
"""The transaction that runs, else the last one."""
_NO_PROBLEM = "value_json.get('problem') is none"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connector's components find their topics; `alone` where it is the charger's only one."""

    charger: str
    connector: str
    facts: ConnectorFacts
    alone: bool

    @property
    def state(self) -> str:
        return f"{self.connector}/state"

    @property
    def problem(self) -> str:
        return f"{self.connector}/problem"

    def set(self, attribute: str) -> str:
        return f"{self.connector}/set/{attribute}"

    def command(self, name: str) -> str:
        return f"{self.charger}/command/{name}"


def where(facts: ConnectorFacts) -> str:
    """The branch of a connector below that of its charger."""
    return f"evse/{facts.evse_id}/connector/{facts.connector_id}"


def connector_components(place: Place, words: Words, home: HomeCharger, currency: str | None) -> list[Component]:
    """All of a connector's components, those that it has not (yet) as not shown."""
    return [
        *_controls(place, home),
        *_status(place, words),
        *_measurements(place),
        *_phases(place),
        *_transaction(place, currency),
        *_services(place),
    ]


def bounds(home: HomeCharger, max_offered_a: float | None) -> tuple[float, float]:
    """The lowest and highest limit that can be set: as configured, else as seen, else what IEC 61851-1 and most
    wallboxes know."""
    highest = home.max_a if home.max_a is not None else float(int(max_offered_a or _HIGHEST_A))
    lowest = home.min_a if home.min_a is not None else min(_LOWEST_A, highest)
    return lowest, max(lowest, highest)


def limit_number(state: str, command: str, problem: str, limits: tuple[float, float]) -> Component:
    """A charging limit. One beyond its bounds, set by other means, is shown as unknown."""
    lowest, highest = limits
    limit = key("limit_a")
    fits = f"{limit} is number and {lowest:g} <= {limit} <= {highest:g}"
    plain = f"({limit} | int if {limit} == {limit} | int else {limit})"
    return Component(
        "limit",
        "number",
        {
            "state_topic": state,
            "value_template": value(f"{plain} if {fits} else None"),
            "command_topic": command,
            "min": lowest,
            "max": highest,
            "step": 1,
            "device_class": "current",
            "unit_of_measurement": "A",
            "qos": 1,
            **with_problem(problem),
        },
    )


def problem_sensor(topic: str) -> Component:
    """Whether the last thing that was asked was refused."""
    told = {"state_topic": topic, "value_template": on_off(f"not ({_NO_PROBLEM})"), "device_class": "problem"}
    return Component("problem", "binary_sensor", {**told, **with_problem(topic), "entity_category": DIAGNOSTIC})


def _controls(place: Place, home: HomeCharger) -> Iterator[Component]:
    runs = f"({key('transaction')} and not {key('paused')}) or {key('start_requested')}"
    yield switch("charging", place.state, on_off(runs), place.set("charging"), place.problem, icon="mdi:ev-station")
    paused = on_off(key("paused"))
    yield switch("paused", place.state, paused, place.set("paused"), place.problem, icon="mdi:pause-circle")
    enabled = value(f"{{true: 'ON', false: 'OFF'}}.get({key('enabled')})")
    yield switch("enabled", place.state, enabled, place.set("enabled"), place.problem, entity_category=CONFIG)
    limits = bounds(home, place.facts.max_offered_a)
    yield limit_number(place.state, place.set("limit_a"), place.problem, limits)
    yield button("lift_limit", place.set("limit_a"), "none", icon="mdi:speedometer")


def _status(place: Place, words: Words) -> Iterator[Component]:
    told = ("status", "reported_status", "plugged", "iec61851", "paused_by", "start_requested")
    yield sensor(
        "status",
        place.state,
        one_of(dict(words.statuses), key("status")),
        device_class="enum",
        options=list(words.statuses.values()),
        json_attributes_topic=place.state,
        json_attributes_template=attributes("{" + ", ".join(f"'{one}': {key(one)}" for one in told) + "}"),
    )
    plugged = value(f"{{true: 'ON', false: 'OFF'}}.get({key('plugged')})")
    plug = {"state_topic": place.state, "value_template": plugged, "device_class": "plug"}
    yield Component("plugged", "binary_sensor", plug)
    error = {"state_topic": place.state, "value_template": on_off(f"{key('error')} is not none")}
    told_error = {
        "json_attributes_topic": place.state,
        "json_attributes_template": attributes(f"{key('error')} or {{}}"),
    }
    diagnostic = {"device_class": "problem", "entity_category": DIAGNOSTIC}
    yield Component("error", "binary_sensor", {**error, **told_error, **diagnostic})
    yield problem_sensor(place.problem)


def _measurements(place: Place) -> Iterator[Component]:
    seen = place.facts.measurands
    yield sensor(
        "power",
        place.state,
        value(key("power_w")),
        shown="power_w" in seen,
        device_class="power",
        state_class="measurement",
        unit_of_measurement="W",
        suggested_display_precision=0,
    )
    yield sensor(
        "energy",
        place.state,
        kilo(key("energy_register_wh")),
        shown=place.facts.has_register,
        device_class="energy",
        state_class="total_increasing",
        unit_of_measurement="kWh",
        suggested_display_precision=2,
    )
    yield sensor(
        "soc",
        place.state,
        value(key("soc_percent")),
        shown="soc_percent" in seen,
        device_class="battery",
        state_class="measurement",
        unit_of_measurement="%",
    )
    yield sensor(
        "temperature",
        place.state,
        value(key("temperature_c")),
        shown="temperature_c" in seen,
        device_class="temperature",
        state_class="measurement",
        unit_of_measurement="°C",
        entity_category=DIAGNOSTIC,
    )


def _phases(place: Place) -> Iterator[Component]:
    """What is measured by phase; the many that few want to see are there to be enabled."""
    for name, source, unit, usual in (
        ("current", "current_a", "A", True),
        ("voltage", "voltage_v", "V", False),
        ("power", "power_by_phase_w", "W", False),
    ):
        for phase in _PHASES:
            yield sensor(
                f"{name}_{phase}",
                place.state,
                value(inner(source, phase)),
                shown=f"{source}.{phase}" in place.facts.measurands,
                device_class=name,
                state_class="measurement",
                unit_of_measurement=unit,
                suggested_display_precision=1 if unit == "A" else 0,
                enabled_by_default=usual,
            )


def _transaction(place: Place, currency: str | None) -> Iterator[Component]:
    began = f"{{% if value_json is defined %}}{{{{ {_SESSION}.get('started_at') or '' }}}}{{% endif %}}"
    yield sensor(
        "transaction_energy",
        place.state,
        kilo(f"{_SESSION}.get('energy_wh')"),
        device_class="energy",
        state_class="total",
        unit_of_measurement="kWh",
        suggested_display_precision=2,
        last_reset_value_template=began,
    )
    money = place.facts.currency or currency
    priced = {} if money is None else {"device_class": "monetary", "unit_of_measurement": money, "state_class": "total"}
    cost = value(f"{_SESSION}.get('cost')")
    shown = {"suggested_display_precision": 2, "icon": "mdi:cash"}
    yield sensor("cost", place.state, cost, shown=place.facts.has_cost, **priced, **shown)
    token = value(f"({inner('transaction', 'token')} or {{}}).get('id')")
    yield sensor("token", place.state, token, icon="mdi:card-account-details")
    yield sensor(
        "duration",
        place.state,
        _duration(),
        device_class="duration",
        unit_of_measurement="min",
        suggested_display_precision=0,
    )
    reason = value(inner("last_transaction", "stop_reason"))
    yield sensor("stop_reason", place.state, reason, entity_category=DIAGNOSTIC, icon="mdi:stop-circle")
    yield _transaction_event(place)


def _duration() -> str:
    """Minutes from the session's start to its end, or to now."""
    ended = f"(as_datetime({_SESSION}.get('ended_at')) if {_SESSION}.get('ended_at') else now())"
    seconds = f"({ended} - as_datetime({_SESSION}.get('started_at'))).total_seconds()"
    return value(f"[0, {seconds} / 60] | max | round(1) if {_SESSION}.get('started_at') else None")


def _transaction_event(place: Place) -> Component:
    kinds = "['ocpp.transaction.started', 'ocpp.transaction.ended']"
    here = f"value_json.get('type') in {kinds}"
    if not place.alone:
        facts = place.facts
        here += f" and value_json.data.get('evse_id') == {facts.evse_id}"
        here += f" and value_json.data.get('connector_id') in [none, {facts.connector_id}]"
    told = ("transaction_id", "started_at", "ended_at", "energy_wh", "duration_s", "stop_reason", "suspect")
    parts = [f"'{one}': value_json.data.get('{one}')" for one in told]
    parts.append("'token': (value_json.data.get('token') or {}).get('id')")
    kind = "'event_type': value_json.type.split('.')[2]"
    options = {
        "state_topic": f"{place.charger}/event/transaction/+",
        "event_types": ["started", "ended"],
        "value_template": rendered(here, "{" + ", ".join([kind, *parts]) + "}"),
        "icon": "mdi:ev-plug-type2",
        "qos": 1,
    }
    return Component("transaction", "event", options)


def _services(place: Place) -> Iterator[Component]:
    problem_at, facts = where(place.facts), place.facts
    here = {"evse_id": facts.evse_id, "connector_id": facts.connector_id}
    yield button("unlock", place.command("unlock"), told_to(problem_at, **here), icon="mdi:lock-open")
    for kind, message in (("status", "StatusNotification"), ("meter", "MeterValues")):
        payload = told_to(problem_at, message=message, **here)
        trigger = place.command("trigger")
        yield button(f"trigger_{kind}", trigger, payload, category=DIAGNOSTIC, icon="mdi:refresh")
