"""Home Assistant: chargers announce themselves over MQTT discovery."""

from adapters.homeassistant.adapter import HomeAssistantAdapter

__all__ = ["HomeAssistantAdapter"]
