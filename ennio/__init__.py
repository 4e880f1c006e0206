"""Ennio conducts many AI coding agents at once, from first prompt to merged pull request."""

__version__ = "0.2.0"
