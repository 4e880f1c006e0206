"""The metering proxy: stands before a model's address, counts what passes, and stops between two
requests.

A process of its own, which outlives the supervisor. Everything it is told and everything it tells
lies in files (``directory.py`` draws the tree), so neither side waits for the other and a kill of
either loses nothing: who may pass and where to (``grants.py``), who is stopped (``stops.py``), what
was used (``journal.py``). Bodies are passed on and forgotten; of an answer only its usage is read
(``apis.py``), and no header is ever written down.
"""
