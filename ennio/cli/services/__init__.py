"""The supervisor as a service of the person's: systemd's user manager, launchd on macOS."""
