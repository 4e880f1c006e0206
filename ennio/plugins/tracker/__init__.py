"""Trackers: where issues come from."""
