"""The documentation as a book: what of its pages is made from the code, and that they fit
together. ``python -m tests.pages`` writes what is made.
"""
