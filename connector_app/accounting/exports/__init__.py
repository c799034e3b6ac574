"""Files for accountants, each a module of its own, all made from the register."""
