"""MiniStack with what the sandbox adds to it; see README.md of this folder."""
