"""The seven slots, and what is shipped for each."""
