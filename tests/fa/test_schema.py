"""Parsing of untrusted XML, the registry, and the words in which a refused document is told."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from typing import cast

import pytest
from lxml import etree

from core.fa import registry
from core.fa.registry import FA2, FA3, SCHEMA_FOLDER, SchemaVersion, UnknownSchema
from core.fa.schema import MalformedXml, SchemaUnavailable, check, compiled, parse
from core.findings import Finding, Severity

INVOICE = f"""<?xml version="1.0" encoding="UTF-8"?>
<Faktura xmlns="{FA3.namespace}">
<Naglowek>
<KodFormularza kodSystemowy="FA (3)" wersjaSchemy="1-0E">FA</KodFormularza>
<WariantFormularza>3</WariantFormularza>
<DataWytworzeniaFa>2026-02-01T10:00:00Z</DataWytworzeniaFa>
</Naglowek>
<Podmiot1>
<DaneIdentyfikacyjne><NIP>5260250274</NIP><Nazwa>Ministerstwo Finansów</Nazwa></DaneIdentyfikacyjne>
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Świętokrzyska 12</AdresL1></Adres>
</Podmiot1>
<Podmiot2>
<DaneIdentyfikacyjne><BrakID>1</BrakID></DaneIdentyfikacyjne>
<JST>2</JST>
<GV>2</GV>
</Podmiot2>
<Fa>
<KodWaluty>PLN</KodWaluty>
<P_1>2026-02-01</P_1>
<P_2>FV/1</P_2>
<P_15>123.00</P_15>
<Adnotacje>
<P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A>
<Zwolnienie><P_19N>1</P_19N></Zwolnienie>
<NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu>
<P_23>2</P_23>
<PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy>
</Adnotacje>
<RodzajFaktury>VAT</RodzajFaktury>
<FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>A</P_7></FaWiersz>
<FaWiersz><NrWierszaFa>2</NrWierszaFa><P_7>B</P_7><P_11A>1.00</P_11A></FaWiersz>
</Fa>
</Faktura>
"""


def findings(before: str = "", after: str = "", *, schema: registry.FaSchema = FA3) -> list[Finding]:
    assert before in INVOICE
    return check(parse(INVOICE.replace(before, after, 1).encode()), schema)


class TestRegistry:
    def test_each_key_finds_its_schema(self) -> None:
        """Version, namespace and form code each lead to the same structure."""
        for schema in registry.SCHEMAS:
            assert registry.schema_for(schema.version) is schema
            assert registry.schema_for(str(schema.version)) is schema
            assert registry.by_namespace(schema.namespace) is schema
            assert registry.by_form_code(schema.system_code, schema.schema_version) is schema
            assert (SCHEMA_FOLDER / schema.file_name).is_file()
        assert registry.schema_for("FA3").title == "FA (3) 1-0E"

    @pytest.mark.parametrize(
        "ask",
        [
            lambda: registry.schema_for("FA1"),
            lambda: registry.by_namespace("urn:x"),
            lambda: registry.by_namespace(None),
            lambda: registry.by_namespace(""),
            lambda: registry.by_form_code("FA (3)", "1-1E"),
            lambda: registry.by_form_code("FA(3)", "1-0E"),
        ],
    )
    def test_unknown_is_told_with_what_is_known(self, ask: object) -> None:
        """A structure that does not exist is a typed error that lists the known ones."""
        assert callable(ask)
        with pytest.raises(UnknownSchema, match=r"known: .*FA ?\(?2\)?.*FA ?\(?3\)?"):
            ask()

    def test_import_is_light(self) -> None:
        """Importing the registry does not load lxml."""
        code = "import sys, core.fa.registry; sys.exit('lxml' in sys.modules)"
        assert (
            subprocess.run(
                [sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False
            ).returncode
            == 0
        )

    def test_form_code_matches_the_documents_of_the_version(self) -> None:
        """The values of the registry are the ones the schema demands in a document."""
        assert findings() == []
        assert findings('kodSystemowy="FA (3)"', f'kodSystemowy="{FA2.system_code}"') != []
        assert [finding.code for finding in findings(schema=FA2)] == ["xsd-wrong-root"]
        assert {schema.version for schema in registry.SCHEMAS} == set(SchemaVersion)


class TestCompiled:
    def test_once_per_process(self) -> None:
        """All threads get one compiled schema for a version."""
        with ThreadPoolExecutor(8) as pool:
            schemas = list(pool.map(lambda _: compiled(FA3), range(64)))
        assert len({id(schema) for schema in schemas}) == 1
        assert compiled(FA2) is not compiled(FA3)

    def test_threads_get_their_own_findings(self) -> None:
        """Valid and refused documents checked at once in many threads do not mix their findings."""

        def one(number: int) -> bool:
            if number % 3 == 0:
                return check(parse(INVOICE.encode()), FA3) == []
            text = INVOICE.replace("123.00", f"{number}.999")
            found = check(parse(text.encode()), FA3)
            return [finding.code for finding in found] == ["xsd-fraction-digits"] and (
                f"{number}.999" in found[0].message.pl
            )

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(one, range(600)))

    def test_operators_files(self, official_ksef: Path) -> None:
        """With an operator's folder the official files are used, and their verdict comes with our words."""
        folder = official_ksef / "schemas"
        assert check(parse(INVOICE.encode()), FA3, folder) == []
        found = check(parse(INVOICE.replace("<P_2>FV/1</P_2>", "<P_2/>").encode()), FA3, folder)
        assert [(finding.code, finding.path) for finding in found] == [("xsd-empty", "Faktura/Fa/P_2")]
        assert compiled(FA3, folder) is compiled(FA3, folder)
        assert compiled(FA3, folder) is not compiled(FA3)

    def test_operators_folder_with_a_difficult_name(self, official_ksef: Path, tmp_path: Path) -> None:
        """The folder's name may have spaces, percent signs and letters beyond ASCII."""
        folder = tmp_path / "schematy MF 100% (ąę)"
        shutil.copytree(official_ksef / "schemas", folder)
        assert check(parse(INVOICE.encode()), FA3, folder) == []

    def test_missing_file_is_named(self, official_ksef: Path, tmp_path: Path) -> None:
        """A folder without one of the imported files is refused, naming the file."""
        shutil.copytree(official_ksef / "schemas", tmp_path / "s")
        (tmp_path / "s" / "KodyKrajow_v10-0E.xsd").unlink()
        with pytest.raises(SchemaUnavailable, match=r"KodyKrajow_v10-0E\.xsd"):
            compiled(FA3, tmp_path / "s")
        with pytest.raises(SchemaUnavailable, match=r"schemat_FA\(2\)_v1-0E\.xsd"):
            compiled(FA2, tmp_path)

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:{port}/types.xsd", "https://example.org/a.xsd", "ftp://x/a.xsd"]
    )
    def test_other_addresses_are_never_fetched(self, address: str, tmp_path: Path) -> None:
        """A schema that imports from anywhere else is refused, and no connection is made."""
        with _listener() as (server, calls):
            url = address.format(port=server.server_address[1])
            (tmp_path / FA3.official_file_name).write_text(
                '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
                f'<xs:import namespace="urn:a" schemaLocation="{url}"/></xs:schema>',
                "utf-8",
            )
            with pytest.raises(SchemaUnavailable, match="not fetched"):
                compiled(FA3, tmp_path)
        assert calls == []

    def test_file_outside_the_folder_is_not_read(self, tmp_path: Path) -> None:
        """A path that climbs out of the folder finds nothing."""
        (tmp_path / "secret.xsd").write_text("<a/>", "utf-8")
        folder = tmp_path / "schemas"
        folder.mkdir()
        (folder / FA3.official_file_name).write_text(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            '<xs:include schemaLocation="../secret.xsd"/></xs:schema>',
            "utf-8",
        )
        with pytest.raises(SchemaUnavailable, match=r"needs secret\.xsd, which is not there"):
            compiled(FA3, folder)

    def test_broken_schema_is_refused(self, tmp_path: Path) -> None:
        """A file that is no schema gives a typed error, not lxml's."""
        (tmp_path / FA3.official_file_name).write_text("<a", "utf-8")
        with pytest.raises(SchemaUnavailable, match="not a usable schema"):
            compiled(FA3, tmp_path)


