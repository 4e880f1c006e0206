"""The decisions, each a pure function of what is known and of the hour:
nothing here looks or acts.
"""
