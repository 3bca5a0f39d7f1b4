"""Spam senders: records with verdicts gathered by who sent them, however many, and the block list made of them."""
