"""Block D: the station's own list of tokens."""

from typing import Any

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION
from tests.compliance.ocpp201.orders import Order, carry_out, cases

TOKENS = [
    {"token": "VALID", "group": "FAMILY", "expires_at": "2099-01-01T00:00:00Z"},
    {"token": "BLOCKED", "status": "blocked"},
]
ENTRIES = [
    {
        "idToken": {"idToken": "VALID", "type": "ISO14443"},
        "idTokenInfo": {
            "status": "Accepted",
            "groupIdToken": {"idToken": "FAMILY"},
            "cacheExpiryDateTime": "2099-01-01T00:00:00.000Z",
        },
    },
    {"idToken": {"idToken": "BLOCKED"}, "idTokenInfo": {"status": "Blocked"}},
]


def _send(case: str, version: int, update: str, tokens: list[dict[str, Any]], entries: object, **more: str) -> Order:
    reply = more.get("reply", "Accepted")
    return Order(
        case,
        "send_local_list",
        {"version": version, "update": update, "tokens": tokens},
        "SendLocalList",
        {"versionNumber": version, "updateType": update.capitalize(), "localAuthorizationList": entries},
        {"status": reply},
        "accepted" if reply == "Accepted" else "rejected",
        {"status": {"VersionMismatch": "version_mismatch"}.get(reply, reply.lower()), "version": version},
    )


ORDERS = [
    _send("TC_D_01 full list", 1, "full", TOKENS, ENTRIES),
    _send("TC_D_02 add to the list", 2, "differential", TOKENS[1:], ENTRIES[1:]),
    _send(
        "TC_D_03 take off the list",
        3,
        "differential",
        [{"token": "VALID", "remove": True}],
        [{"idToken": {"idToken": "VALID"}, "idTokenInfo": None}],
    ),
    _send("TC_D_04 empty the list", 4, "full", [], None),
    _send("TC_D_05 the list fails", 5, "full", TOKENS, ENTRIES, reply="Failed"),
    _send("TC_D_06 the version is another", 6, "differential", TOKENS, ENTRIES, reply="VersionMismatch"),
    Order(
        "TC_D_08 version of the list",
        "get_local_list_version",
        {},
        "GetLocalListVersion",
        {},
        {"versionNumber": 7},
        result={"version": 7},
    ),
    Order(
        "TC_D_09 there is no list",
        "get_local_list_version",
        {},
        "GetLocalListVersion",
        {},
        {"versionNumber": 0},
        result={"version": 0},
    ),
]


@cases(ORDERS)
async def test_local_list(order: Order, lab: Laboratory) -> None:
    """Use cases D01 and D02 (D01.FR.01, FR.02, FR.04, FR.06, FR.18)."""
    await carry_out(order, lab, VERSION)
