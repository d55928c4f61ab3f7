"""What the maintainers run: building the notebooks."""
