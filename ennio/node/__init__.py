"""The daemon on a machine where agents work, and who speaks to one over gRPC."""
