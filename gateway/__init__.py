"""The OCPP gateway: chargers on one side, MQTT topics and REST endpoints on the other."""

__version__ = "0.1.0"
