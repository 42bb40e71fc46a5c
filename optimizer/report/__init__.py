"""Reports: text for people, JSON for programs, unified diffs for `patch`."""
