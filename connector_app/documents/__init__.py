"""Documents as people look at them and decide about them, for pages, commands and other programs alike.

``queries`` finds them, ``actions`` says what can be done with one and does it, ``files`` gives what is stored
of it, ``archive`` gives many. Nothing here knows a page or a terminal.
"""
