"""What build servers read: SARIF, GitHub annotations, summaries and comments, GitLab's code quality report."""
