"""The dashboard in a real browser, over a real supervisor with scripted agents."""
