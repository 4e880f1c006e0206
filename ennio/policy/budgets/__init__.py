"""Budgets: which apply, in which window, how far they are used up, and what follows. Pure."""
