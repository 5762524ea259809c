"""Id tokens with what is said beside them."""

from gateway.ocpp.fields import text
from gateway.ocpp.shapes import Shape, each

ADDITIONAL_INFO: Shape = {"additionalIdToken": ("id", text), "type": ("type", text)}
"""AdditionalInfoType: a further id of the same driver, of a type that the parties have agreed on."""

ID_TOKEN: Shape = {
    "idToken": ("id", text),
    "type": ("type", text),
    "additionalInfo": ("additional_info", each(ADDITIONAL_INFO)),
}
"""IdTokenType."""