class TestParse:
    @pytest.mark.parametrize(
        ("data", "line"),
        [
            (b"", None),
            (b"   ", None),
            (b"no xml", 1),
            (b"<a>\n<b>\n</a>", 3),
            (b"<a>\n\xff</a>", 2),
            (b"<a>&nbsp;</a>", 1),
            (b"<a>&#1;</a>", 1),
            (b"<a/>\n<b/>", 2),
            (b"<a x='1' x='2'/>", 1),
            (b"<a:b/>", 1),
            (b" <?xml version='1.0'?><a/>", 1),
            (b"<?xml version='1.0' encoding='nonsense'?><a/>", 1),
        ],
    )
    def test_malformed(self, data: bytes, line: int | None) -> None:
        """What is not well-formed gives a typed error with a message and a line."""
        with pytest.raises(MalformedXml) as caught:
            parse(data)
        assert caught.value.message
        assert line is None or caught.value.line == line
        finding = caught.value.as_finding()
        assert (finding.code, finding.severity, finding.line) == (
            "xml-malformed",
            Severity.ERROR,
            caught.value.line,
        )

    def test_well_formed_keeps_lines(self) -> None:
        """A good document is a tree whose elements know their lines."""
        assert [cast("int", element.sourceline) for element in parse(b"<a>\n<b/></a>").iter()] == [1, 2]

    @pytest.mark.parametrize(
        ("data", "line"),
        [
            (b"<!DOCTYPE a><a/>", 1),
            (b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", 3),
            (b"\xef\xbb\xbf<!DOCTYPE a SYSTEM 'a.dtd'><a/>", 1),
            (
                "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a [<!ENTITY e 'x'>]><a/>".encode("utf-16"),
                None,
            ),
        ],
    )
    def test_doctype_is_refused(self, data: bytes, line: int | None) -> None:
        """Any DOCTYPE is refused, in any encoding, even a harmless one."""
        with pytest.raises(MalformedXml, match="DOCTYPE") as caught:
            parse(data)
        assert caught.value.line == line

    def test_doctype_in_text_is_no_doctype(self) -> None:
        """The letters of a DOCTYPE inside a comment or CDATA are only text."""
        tree = parse(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE b>]]></a>")
        assert tree.getroot().text == "<!DOCTYPE b>"

    def test_external_entity_reads_no_file(self, tmp_path: Path) -> None:
        """XXE: an entity that names a local file is refused, and the file's text goes nowhere."""
        secret = tmp_path / "secret.txt"
        secret.write_text("TOP-SECRET", "utf-8")
        data = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'
        for encoded in (data.encode(), data.encode("utf-16")):
            with pytest.raises(MalformedXml) as caught:
                parse(encoded)
            assert "TOP-SECRET" not in str(caught.value)

    def test_nothing_is_fetched(self) -> None:
        """Entities, DTDs, schema hints and stylesheets of a document cause no connection."""
        with _listener() as (server, calls):
            base = f"http://127.0.0.1:{server.server_address[1]}"
            documents = [
                f'<!DOCTYPE a SYSTEM "{base}/a.dtd"><a/>',
                f'<!DOCTYPE a [<!ENTITY x SYSTEM "{base}/x">]><a>&x;</a>',
                f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{base}/x"> %x;]><a/>',
            ]
            for document in documents:
                for encoded in (document.encode(), document.encode("utf-16")):
                    with pytest.raises(MalformedXml):
                        parse(encoded)
            hinted = INVOICE.replace(
                "<Faktura ",
                '<Faktura xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                f'xsi:schemaLocation="{FA3.namespace} {base}/schemat.xsd" ',
            ).replace("?>", f'?><?xml-stylesheet href="{base}/s.xsl"?>', 1)
            assert check(parse(hinted.encode()), FA3) == []
            assert check(parse(hinted.replace("PLN", "ZZZ").encode()), FA3) != []
        assert calls == []

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    @pytest.mark.parametrize("use", ["<a>&e9;</a>", "<a b='&e9;'/>"])
    def test_billion_laughs(self, use: str, encoding: str) -> None:
        """Nested entities are refused at once, in text and in attributes."""
        entities = '<!ENTITY e0 "lol">' + "".join(
            f'<!ENTITY e{step} "{f"&e{step - 1};" * 10}">' for step in range(1, 10)
        )
        started = time.monotonic()
        with pytest.raises(MalformedXml):
            parse(f"<!DOCTYPE a [{entities}]>{use}".encode(encoding))
        assert time.monotonic() - started < 1

    def test_deep_nesting(self) -> None:
        """Very deep nesting is refused instead of exhausting the stack."""
        with pytest.raises(MalformedXml, match="depth"):
            parse(b"<a>" * 100_000 + b"</a>" * 100_000)
        assert parse(b"<a>" * 200 + b"</a>" * 200).getroot().tag == "a"

    def test_huge_text(self) -> None:
        """A text node beyond libxml2's limit is refused."""
        with pytest.raises(MalformedXml):
            parse(b"<a>" + b"x" * 11_000_000 + b"</a>")


