"""Who may decide what, and changes that wait for somebody's agreement."""
