"""Events of the device model of OCPP 2.x."""

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked, FromMessage, PartOfReport
from gateway.core.connector_state import Number


class VariableRef(TypedDict):
    """Names a variable of a component; the EVSE is null where it is of the whole charger."""

    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None


class VariableHappening(VariableRef):
    """What happened to a variable."""

    event_id: int | None
    time: str | None
    value: str | None
    trigger: str | None
    notification_type: str | None
    cause: int | None
    severity: int | None
    cleared: bool | None
    tech_code: str | None
    tech_info: str | None
    monitoring_id: int | None
    ocpp_transaction_id: str | None


class VariableAttribute(TypedDict):
    """One value of a variable: Actual, Target, MinSet or MaxSet."""

    type: str
    value: str | None
    mutability: str
    persistent: bool
    constant: bool


class VariableCharacteristics(TypedDict):
    """What values a variable can have."""

    unit: str | None
    data_type: str | None
    min_limit: Number | None
    max_limit: Number | None
    max_elements: int | None
    values_list: str | None
    supports_monitoring: bool | None


class ReportedVariable(VariableRef):
    """A variable with all that is known of it."""

    attributes: list[VariableAttribute]
    characteristics: VariableCharacteristics | None


class ReportedMonitor(VariableRef):
    """What the charger watches a variable for."""

    id: int | None
    type: str | None
    value: Number | None
    severity: int | None
    transaction: bool | None
    notification_type: str | None


class VariablesEvent(FromMessage):
    """What happened to variables (NotifyEvent). What is not in one message comes in the next."""

    events: list[VariableHappening]
    sequence_number: int | None
    to_be_continued: bool


class VariablesReported(PartOfReport):
    """Variables with attributes and characteristics (NotifyReport); comes in parts."""

    variables: list[ReportedVariable]


class VariablesMonitoring(PartOfReport):
    """The monitors that a charger has (NotifyMonitoringReport); comes in parts."""

    monitors: list[ReportedMonitor]


class StreamOpened(Asked):
    """Values of a monitor will come as a stream (OCPP 2.1): after `interval_s`, or so many `values`."""

    stream_id: int | None
    monitoring_id: int | None
    interval_s: int | None
    values: int | None


class StreamClosed(FromMessage):
    """No more values come of a stream (OCPP 2.1)."""

    stream_id: int | None


class StreamValue(TypedDict):
    """A value and its time, which is `offset_s` after the event's."""

    time: str | None
    offset_s: Number | None
    value: str | None


class StreamData(FromMessage):
    """Values of a stream (OCPP 2.1); `pending` are those still to come."""

    stream_id: int | None
    pending: int | None
    base_time: str | None
    values: list[StreamValue]
