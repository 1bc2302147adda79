"""What is computed and what is said: compressors, payloads, exchanges, and the programs made of them."""
