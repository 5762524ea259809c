"""Servers that run with no configuration: a Valkey and an MQTT broker as children of the gateway."""
