"""Terminals: a person's window on an agent's."""
