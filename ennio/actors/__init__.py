"""Actors: one per session, one per source, and those that react, merge, notify and admit; a
root that keeps them alive.
"""
