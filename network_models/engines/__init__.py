"""What plays a schedule on the paths of a fabric: closed forms and vectors, or real messages."""
