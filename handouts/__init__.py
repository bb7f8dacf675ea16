"""The notebooks on paper: students' copies, PDF and HTML."""
