import ennio.node  # noqa: F401 - before gRPC, which asks once for what stands there
