"""Templates of Home Assistant over the gateway's retained topics.

Each holds where a topic was cleared (there is no `value_json` then) and where a key is missing (an older gateway's
state): Home Assistant logs a warning for whatever a template stumbles over. `None` is what it takes for unknown.
"""


def value(expression: str) -> str:
    """What an expression makes of the payload, None where there is no payload."""
    return _guarded(f"{{{{ {expression} }}}}", "None")


def attributes(expression: str) -> str:
    """A JSON object of attributes."""
    return _guarded(f"{{{{ ({expression}) | tojson }}}}", "{}")


def rendered(condition: str, expression: str) -> str:
    """A JSON object where a condition holds, nothing where not: Home Assistant then leaves the message alone."""
    return f"{{% if value_json is defined and {condition} %}}{{{{ ({expression}) | tojson }}}}{{% endif %}}"


def key(name: str) -> str:
    """A key of the payload; None where it is missing."""
    return f"value_json.get('{name}')"


def inner(name: str, part: str) -> str:
    """A key of an object in the payload; None where either is missing."""
    return f"(value_json.get('{name}') or {{}}).get('{part}')"


def on_off(condition: str) -> str:
    """ON or OFF."""
    return value(f"'ON' if {condition} else 'OFF'")


def one_of(choices: dict[str, str], expression: str) -> str:
    """One of several texts, None for what is not among them."""
    pairs = ", ".join(f"{_quoted(given)}: {_quoted(shown)}" for given, shown in choices.items())
    return value(f"{{{pairs}}}.get({expression})")


def kilo(expression: str) -> str:
    """A number divided by 1000; None for none."""
    return value(f"({expression}) / 1000 if ({expression}) is number else None")


def _guarded(text: str, otherwise: str) -> str:
    return f"{{% if value_json is defined %}}{text}{{% else %}}{otherwise}{{% endif %}}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
