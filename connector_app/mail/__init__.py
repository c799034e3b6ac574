"""E-mail by the connector itself: one message to the buyer for each document and occasion.

Only for stores whose policy says so. ``queue`` puts a message on the list when its document is accepted or
issued offline; ``post`` sends what is on the list, on a clock of its own; ``compose`` writes a message,
``transport`` speaks SMTP.

A message is sent at most once. Its row says ``sending`` before the mail server is given the text, and
``sent`` when the server took it. Whoever finds ``sending`` later, or loses the server's answer, does not
know: the row becomes ``unknown`` and is not sent again by itself. A person may send it again; it has the same
Message-ID then, derived from the document, by which a repeat can be recognised.
"""
