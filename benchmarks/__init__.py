"""Speed of the connector against a floor measured in the same run; nothing here fails for being slow."""
