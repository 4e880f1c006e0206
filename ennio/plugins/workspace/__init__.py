"""The workspace slot: worktree, clone, and a stub without git."""
