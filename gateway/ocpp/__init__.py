"""OCPP without I/O: frames, sessions, schemas and, per version, tables. Nothing here awaits or reads a clock."""
