"""The daemon on a machine where agents work, and who speaks to one over gRPC."""

import os

# Whatever imports gRPC comes by here first. Its handlers around a fork end the child where other
# threads are at calls, and whoever starts programs forks now and then.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
