"""The board's tests."""
