"""A GitHub of our own: REST, GraphQL and git over real HTTP, scripted by tests."""
