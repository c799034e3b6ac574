"""How an installation runs: in one process, or in many on many machines, which do the same work.

``tasks``: the work. ``turns``: whose turn is next, for many workers. ``workers``: who works. ``alone``: who
may work beside whom. ``process``: what a worker does with a turn. ``broker``, ``dispatcher``, ``waking``,
``pool``: Celery, what sends it messages, and the processes that take them.
"""
