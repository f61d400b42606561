"""Read models: what pages and other programs read of a workspace, computed from its files, fast and in pages.

Nothing here writes but the wide tables beside the runs, which can be made again.
"""
