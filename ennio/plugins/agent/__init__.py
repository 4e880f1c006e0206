"""The agent slot; ``kinds`` knows them all. Kept empty: the scripted player imports through it."""
