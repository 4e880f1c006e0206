"""The daemon on a remote machine; it comes later."""
