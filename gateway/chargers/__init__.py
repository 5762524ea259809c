"""The sockets: how chargers connect, who they are, and one connection pumping one OCPP session."""
