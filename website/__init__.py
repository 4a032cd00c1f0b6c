"""What makes the website of the notebooks: `make docs`."""
