"""What a person reads on a terminal: tables, quantities, and the live
board. Knows nothing of HTTP.
"""
