"""Programs of a session behind walls: what they see of the machine, and who stands at the door."""
