"""The settings of one charger: what the CSMS reads and writes, under the names of its version."""

from collections.abc import Callable, Mapping

from gateway.simulator.device_model import Variable, variables


class Variables:
    """The variables of one charger; only what differs from the factory's value is kept here.

    `live` has the variables that change by themselves, by component and name.
    """

    def __init__(
        self, *, connectors: int, sample_interval: float, live: Mapping[tuple[str, str], Callable[[Variable], str]]
    ) -> None:
        self.all = variables(connectors)
        self._live = live
        self._values: dict[Variable, str] = {}
        self.set("MeterValueSampleInterval", f"{sample_interval:g}")

    def by_key(self, key: str) -> Variable | None:
        """By 1.6 configuration key, in any case of letters."""
        wanted = key.lower()
        return next((variable for variable in self.all if wanted and variable.key.lower() == wanted), None)

    def by_name(
        self,
        component: str,
        name: str,
        *,
        instance: str | None = None,
        evse: int | None = None,
        connector: int | None = None,
    ) -> Variable | None:
        """By 2.x component and variable, in any case of letters; where no instance is named, the first one."""
        wanted = component.lower(), name.lower(), evse, connector
        for variable in self.all:
            if (variable.component.lower(), variable.name.lower(), variable.evse, variable.connector) == wanted and (
                instance is None or instance.lower() == (variable.instance or "").lower()
            ):
                return variable
        return None

    def has_component(self, component: str) -> bool:
        return any(variable.component.lower() == component.lower() for variable in self.all)

    def value(self, variable: Variable) -> str:
        """What the variable is at this moment."""
        live = self._live.get((variable.component, variable.name))
        return self._values.get(variable, variable.value) if live is None else live(variable)

    def put(self, variable: Variable, value: str) -> bool:
        """Set by the CSMS; returns whether the variable takes it."""
        if variable.mutability == "ReadOnly" or not variable.takes(value):
            return False
        self._values[variable] = value
        return True

    def seconds(self, key: str, default: float) -> float:
        """A duration; the default where the key is unset, 0 or no number."""
        variable = self.by_key(key)
        try:
            seconds = float(self.value(variable)) if variable is not None else 0.0
        except ValueError:
            return default
        return seconds if seconds > 0 else default

    def set(self, key: str, value: str) -> None:
        """Set by the charger itself, so also what is read-only to the CSMS."""
        variable = self.by_key(key)
        if variable is not None:
            self._values[variable] = value
