"""ptyd: one small daemon per directory that owns the terminals of the process runtime.

It needs the standard library alone and is run by the path of this folder, so that neither an
upgrade of the packages nor the place Ennio was started from can keep it from starting.
"""
