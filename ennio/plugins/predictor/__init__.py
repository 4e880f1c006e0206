"""The predictor slot: what sessions are likely to come to."""
