"""What `python -m network_models` can be asked for: one module a command, each with `main(arguments)`."""
