"""Drivers answer an algorithm's ops: with values (`record`), with time (`retime`), with both at once (`cosimulate`)."""
