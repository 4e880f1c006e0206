"""The metering proxy, in a process of its own, before a model of ours."""
