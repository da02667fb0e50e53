"""Lists of people as schools hand them in: from the file to a plan of what would change."""
