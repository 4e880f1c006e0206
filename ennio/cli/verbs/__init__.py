"""One verb a module: ``configure`` declares it, ``run`` (or one function a sub-verb) answers."""
