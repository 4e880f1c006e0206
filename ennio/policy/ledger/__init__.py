"""The books: what was used becomes entries, each with the transfer that pays for it. Pure.

A request is an entry, priced by itself at its own time and tier. What becomes known of it later
is another entry, never an edit: the request stands at the sum of its entries. Every entry of known
money has one transfer, which debits an account and credits another with the same amount, so all
balances together are always zero.
"""
