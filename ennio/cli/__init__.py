"""The ``ennio`` command: verbs over the REST API. It prints; decisions
are made by the supervisor.
"""
