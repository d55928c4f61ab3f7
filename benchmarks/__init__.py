"""Side-by-side measurements, and the results of every experiment of the course."""
