"""Tests of the workspace slot."""
