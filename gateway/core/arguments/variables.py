"""The variables of a charger, by one naming for all versions: that of the device model of OCPP 2.x.

A standard variable has the same component and name on OCPP 1.6, where it is a configuration key under the hood, and a
standard key of 1.6, named without a component, means the same on 2.x; `gateway.ocpp.standard_variables` has the table.
A vendor's own key of 1.6 is named by `variable` alone: with a component that the table has not for it, 1.6 refuses it.
"""

from typing import ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, ConnectorId, EvseId


class VariableRef(Arguments):
    """A variable: by component and name, or a configuration key of OCPP 1.6 by `variable` alone."""

    variable: str = Field(min_length=1)
    component: str | None = Field(
        None,
        description="None: `variable` is a configuration key of OCPP 1.6, as a vendor's own always is there",
    )
    variable_instance: str | None = None
    component_instance: str | None = None
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] | None = None


class VariableValue(VariableRef):
    """A variable and the value it shall have, as text."""

    value: str


class GetVariables(Arguments):
    """Read variables (OCPP 1.6: none named means all of them; in 2.x that is get_report)."""

    variables: list[VariableRef] = Field(default_factory=list)


class SetVariables(Arguments):
    """Set variables."""

    variables: list[VariableValue] = Field(min_length=1)


class ComponentRef(Arguments):
    """A component, or one variable of it."""

    component: str | None = Field(
        None, min_length=1, max_length=50, description="None: `variable` is a configuration key of OCPP 1.6"
    )
    variable: str | None = Field(None, min_length=1, max_length=50, description="None: all of the component's")
    component_instance: str | None = Field(None, max_length=50)
    variable_instance: str | None = Field(None, max_length=50)
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None


class GetReport(Arguments):
    """Report variables with all that is known of them: by a base, or those that fit criteria, or are named.

    OCPP 1.6 knows neither criteria nor a summary.
    """

    default_timeout: ClassVar[float | None] = 120.0

    base: Literal["full", "configuration", "summary"] | None = Field(
        None,
        description="full: everything; configuration: what can be set; summary: what is there and in trouble. "
        "full where nothing else is wanted",
    )
    criteria: list[Literal["active", "available", "enabled", "problem"]] = Field(
        default_factory=list, max_length=4, description="Components that are so"
    )
    variables: list[ComponentRef] = Field(default_factory=list)
