"""What logs of mail servers and spam filters say about SMTP sessions, and which flows those sessions are."""
