"""MQTT: events and state published from the log, commands taken from topics."""

from adapters.mqtt.adapter import MqttAdapter

__all__ = ["MqttAdapter"]
