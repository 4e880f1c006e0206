"""What ``ennio doctor`` looks at: each check finds out one thing and says how to mend it."""
