"""The nouns everybody shares: sessions, pull requests, messages, events, facts, errors, time.
Imports nothing of ours.
"""
