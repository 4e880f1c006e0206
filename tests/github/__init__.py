"""GitHub's plugins against a stand-in that is held to GitHub's published schemas."""
