"""What a person should know without looking: found, kept, told when it begins, lasts, and is over.

``rules`` say what is wrong now, ``keeping`` remembers it, ``telling`` puts letters and messages to hooks on
their lists in the same transaction, ``letters`` sends the letters, and ``watch`` does all that once a minute
in a thread of its own, so that it also sees that the other work stands still.
"""
