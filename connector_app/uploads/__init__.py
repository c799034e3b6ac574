"""Ready FA XML from another program (an ERP): checked, stored exactly as it came, sent and tracked.

:func:`take` is the one door, for the page, the command and the API; :func:`files_of` opens archives.
"""

from connector_app.uploads.archive import BadArchive, files_of, is_archive, unpack
from connector_app.uploads.result import Outcome, UploadResult
from connector_app.uploads.take import take

__all__ = ["BadArchive", "Outcome", "UploadResult", "files_of", "is_archive", "take", "unpack"]
