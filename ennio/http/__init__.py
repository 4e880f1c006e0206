"""The REST API: what the command line, the board and the dashboard speak to.

Nothing is imported here: the client must be light to load, the server need not be.
"""
