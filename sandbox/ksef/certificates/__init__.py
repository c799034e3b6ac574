"""KSeF certificates: an authority of the sandbox's own, enrolment, retrieval, revocation and listing.

===============  ==========================================================================
``authority``    the authority's key and the certificates it issues
``subject``      attributes of a subject, read from the certificate that signed in
``csr``          checks of a PKCS#10 request
``registry``     certificates that were issued: find, status, public key
``enrollments``  operations under ``/certificates/enrollments`` and ``/certificates/limits``
``holdings``     operations on certificates that exist: retrieve, revoke, query, shorten
``gifts``        a certificate with its key for the asking, an operation of the sandbox's own
===============  ==========================================================================

Another module verifies a signature of an Offline certificate (QR code II) so::

    issued = registry.find(state, serial)
    if issued is not None and issued.kind == registry.OFFLINE and issued.is_valid(state.now()):
        issued.public_key  # the key to verify with

Source: operations under ``/certificates`` of open-api.json (API 2.9.0).
"""
