"""What maintainers and lecturers run: notebooks, homework, grading, the drawn weights."""
