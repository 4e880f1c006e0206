"""The API's description of itself: OpenAPI 3.1."""
