"""What sets up, runs and looks after the collection."""
