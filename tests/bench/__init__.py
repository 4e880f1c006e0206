"""How fast, how small, how quiet: every figure beside its bare
counterpart. Run by ``bin/bench``.
"""
