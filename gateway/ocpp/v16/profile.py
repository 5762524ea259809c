"""OCPP 1.6 as a Profile."""

from gateway.ocpp.profile import ErrorCodes, Profile
from gateway.ocpp.v16.inbound import INBOUND
from gateway.ocpp.v16.outbound import ACTIONS_OUT, OUTBOUND

PROFILE = Profile(
    version="1.6",
    subprotocol="ocpp1.6",
    schema_package="ocpp.v16",
    # OCPP-J 1.6, table 7, with its spelling of "Occurence"
    error_codes=ErrorCodes(
        formation_violation="FormationViolation",
        occurrence_constraint_violation="OccurenceConstraintViolation",
    ),
    inbound=INBOUND,
    outbound=OUTBOUND,
    actions_in=frozenset(INBOUND),
    actions_out=ACTIONS_OUT,
    message_id_unknown=None,
)
