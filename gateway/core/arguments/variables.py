"""The variables of a charger: configuration keys in OCPP 1.6, the device model in 2.x."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, ConnectorId, EvseId


class VariableRef(Arguments):
    """A variable of the device model; on OCPP 1.6 `variable` is the configuration key and `component` is ignored."""

    variable: str = Field(min_length=1)
    component: str | None = None
    variable_instance: str | None = None
    component_instance: str | None = None
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] | None = None


class VariableValue(VariableRef):
    """A variable and the value it shall have, as text."""

    value: str


class GetVariables(Arguments):
    """Read variables (OCPP 1.6: configuration keys; none named means all of them)."""

    variables: list[VariableRef] = Field(default_factory=list)


class SetVariables(Arguments):
    """Set variables (OCPP 1.6: configuration keys)."""

    variables: list[VariableValue] = Field(min_length=1)
