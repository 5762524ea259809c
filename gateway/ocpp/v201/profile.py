"""OCPP 2.0.1 as a Profile."""

from gateway.ocpp.profile import ErrorCodes, Profile
from gateway.ocpp.v201.inbound import INBOUND
from gateway.ocpp.v201.outbound import ACTIONS_OUT, OUTBOUND

PROFILE = Profile(
    version="2.0.1",
    subprotocol="ocpp2.0.1",
    schema_package="ocpp.v201",
    # Part 4, section 4.3
    error_codes=ErrorCodes(
        formation_violation="FormatViolation",
        occurrence_constraint_violation="OccurrenceConstraintViolation",
    ),
    inbound=INBOUND,
    outbound=OUTBOUND,
    actions_in=frozenset(INBOUND),
    actions_out=ACTIONS_OUT,
)
