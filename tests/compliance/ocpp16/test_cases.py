"""The central-system cases of the OCA's certification for OCPP 1.6, and that each of them is played here."""

import re
from functools import cache
from pathlib import Path

import pytest

CASES = {
    # Core
    "TC_001": "cold boot",
    "TC_003": "regular session, plug-in first",
    "TC_004_1": "regular session, identification first",
    "TC_004_2": "identification first, connection timeout",
    "TC_005_1": "EV side disconnected",
    "TC_007": "session started with a cached id",
    "TC_010": "remote start, cable plugged in first",
    "TC_011_1": "remote start first",
    "TC_011_2": "remote start, timeout",
    "TC_012": "remote stop",
    "TC_013": "hard reset",
    "TC_014": "soft reset",
    "TC_017_1": "unlock, no session, cable not fixed",
    "TC_017_2": "unlock, no session, fixed cable",
    "TC_018_1": "unlock while charging",
    "TC_019_1": "all configuration keys",
    "TC_019_2": "a configuration key",
    "TC_021": "change configuration",
    "TC_023_1": "authorize: invalid",
    "TC_023_2": "authorize: expired",
    "TC_023_3": "authorize: blocked",
    "TC_024": "lock failure",
    "TC_026": "remote start rejected",
    "TC_028": "remote stop rejected",
    "TC_030": "unlock failure",
    "TC_031": "unlock, unknown connector",
    "TC_032_1": "power failure, transactions stopped",
    "TC_037_1": "offline start, valid id",
    "TC_037_3": "offline start, invalid id",
    "TC_039": "offline transaction",
    "TC_040_1": "configuration key not supported",
    "TC_040_2": "configuration value invalid",
    "TC_061": "clear the authorization cache",
    "TC_064": "data transfer to the central system",
    # Local authorization list
    "TC_042_1": "list version, not supported",
    "TC_042_2": "list version, empty",
    "TC_043_1": "send list, not supported",
    "TC_043_3": "send list, failed",
    "TC_043_4": "send list, full",
    "TC_043_5": "send list, differential",
    # Firmware management
    "TC_044_1": "firmware installed",
    "TC_044_2": "firmware download failed",
    "TC_044_3": "firmware installation failed",
    "TC_045_1": "diagnostics",
    "TC_045_2": "diagnostics, upload failed",
    # Reservation
    "TC_046": "reserved connector used",
    "TC_047": "reservation expired",
    "TC_048_1": "reservation: faulted",
    "TC_048_2": "reservation: occupied",
    "TC_048_3": "reservation: unavailable",
    "TC_048_4": "reservation: rejected",
    "TC_049": "charge point reserved",
    "TC_051": "cancel reservation",
    "TC_052": "cancel reservation, rejected",
    "TC_053": "reserved connector used with the parent id",
    # Remote trigger
    "TC_054": "trigger message",
    "TC_055": "trigger message, rejected",
    # Smart charging
    "TC_056": "TxDefaultProfile",
    "TC_057": "TxProfile",
    "TC_059": "remote start with a profile",
    "TC_066": "composite schedule",
    "TC_067": "clear profiles",
    # Security
    "TC_073": "new password",
    "TC_074": "new charge point certificate",
    "TC_075_1": "install manufacturer root certificate",
    "TC_075_2": "install central system root certificate",
    "TC_076": "delete certificate",
    "TC_077": "invalid charge point certificate",
    "TC_078": "invalid central system certificate",
    "TC_079": "security log",
    "TC_080": "signed firmware",
    "TC_081": "signed firmware, invalid signature",
    "TC_083": "upgrade of the security profile",
    "TC_085": "Basic authentication",
    "TC_086": "TLS, server certificate",
    "TC_087": "TLS, client certificate",
    "TC_088": "subprotocol negotiation",
}
"""Number → what it is about."""


@cache
def played() -> str:
    """The tests of this folder, their names and ids in one spelling."""
    here = Path(__file__)
    return "\n".join(file.read_text().upper() for file in here.parent.glob("test_*.py") if file != here)


@pytest.mark.parametrize("number", CASES)
def test_every_case_is_played(number: str) -> None:
    assert re.search(rf"TEST_{number}_|\"{number}[ \"]", played()), CASES[number]
