"""The whole suite as several pytest processes side by side, with everything else that is
checked; ``bin/test`` starts it.
"""
