"""What channels tell to, as real as it can be here: a desktop of its own, and an
HTTP server that misbehaves.
"""
