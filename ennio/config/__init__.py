"""Configuration: ``ennio.yaml`` found, read, checked and turned into frozen values."""
