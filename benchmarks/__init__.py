"""The measured tables of the project, one command each; results lie beside as JSON and Markdown."""
