"""The figures, one noun a file; each file's ``GROUP`` says what it measures and how."""