class TestFindings:
    def test_valid(self) -> None:
        """A valid document has no finding, with or without a prefix for the namespace."""
        assert findings() == []
        prefixed = INVOICE.replace("<", "<f:").replace("<f:/", "</f:").replace("<f:?", "<?")
        prefixed = prefixed.replace("xmlns=", "xmlns:f=")
        assert check(parse(prefixed.encode()), FA3) == []

    @pytest.mark.parametrize(
        ("before", "after", "code", "path", "said"),
        [
            ("<GV>2</GV>", "", "xsd-missing-element", "Podmiot2", "GV"),
            ("<P_2>FV/1</P_2>", "", "xsd-unexpected-element", "Fa/P_15", "P_2"),
            ("<P_2>", "<P_3/><P_2>", "xsd-unexpected-element", "Fa/P_3", "P_3"),
            ("</GV>", "</GV><X/>", "xsd-unexpected-element", "Podmiot2/X", "X"),
            (">FV/1<", "><b/><", "xsd-unexpected-element", "Fa/P_2", "P_2"),
            (">FV/1<", "><", "xsd-empty", "Fa/P_2", "P_2"),
            (">FV/1<", f">{'x' * 257}<", "xsd-max-length", "Fa/P_2", "256"),
            ("5260250274", "526-025-02-74", "xsd-pattern", "Podmiot1/DaneIdentyfikacyjne/NIP", "-74"),
            (">PLN<", ">ZŁ<", "xsd-enumeration", "Fa/KodWaluty", "ZŁ"),
            ("2026-02-01T10", "2025-02-01T10", "xsd-min-value", "Naglowek/DataWytworzeniaFa", "2025-09-01"),
            (">2026-02-01<", ">2050-01-02<", "xsd-max-value", "Fa/P_1", "2050-01-01"),
            (">2026-02-01<", ">1.02.2026<", "xsd-wrong-type", "Fa/P_1", "1.02.2026"),
            ("123.00", "123,00", "xsd-wrong-type", "Fa/P_15", "123,00"),
            ("123.00", "0123.00", "xsd-pattern", "Fa/P_15", "0123.00"),
            ("123.00", "123.001", "xsd-fraction-digits", "Fa/P_15", "2"),
            ("123.00", "1" * 19, "xsd-total-digits", "Fa/P_15", "18"),
            (">2</NrWierszaFa>", ">0</NrWierszaFa>", "xsd-min-value", "Fa/FaWiersz[2]/NrWierszaFa", "0"),
            (">1.00<", ">1.0.0<", "xsd-wrong-type", "Fa/FaWiersz[2]/P_11A", "1.0.0"),
            ("</Fa>", "x</Fa>", "xsd-text-not-allowed", "Fa", "Fa"),
            ("(3)", "(2)", "xsd-attribute-value", "Naglowek/KodFormularza", "kodSystemowy"),
            (' wersjaSchemy="1-0E"', "", "xsd-missing-attribute", "Naglowek/KodFormularza", "wersjaSchemy"),
            ("<P_2>", '<P_2 a="1">', "xsd-unexpected-attribute", "Fa/P_2", "a"),
            ("<Fa>", '<Fa a="1">', "xsd-unexpected-attribute", "Fa", "a"),
            ("<Podmiot1>", "<Podmiot1><PrefiksPodatnika>DE</PrefiksPodatnika>", "xsd-fixed-value",
             "Podmiot1/PrefiksPodatnika", "DE"),
            ("</Fa>", "</Fa><Stopka><Rejestry><REGON>1</REGON></Rejestry></Stopka>", "xsd-wrong-type",
             "Stopka/Rejestry/REGON", "REGON"),
        ],
    )  # fmt: skip
    def test_classes_of_errors(self, before: str, after: str, code: str, path: str, said: str) -> None:
        """Each common class of schema errors has its code, its place by names, and both languages."""
        (finding,) = findings(before, after)
        assert (finding.code, finding.path) == (code, f"Faktura/{path}")
        assert finding.severity is Severity.ERROR
        assert finding.source == "XSD FA (3) 1-0E"
        assert finding.line is not None
        assert said in finding.message.pl
        assert said in finding.message.en
        assert "crd.gov.pl" not in finding.message.pl + finding.hint.pl
        assert bool(finding.hint.pl) == bool(finding.hint.en)

    def test_hints_know_common_fields(self) -> None:
        """The hint tells how a NIP, an amount, a day and a short list of values look."""
        assert "10 cyfr" in findings("5260250274", "PL5260250274")[0].hint.pl
        assert "1234.50" in findings("123.00", "123,00")[0].hint.en
        assert "YYYY-MM-DD" in findings(">2026-02-01<", ">1.02.2026<")[0].hint.en
        assert "'KOR'" in findings(">VAT<", ">vat<")[0].hint.pl

    def test_lines(self) -> None:
        """A finding names the line of the element in the file."""
        (finding,) = findings(">FV/1<", "><")
        assert finding.line == INVOICE[: INVOICE.index("<P_2>")].count("\n") + 1

    def test_wrong_root(self) -> None:
        """A document of another kind is told as such."""
        (finding,) = check(parse(b"<Invoice/>"), FA3)
        assert (finding.code, finding.path) == ("xsd-wrong-root", "Invoice")
        assert "Invoice" in finding.message.pl

    def test_prefixes_and_comments_keep_paths_right(self) -> None:
        """Paths count elements only, whatever prefixes, comments and instructions stand between them."""
        text = INVOICE.replace("<P_11A>1.00", "<!-- c --><?p i?><P_11A>x")
        assert [finding.path for finding in check(parse(text.encode()), FA3)] == [
            "Faktura/Fa/FaWiersz[2]/P_11A"
        ]
        prefixed = (
            text.replace("<", "<f:").replace("<f:/", "</f:").replace("<f:?", "<?").replace("<f:!", "<!")
        )
        tree = parse(prefixed.replace("xmlns=", "xmlns:f=").encode())
        assert [finding.path for finding in check(tree, FA3)] == ["Faktura/Fa/FaWiersz[2]/P_11A"]

    def test_unusual_error_keeps_libxml2s_words(self) -> None:
        """An error without a sentence of ours has a code made from its type and the original text."""
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="T"'
        (finding,) = findings("<Fa>", f"<Fa {xsi}>")
        assert finding.code == "xsd-cvc-elt-4-2"
        assert "does not resolve to a type definition" in finding.message.en

    def test_one_finding_for_a_value_and_a_cap(self) -> None:
        """A value that breaks several facets is told once; a thousand errors are a hundred and a count."""
        assert len(findings("123.00", "x" * 300)) == 1
        line = "<FaWiersz><NrWierszaFa>x</NrWierszaFa></FaWiersz>"
        found = findings("</Fa>", line * 1000 + "</Fa>")
        assert len(found) == 101
        assert (found[-1].code, found[-1].severity) == ("xsd-more", Severity.INFO)
        assert "900" in found[-1].message.pl
        assert found[99].path == "Faktura/Fa/FaWiersz[102]/NrWierszaFa"

    def test_hostile_value_is_shortened(self) -> None:
        """A long or braced value of the document is repeated short and unharmed."""
        (finding,) = findings("5260250274", "{name}%s\n" + "9" * 5000)
        assert "{name}%s 999" in finding.message.pl
        assert len(finding.message.pl) < 200

    def test_valid_documents_are_checked_fast(self) -> None:
        """A valid document costs about one validation by libxml2, so that checking never slows sending."""
        tree = parse(INVOICE.encode())
        bare = min(_time(lambda: compiled(FA3)(tree)) for _ in range(20))
        ours = min(_time(lambda: check(tree, FA3)) for _ in range(20))
        assert ours < 2 * bare + 0.0001


def _time(run: object) -> float:
    assert callable(run)
    started = time.perf_counter()
    for _ in range(20):
        run()
    return (time.perf_counter() - started) / 20


class _Listener:
    """A TCP server on localhost that notes every connection."""

    def __enter__(self) -> tuple[TCPServer, list[object]]:
        calls: list[object] = []

        class Note(BaseRequestHandler):
            def handle(self) -> None:
                calls.append(self.client_address)

        self.server = TCPServer(("127.0.0.1", 0), Note)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self.server, calls

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _listener() -> _Listener:
    return _Listener()


def test_example_files_are_valid(official_ksef: Path) -> None:
    """The Ministry's own examples pass: parse and check agree with the files as published."""
    files = sorted((official_ksef / "fa3-examples").glob("*.xml"))
    assert len(files) == 13
    for file in files:
        tree = parse(file.read_bytes())
        assert isinstance(tree, etree._ElementTree)
        assert check(tree, FA3) == [], file.name
