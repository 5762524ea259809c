"""OCPP 2.1 as a Profile."""

from gateway.ocpp.profile import ErrorCodes, Profile
from gateway.ocpp.v21.inbound import INBOUND, SENDS
from gateway.ocpp.v21.outbound import ACTIONS_OUT, OUTBOUND

PROFILE = Profile(
    version="2.1",
    subprotocol="ocpp2.1",
    schema_package="ocpp.v21",
    # Part 4, section 4.3
    error_codes=ErrorCodes(
        formation_violation="FormatViolation",
        occurrence_constraint_violation="OccurrenceConstraintViolation",
    ),
    inbound=INBOUND,
    outbound=OUTBOUND,
    actions_in=frozenset(INBOUND),
    actions_out=ACTIONS_OUT,
    sends=SENDS,
    knows_call_result_error=True,
)
