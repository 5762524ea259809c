"""The typed arguments of every neutral command, by what they are about; `gateway.core.commands` has the table."""
