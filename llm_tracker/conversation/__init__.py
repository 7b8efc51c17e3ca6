"""Ask, correct, control, branch: what page, command line and notebook share."""
