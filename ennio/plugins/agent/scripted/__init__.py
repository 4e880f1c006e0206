"""An agent that plays a story. Kept empty: the player imports through it and is to stay small."""
