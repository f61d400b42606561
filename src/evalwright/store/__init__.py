"""The workspace: runs, cases and results on disk.

Modules are imported one by one (`evalwright.store.workspace`, `.cases`, `.results` …), so that using one does not load
the packages the others stand on.
"""
