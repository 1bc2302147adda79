"""Tasks: what the workers learn, on which samples, and how good the model is."""
