"""A connection to a NATS server, over the client ``pynats``; knows neither actors nor the store."""
