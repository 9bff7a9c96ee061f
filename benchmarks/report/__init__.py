"""What a run measured as a file, a table and a picture; measures nothing."""
