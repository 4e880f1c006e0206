"""The machine we run on: where our files lie, what is inherited, and how
files of others are read.
"""
