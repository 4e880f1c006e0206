"""The resources of the REST API, one noun a file."""
