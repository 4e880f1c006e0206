"""The relay and a real server of NATS, read along by a client of another make."""
