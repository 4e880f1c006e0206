"""Tests of the runtime plugins, each kind apart from what all of them promise."""
