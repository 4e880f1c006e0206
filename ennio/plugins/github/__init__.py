"""GitHub as its plugins need it: addresses, tokens, a budget for each
token, and one careful client.
"""
