"""Another machine, over kept SSH connections: nothing is needed over there but
a POSIX shell and what is run.
"""
