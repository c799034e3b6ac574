"""Never lose an invoice, never issue it twice: proof by breaking it.

``make faults`` does hundreds of seeded runs (:mod:`tests.faults.runs`); ``make test`` a short selection. What
each guarantee is broken by:

1. *A due order gets exactly one invoice, a refund exactly one correction.*
   :mod:`tests.faults.runs` (rule ``each_order_once``); ``test_guarantees`` (killed before and after a
   number is stored, and while KSeF has what nobody knows of); ``test_invariants`` (the rule itself sees
   each difference); :class:`tests.faults.life_machine.DocumentLife`; ``tests/pipeline/test_crash.py``
   (at every commit).
2. *Numbers have no gap and no double, also when issuing crashes, also with ten workers.*
   ``test_guarantees``: killed at ``issue.freeze``, and ten workers whose transactions fail, on both
   databases; rule ``series_whole``; ``tests/pipeline/test_first_invoice.py`` (a person is asked, checks
   fail: no number).
3. *What was issued is sent until it is accepted or a person decides; what was accepted is known.*
   ``test_guarantees``: killed around ``submit`` and ``track``; ``tests/pipeline/test_trouble.py`` (440
   with our bytes is adopted, with others a person is asked), ``test_guarantees.py`` there (440 that
   cannot be compared yet), ``test_recovery.py`` (adopted by metadata), ``test_gone.py``; rules
   ``same_documents``, ``nothing_waits``.
4. *XML and UPO are kept whole; a changed byte is noticed.*
   Rules ``same_documents`` and ``proofs_whole`` (``test_invariants`` changes a byte and exchanges UPOs);
   ``tests/checks/test_numbers_check.py`` (a changed byte is said), ``tests/web/test_documents.py`` (a
   damaged file is told of, not given), ``tests/pipeline/test_batches.py`` (a damaged document is left
   out).
5. *Every publication happens at least once and is visible once.*
   ``test_guarantees``: killed between what the shop or the mail server has and the commit that knows of
   it; ``test_short`` (answers lost at every write); rules ``told_once`` and ``letters_once``. An e-mail
   whose fate nobody can know is not sent again: it may be missing, it is never there twice, and the
   document says so.
6. *A restart at any moment goes on by itself; nothing waits for a person who does not know.*
   Every run ends by a process that finds what the killed ones left; rules ``nothing_waits`` and
   ``attention_is_named``; ``test_short`` (disk full, database locked, a wrong clock: the same process
   goes on).

The same invariants hold for Celery workers on three machines that are killed, and cut off from their
database, at random: :mod:`tests.faults.machines`.
"""
