"""What a person asks for by name, as a slash command in most hosts: an investigation, a check, a comparison, a post-mortem."""
