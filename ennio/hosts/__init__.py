"""Machines on which agents work, as actors see them: coarse, and in data."""
