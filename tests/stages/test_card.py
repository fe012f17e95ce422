"""The card: no claim without a figure that stands where it says, nothing of others run, every format by its own rules."""

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import synthpop_gb as sp
from synthpop_gb import run_folder
from synthpop_gb.card import CardFile, Claim, Facts, Figure, Section, Source, card_of_run, card_texts, look_up, say
from synthpop_gb.card.datapackage import datapackage
from synthpop_gb.card.escape import identifier, iri, markdown, web_address
from synthpop_gb.card.of_run import short_names
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.pair import Pair, PairVariable
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.testing import small_problem
from tests.command_line import invoke

EVIL = "a | b <script>alert(1)</script> [x](javascript:alert(1)) `c` **d** & \u202e"
CARD = f"""
[card]
title = {json.dumps("Twelve zones " + EVIL, ensure_ascii=False)}
creator = ["Ann Example", {json.dumps(EVIL, ensure_ascii=False)}]
contact = "ann@example.org"
licence = "CC BY 4.0"
purpose = "To test | the card."
uses = ["teaching"]
not_for = ["decisions about a person"]
keywords = ["county"]
funding = "A fund, grant 7"
version = "2"
url = "https://example.org/a b"
changes = ["2: more zones"]
""".replace("/a b", "/a")


class Tags(HTMLParser):
    """Tags of a page, and addresses that its links lead to."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src")]


def rendered(text):
    """A page as a viewer of Markdown shows it: HTML in it allowed, tables known."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run with replicates, indicators, known truth and a card that somebody filled in; its folder."""
    folder = tmp_path_factory.mktemp("county of | ann")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    text = demo_study(".", schema="study.schema.json").replace("replicates = 40", "replicates = 3")
    text = text[: text.index("[card]")] + CARD
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return sp.run(folder / "study.toml", folder / "out", report=False).folder


@pytest.fixture
def files(made):
    """Contents of a run's files, as claims name them."""
    return contents(made)


def contents(folder):
    found = {p.relative_to(folder).as_posix(): json.loads(p.read_text(encoding="utf-8")) for p in folder.rglob("*.json")}
    return found | {
        p.relative_to(folder).as_posix(): pd.read_parquet(p) for p in folder.rglob("*.parquet") if ".geo." not in p.name
    }


def claims_of(card):
    return [c for s in card["sections"] for c in s["claims"]]


def load(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


# claims ------------------------------------------------------------------------------------------------------------------


def test_every_claim_has_a_figure_that_stands_where_it_says(made, files):
    claims = claims_of(load(made, "card.json"))
    assert len(claims) > 25
    for claim in claims:
        assert claim["value"], claim
        assert set(claim["value"]) == set(claim["source"])
        for name, value in claim["value"].items():
            at = claim["source"][name]
            source = Source(at["file"], at.get("field", ""), at.get("where", {}), at.get("how", "value"))
            found = look_up(source, files)
            if isinstance(found, float):
                assert value == pytest.approx(found, rel=1e-12), claim
            else:
                assert str(value) == str(found), claim


def test_a_claim_without_a_figure_is_no_claim():
    source = Source("run.json", "/zones")
    for value in ({}, {"n": None}, {"n": float("nan")}, {"n": ""}, {"n": []}):
        with pytest.raises(ValueError, match="needs a figure"):
            Claim("n zones", value, dict.fromkeys(value, source))
    with pytest.raises(ValueError, match="needs a figure"):
        Claim("n zones", {"n": 3}, {})
    for figure in (None, float("nan"), "", [], {}):
        assert say("{n} zones", n=Figure(figure, source)) is None
    assert say("no figure at all") is None
    assert Section.of("x", "X", [None, say("{n} zone{n:s}", n=Figure(1, source))]).claims[0].text == "1 zone"


def test_what_is_not_measured_is_not_claimed(made):
    run = load(made, "run.json")
    whole = card_of_run(run, run_folder.read_checks(made), None)
    for missing, prefix in (("held_out", "validation/held_out."), ("true_error", "validation/true_error.")):
        checks = run_folder.read_checks(made)
        assert any(s.file.startswith(prefix) for c in whole.claims for s in c.source.values())
        tables = {k: v for k, v in checks.tables.items() if k != missing}
        part = card_of_run(run, replace(checks, tables=tables), None)
        assert not any(s.file.startswith(prefix) for c in part.claims for s in c.source.values())
        assert len(part.claims) < len(whole.claims)
    bare = card_of_run(run, None, None)
    assert {s.file for c in bare.claims for s in c.source.values()} == {"run.json"}
    assert card_of_run({}, None, None).claims == ()  # nothing known: nothing claimed
    assert bare["verdicts"].empty


def test_figures_of_others_are_no_templates():
    facts = Facts({"audit/checks.json": {"headline": {"odd {name} {0}": "{value.__class__}"}}})
    from synthpop_gb.card.audit_claims import audited_figures

    (claim,) = audited_figures(facts, is_open=True).claims
    assert claim.text == "odd {name} {0}: {value.__class__}."


def test_look_up_says_nothing_of_what_is_not_there(files):
    nowhere = [
        Source("no.json", "/a"), Source("run.json", "/no/such"), Source("run.json", "/inputs/999"),
        Source("validation/zones.parquet", "nope"), Source("validation/zones.parquet", "tae", {"nope": 1}),
        Source("validation/zones.parquet", "tae", {"zone": "nowhere"}), Source("run.json", "/seed/deeper"),
    ]  # fmt: skip
    assert [look_up(s, files) for s in nowhere] == [None] * len(nowhere)
    zones = files["validation/zones.parquet"]
    assert look_up(Source("validation/zones.parquet", "people", how="sum"), files) == zones["people"].sum()
    assert look_up(Source("run.json", "/inputs", how="length"), files) == len(files["run.json"]["inputs"])
    empty = {"t.parquet": pd.DataFrame({"a": pd.Series(dtype=float)}), "n.parquet": pd.DataFrame({"a": [np.nan]})}
    assert look_up(Source("t.parquet", "a", how="max"), empty) is None
    assert look_up(Source("n.parquet", "a", how="max"), empty) is None
    assert look_up(Source("n.parquet", "a"), empty) is None


# the page ----------------------------------------------------------------------------------------------------------------


def test_every_bullet_of_the_page_is_a_claim_or_the_makers_word(made):
    card, page = load(made, "card.json"), (made / "README.md").read_text(encoding="utf-8")
    about = card["about"]
    known = {markdown(c["text"]) for c in claims_of(card)}
    known |= {markdown(t) for key in ("uses", "not_for", "changes") for t in about[key]}
    bullets = [line[2:] for line in page.splitlines() if line.startswith("- ")]
    assert len(bullets) > 20
    assert [b for b in bullets if b not in known] == []


def test_the_page_says_synthetic_first_and_what_fits(made):
    page = (made / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# Synthetic population: Twelve zones")
    assert page.split("\n\n")[1].startswith("**All 12 zones meet every count that they were fitted to.**")
    assert "zone totals constrained by qualification" in page
    assert len(page) < 14_000


def test_text_of_others_is_shown_and_not_run(made):
    page = (made / "README.md").read_text(encoding="utf-8")
    shown = Tags(rendered(page))
    assert not {"script", "img", "iframe", "svg"} & set(shown.tags)
    assert all(link.startswith(("https://", "mailto:")) for link in shown.links)
    assert shown.links
    assert "\u202e" not in page
    widths = {}
    for block in re.split(r"\n\n", page):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        widths[block[:20]] = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert all(len(w) <= 1 for w in widths.values()), widths


@given(st.text(max_size=60))
def test_any_text_in_markdown_is_one_line_of_letters(text):
    page = rendered(f"| a | b |\n| --- | --- |\n| {markdown(text)} | y |\n\n{markdown(text)}\n")
    found = Tags(page)
    assert set(found.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "p"}
    assert found.tags.count("td") == 2


@given(st.text(max_size=80))
def test_addresses_and_identifiers_of_any_text(text):
    address = web_address(text)
    assert address == "" or re.match(r"(https?://|mailto:)[^\s<>\"]+$", address)
    assert re.fullmatch(r"[a-z0-9._-]+", identifier(text))
    parts = iri(text).split("/")
    assert ".." not in parts
    assert not iri(text).startswith("/")


def test_no_path_of_the_machine_is_in_a_card(made):
    home = str(made.parents[1])
    sp.pipeline.card_of(made, croissant=True, ddi=True)
    for name in ("README.md", "card.json", "datapackage.json", "ro-crate-metadata.json", "croissant.json", "ddi.xml"):
        text = (made / name).read_text(encoding="utf-8")
        assert home not in text, name
        assert "/tmp/" not in text, name
        assert str(Path.home()) not in text, name
    twice = [r"C:\Users\ann\a.csv", "/home/ann/a.csv", "/home/ann/b/a.csv"]
    assert list(short_names(twice).values()) == ["a.csv", "a.csv (2)", "a.csv (3)"]


# what is stated of inputs and variables ----------------------------------------------------------------------------------


def test_each_variable_says_where_it_comes_from(made):
    variables = {v["name"]: v for v in load(made, "card.json")["variables"]}
    assert variables["age"]["origin"] == "constrained"
    assert variables["age"]["held_out"] == ["age x sex", "age x health"]
    assert variables["qualification"]["universe"] == "usual residents aged 16 and over"
    assert "categories" in variables["health"]
    assert variables["tenure"]["origin"] == "copied"
    assert variables["zone"]["origin"] == "modelled"


def test_what_nobody_stated_is_said_and_found(made):
    card, _ = run_folder.write_card(made)
    assert {f.code for f in card.findings} == {"not-stated"}
    assert all(f.level == "note" for f in card.findings)
    assert any("publisher of" in f.message for f in card.findings)
    assert "result's" not in " ".join(f.message for f in card.findings)  # all of the result was stated
    page = (made / "README.md").read_text(encoding="utf-8")
    assert "not stated" in page
    assert "Ann Example" in page


def test_inputs_are_named_with_their_checksums(made):
    sources = load(made, "card.json")["sources"]
    run = load(made, "run.json")
    assert {s["sha256"] for s in sources} == {i["sha256"] for i in run["inputs"]}
    roles = [s["role"] for s in sources]
    assert roles[0] == "survey"
    assert {"constraint", "held out", "zones", "boundaries", "truth"} <= set(roles)


# the formats -------------------------------------------------------------------------------------------------------------

PACKAGE = {
    "type": "object", "required": ["$schema", "name", "title", "resources"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/datapackage.json"},
        "name": {"pattern": "^[a-z0-9._-]+$"}, "title": {"type": "string", "minLength": 1},
        "created": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"}, "keywords": {"type": "array", "minItems": 1},
        "licenses": {
            "type": "array", "minItems": 1,
            "items": {
                "anyOf": [{"required": ["name"]}, {"required": ["path"]}],
                "properties": {"name": {"pattern": "^[-a-zA-Z0-9._]+$"}},
            },
        },
        "contributors": {"items": {"required": ["title"], "properties": {"roles": {"type": "array"}}}},
        "sources": {"items": {"required": ["title"]}},
        "resources": {
            "type": "array", "minItems": 1,
            "items": {
                "required": ["name", "path", "title", "description", "format", "mediatype", "bytes"],
                "properties": {
                    "name": {"pattern": "^synthetic-[a-z0-9._-]+$"},
                    "path": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
                    "hash": {"pattern": "^sha256:[0-9a-f]{64}$"}, "bytes": {"type": "integer"}, "type": {"const": "table"},
                    "schema": {
                        "required": ["fields"],
                        "properties": {
                            "fields": {
                                "type": "array", "minItems": 1,
                                "items": {
                                    "required": ["name", "type"],
                                    "properties": {
                                        "type": {"enum": ["string", "integer", "number", "boolean", "date", "datetime", "any"]},
                                    },
                                },
                            },
                            "primaryKey": {"type": "array"}, "missingValues": {"type": "array", "items": {"type": "string"}},
                            "foreignKeys": {"items": {"required": ["fields", "reference"]}},
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip
"""Rules of Data Package 2.0, Data Resource and Table Schema, as far as they concern us (datapackage.org)."""


def test_the_data_package_keeps_the_rules_and_tells_the_truth(made):
    package = load(made, "datapackage.json")
    jsonschema.validate(package, PACKAGE)
    assert "synthetic" in package["title"].lower()
    resources = {r["name"]: r for r in package["resources"]}
    assert len(resources) == len(package["resources"])
    assert resources["synthetic-population-counts"]["schema"]["primaryKey"] == ["zone", "donor"]
    for r in package["resources"]:
        path = made / r["path"]
        data = path.read_bytes()
        assert (r["bytes"], r["hash"]) == (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}"), r["path"]
        if path.suffix == ".parquet" and ".geo." not in path.name:
            _check_table(r, pd.read_parquet(path), resources, made)
    listed = {r["path"] for r in package["resources"]}
    data = {p.relative_to(made).as_posix() for p in made.rglob("*") if p.suffix in (".parquet", ".csv", ".npz", ".png", ".gpkg")}
    assert data <= listed


def test_areas_of_a_partitioned_folder_are_one_resource():
    fields = (("person", "string"), ("zone", "dictionary<values=string, indices=int32, ordered=0>"))
    parquet = "application/vnd.apache.parquet"
    files = [CardFile(f"people/lad=E0{i}/people.parquet", 10 + i, f"{i:064x}", parquet, fields, 5) for i in (1, 2)]
    files.append(CardFile("population/status.parquet", 9, "0" * 64, parquet, (("zone", "string"),), 2))
    run = {
        "created": "2026-01-01T00:00:00+00:00",
        "study": {"name": "x"},
        "zones": 2,
        "people": 5,
        "donors": 3,
        "constraints": ["age"],
    }
    package = datapackage(card_of_run(run, None, None, files))
    jsonschema.validate(package, PACKAGE)
    (people,) = (r for r in package["resources"] if isinstance(r["path"], list))
    assert people["path"] == ["people/lad=E01/people.parquet", "people/lad=E02/people.parquet"]
    assert (people["name"], people["bytes"], len(people["hashes"])) == ("synthetic-people", 23, 2)
    assert [f["type"] for f in people["schema"]["fields"]] == ["string", "string"]
    assert people["schema"]["foreignKeys"][0]["reference"] == {"resource": "synthetic-population-status", "fields": ["zone"]}


def test_files_of_a_folder_are_listed_without_links_and_hidden_ones(tmp_path):
    pd.DataFrame({"zone": ["a"], "n": [1]}).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    found = {f.path: f for f in run_folder.inventory(tmp_path)}
    assert set(found) == {"a.csv", "broken.parquet"}
    assert found["a.csv"].fields == (("zone", "string"), ("n", "int64"))
    assert found["broken.parquet"].fields == ()


def _check_table(resource, frame, resources, folder):
    """Columns, keys and types of one table against its file."""
    fields = {f["name"]: f for f in resource["schema"]["fields"]}
    assert list(fields) == list(frame.columns)
    undescribed = [n for n, f in fields.items() if not f.get("description") and not n.startswith("like ")]
    assert undescribed == [], resource["path"]
    kinds = {"integer": "iu", "number": "f", "boolean": "b"}
    for name, f in fields.items():
        assert f["type"] not in kinds or frame[name].dtype.kind in kinds[f["type"]], (resource["path"], name)
        if "constraints" in f:
            assert set(frame[name].astype(str)) <= set(f["constraints"]["enum"])
    key = resource["schema"].get("primaryKey")
    if key:
        assert not frame.duplicated(key).any(), resource["path"]
    for foreign in resource["schema"].get("foreignKeys", []):
        (column,), target = foreign["fields"], resources[foreign["reference"]["resource"]]
        there = pd.read_parquet(folder / target["path"])[foreign["reference"]["fields"][0]].astype(str)
        assert set(frame[column].astype(str)) <= set(there), resource["path"]


def test_frictionless_accepts_the_package_and_its_rows(made):
    frictionless = pytest.importorskip("frictionless")
    package = frictionless.Package(str(made / "datapackage.json"))
    assert len(package.resources) == len(load(made, "datapackage.json")["resources"])
    for name in ("synthetic-population-status", "synthetic-validation-held_out"):
        # it counts no bytes of Parquet, and calls that a difference
        report = package.get_resource(name).validate(frictionless.Checklist(skip_errors=["byte-count", "hash-count"]))
        assert report.valid, report.flatten(["message"])


def test_rocrate_reads_the_crate(made):
    rocrate = pytest.importorskip("rocrate.rocrate")
    crate = rocrate.ROCrate(str(made))
    assert crate.name.startswith("Synthetic population")
    listed = {r["path"] for r in load(made, "datapackage.json")["resources"]}
    assert {unquote(e.id) for e in crate.data_entities} >= {*listed, "README.md", "card.json", "datapackage.json"}


def test_mlcroissant_finds_no_fault(made):
    mlcroissant = pytest.importorskip("mlcroissant")
    sp.pipeline.card_of(made, croissant=True)
    dataset = mlcroissant.Dataset(jsonld=str(made / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert next(iter(dataset.records("synthetic-population-counts")))


def test_the_ro_crate_keeps_the_rules_of_1_1(made):
    crate = load(made, "ro-crate-metadata.json")
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    graph = {e["@id"]: e for e in crate["@graph"]}
    assert len(graph) == len(crate["@graph"]), "two entities of one @id"
    descriptor, root = graph["ro-crate-metadata.json"], graph["./"]
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license"} <= set(root)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", root["datePublished"])
    assert graph[root["license"]["@id"]]["@type"] == "CreativeWork"

    def references(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                yield value["@id"]
            for v in value.values():
                yield from references(v)
        elif isinstance(value, list):
            for v in value:
                yield from references(v)

    wanted = {r for e in crate["@graph"] for r in references({k: v for k, v in e.items() if k != "@id"})}
    assert {w for w in wanted - set(graph) if not w.startswith("https://w3id.org/")} == set()
    entities = [e for e in crate["@graph"] if e["@type"] == "File"]
    assert {e["@id"] for e in entities} == {p["@id"] for p in root["hasPart"]}
    for e in entities:
        path = made / unquote(e["@id"])
        assert not e["@id"].startswith(("/", ".."))
        data = path.read_bytes()
        assert (e["contentSize"], e["sha256"]) == (str(len(data)), hashlib.sha256(data).hexdigest()), e["@id"]
    action = graph[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    assert graph[action["instrument"]["@id"]]["version"] == load(made, "run.json")["versions"]["synthpop_gb"]
    assert {p["@id"] for p in action["object"]} == {e["@id"] for e in crate["@graph"] if e["@id"].startswith("#input-")}


def test_croissant_keeps_the_rules_of_1_0(made):
    sp.pipeline.card_of(made, croissant=True)
    found = load(made, "croissant.json")
    assert found["@type"] == "sc:Dataset"
    assert "http://mlcommons.org/croissant/1.0" in found["conformsTo"]
    assert {"name", "description", "license", "url", "datePublished", "citeAs", "version", "distribution", "recordSet"} <= set(
        found
    )
    objects = {d["@id"]: d for d in found["distribution"]}
    for d in objects.values():
        assert d["@type"] == "cr:FileObject"
        data = (made / unquote(d["contentUrl"])).read_bytes()
        assert d["sha256"] == hashlib.sha256(data).hexdigest()
        assert d["encodingFormat"] in ("application/x-parquet", "text/csv")
    ids = [*objects, *(i["@id"] for r in found["recordSet"] for i in (r, *r["field"]))]
    assert len(ids) == len(set(ids))
    for r in found["recordSet"]:
        for f in r["field"]:
            assert f["source"]["fileObject"]["@id"] in objects
            assert f["dataType"].startswith("sc:")
            assert f["description"]
        assert {k["@id"] for k in r.get("key", [])} <= {f["@id"] for f in r["field"]}


ORDER = {
    "codeBook": "docDscr stdyDscr fileDscr dataDscr otherMat",
    "docDscr": "citation guide docStatus docSrc notes",
    "citation": "titlStmt rspStmt prodStmt distStmt serStmt verStmt biblCit holdings notes",
    "titlStmt": "titl subTitl altTitl parTitl IDNo", "rspStmt": "AuthEnty othId",
    "prodStmt": "producer copyright prodDate prodPlac software fundAg grantNo",
    "distStmt": "distrbtr contact depositr depDate distDate", "verStmt": "version verResp notes",
    "stdyDscr": "citation studyAuthorization stdyInfo studyDevelopment method dataAccs othrStdyMat notes",
    "stdyInfo": "studyBudget subject abstract sumDscr qualityStatement notes exPostEvaluation", "subject": "keyword topcClas",
    "sumDscr": "timePrd collDate nation geogCover geogUnit geoBndBox boundPoly anlyUnit universe dataKind",
    "method": "dataColl notes anlyInfo stdyClas dataProcessing codingInstructions",
    "dataColl": "timeMeth dataCollector collectorTraining frequenc sampProc sampleFrame targetSampleSize deviat collMode "
    "resInstru instrumentDevelopment sources collSitu actMin ConOps weight cleanOps",
    "sources": "dataSrc sourceCitation srcOrig srcChar srcDocu sources", "anlyInfo": "respRate EstSmpErr dataAppr",
    "dataAccs": "setAvail useStmt notes",
    "useStmt": "confDec specPerm restrctn contact citReq deposReq conditions disclaimer", "fileDscr": "fileTxt locMap notes",
    "fileTxt": "fileName fileCitation dataFingerprint fileCont fileStrc dimensns fileType format filePlac dataChck ProcStat "
    "dataMsng software verStmt",
    "dataFingerprint": "digitalFingerprintValue algorithmSpecification algorithmVersion",
    "dimensns": "caseQnty varQnty logRecL recPrCas recNumTot", "dataDscr": "varGrp nCubeGrp var nCube notes",
    "var": "location labl imputation security embargo respUnit anlysUnit qstn valrng invalrng undocCod universe TotlResp sumStat "
    "txt stdCatgry catgryGrp catgry codInstr verStmt concept derivation varFormat geoMap catLevel notes",
    "catgry": "catValu labl txt catStat mrow",
}  # fmt: skip
"""Order of elements in the schema of DDI Codebook 2.5 (ddialliance.org), for those that we write."""


def check_ddi(text):
    root = ET.fromstring(text)
    space = "{ddi:codebook:2_5}"
    assert root.tag == f"{space}codeBook"
    assert root.get("version") == "2.5"
    for element in root.iter():
        name = element.tag.removeprefix(space)
        children = [c.tag.removeprefix(space) for c in element]
        assert not children or name in ORDER, name
        order = ORDER.get(name, "").split()
        assert set(children) <= set(order), (name, set(children) - set(order))
        assert children == sorted(children, key=order.index), name
    assert root.find(f"{space}stdyDscr/{space}citation/{space}titlStmt/{space}titl").text
    variables = root.findall(f"{space}dataDscr/{space}var")
    files = {f.get("ID") for f in root.findall(f"{space}fileDscr")}
    ids = [*(v.get("ID") for v in variables), *files]
    assert len(ids) == len(set(ids))
    assert all(v.get("name") for v in variables)
    assert {f for v in variables for f in (v.get("files") or "").split()} <= files
    return root


def test_ddi_keeps_the_order_of_the_schema(made):
    sp.pipeline.card_of(made, ddi=True)
    root = check_ddi((made / "ddi.xml").read_text(encoding="utf-8"))
    names = [v.get("name") for v in root.iter("{ddi:codebook:2_5}var")]
    assert {"zone", "donor", "n", "age", "tenure"} <= set(names)
    labels = [c.text for v in root.iter("{ddi:codebook:2_5}catgry") for c in v]
    assert "very good" in labels


@given(st.text(max_size=40))
def test_any_title_makes_valid_files_of_every_kind(title):
    run = {
        "versions": {"synthpop_gb": "1"}, "created": "2026-01-01T00:00:00+00:00",
        "study": {"name": "x", "card": {"title": title}},
        "zones": 2, "people": 5, "donors": 3, "constraints": [title or "a"], "whole": {"EXACT": 2}, "fit": {"CONVERGED": 2},
    }  # fmt: skip
    texts = card_texts(card_of_run(run, None, None), croissant=True, ddi=True)
    check_ddi(texts["ddi.xml"])
    for name, text in texts.items():
        assert "synthetic" in text.lower()
        if name.endswith(".json"):
            json.loads(text, parse_constant=pytest.fail)
    assert not {"script", "a", "img"} & set(Tags(rendered(texts["README.md"])).tags)


# a restricted survey, an audit, a pair -------------------------------------------------------------------------------------


def audit():
    """Checks as an audit of combinations, disclosure and uses makes them."""
    cells = pd.DataFrame(
        {
            "rank": [1, 2, 3, 4], "reference": "real", "kind": ["too many", "invented", "missing", "too few"],
            "cell": ["job = Quillfeather and sex = f", "age = 6 and job = doctor", "land = Holland", "job = clerk"],
            "expected": [1.0, 0.0, 4.0, 400.0], "observed": [259.0, 333.0, 0.0, 7.0], "explained_by": ["", "", "", ""],
        }
    )  # fmt: skip
    verdicts = pd.DataFrame(
        {
            "use": ["teaching", "small groups", "felt right"], "verdict": ["fit", "unfit", "fit"],
            "figure": ["TVD 0.01", "259 for 1", ""], "threshold": ["0.05", "2 times", ""],
            "reason": ["one way tables agree", "wives", "it looks good"],
        }
    )  # fmt: skip
    tables = {
        "scan_cells": cells, "verdicts": verdicts, "scan_tables": pd.DataFrame({"cells": [4, 8], "discoveries": [1, 2]}),
        "zone_uniqueness": pd.DataFrame({"zone": ["a", "b"], "people": [50, 70], "unique": [3, 20]}),
        "attacks": pd.DataFrame({"attack": ["linkage"], "n": [200], "risk": [0.02], "risk_lower": [0.0], "risk_upper": [0.05]}),
        "disclosure_identity": pd.DataFrame({"keys": ["age x sex"], "without": [""], "UiO": [4.0], "repU": [1.5]}),
        "scan_rarity": pd.DataFrame({"rarity": ["1 to 5"], "k": [2], "cells": [40], "missing": [12], "missing_floor": [11.0]}),
    }  # fmt: skip
    return Checks({"combinations scanned": 2, "worst group": "Quillfeather: 259 for 1"}, tables)


def test_an_audit_is_stated_and_what_it_lacks_is_not(made):
    run, checks = load(made, "run.json"), run_folder.read_checks(made)
    whole = card_of_run(run, checks, audit())
    page = card_texts(whole)["README.md"]
    assert "| teaching | fit | TVD 0.01 | 0.05 | one way tables agree |" in page
    assert "felt right" not in page  # a verdict without a figure is not printed
    assert "Quillfeather" in page  # the demo's survey is open
    assert "12 of 40 are missing (a perfect sample: 11)" in page
    assert "23 of 120 people are the only one" in page
    assert "risk 0.02 (0 to 0.05, 200 attempts)" in page
    assert "No use was judged" not in page
    some = card_of_run(run, checks, Checks({}, {"verdicts": audit()["verdicts"]}))
    assert some["combinations"].empty
    assert not some["verdicts"].empty
    odd = {n: pd.DataFrame({"unknown": [1]}) for n in audit().tables}
    assert card_of_run(run, checks, Checks({}, odd))["combinations"].tables == ()


def test_references_are_not_added_up(made):
    """Three scans of the same 20 combinations are no 60 combinations; a scan of copied records finds no errors."""
    tables = pd.DataFrame(
        {
            "reference": ["the fit"] * 20 + ["census"] * 20 + ["the survey"] * 20, "cells": 3, "discoveries": [1] * 60,
            "passes": pd.array([True] * 40 + [None] * 20, "boolean"),
        }
    )  # fmt: skip
    rarity = pd.DataFrame(
        {"reference": ["the fit"] * 3 + ["census"], "rarity": ["10 to 49", "2 to 4", "under 1", "2 to 4"], "k": 1,
         "cells": [40, 30, 20, 900], "missing": [1, 2, 3, 700], "missing_floor": 0.0}
    )  # fmt: skip
    cells = pd.DataFrame({"reference": ["the fit", "the fit", "the survey"], "kind": ["missing", "too many", "missing"]})
    found = Checks({}, {"scan_tables": tables, "scan_rarity": rarity, "scan_cells": cells})
    said = [c.text for c in card_of_run(load(made, "run.json"), None, found)["combinations"].claims]
    assert said == [
        "Against the fit: 20 combinations of variables, 60 cells; 20 cells beyond chance.",
        "Against census: 20 combinations of variables, 60 cells; 20 cells beyond chance.",
        "Against the survey: 20 combinations of variables, 60 cells. Its records were copied, so what differs from it is no "
        "error by itself.",
        "Listed against the fit: 1 missing (people there, none here), 1 with too many people.",
        "Of combinations with under 1 expected by the fit, 3 of 20 are missing (a perfect sample: 0).",
        "Of combinations with 2 to 4 expected by the fit, 2 of 30 are missing (a perfect sample: 0).",
        "Of combinations with 10 to 49 expected by the fit, 1 of 40 are missing (a perfect sample: 0).",
    ]


@pytest.mark.parametrize(("wrong", "word"), [(2.7, "about as near as a perfect draw"), (3.0, "do not use it by zone")])
def test_worse_than_independence_but_within_noise_is_no_reason_not_to_use_it(made, wrong, word):
    """As the audit's verdict says of the same table: independence has no noise of drawing people."""
    table = pd.DataFrame(
        {"table": ["t"], "variables": ["age x sex"], "wrong_whole": [wrong], "wrong_independence": 1.0, "floor": 2.3}
    )
    claims = card_of_run(load(made, "run.json"), Checks({}, {"held_out": table}), None)["fidelity"].claims
    assert [word in c.text for c in claims] == [True]


def test_of_a_restricted_survey_no_small_group_is_named(made):
    run = load(made, "run.json") | {"licence": "restricted"}
    card = card_of_run(run, run_folder.read_checks(made), audit())
    page = "".join(card_texts(card, croissant=True, ddi=True).values())
    for told in ("Quillfeather", "Holland", "259 for"):
        assert told not in page.replace("259 for 1", "", page.count("small groups")), told
    assert "fewer than 10" in page
    assert "age = 6 and job = doctor" in page
    assert "only record ids" in page


def test_a_restricted_survey_lists_no_category_of_its_own(made):
    from synthpop_gb.card import describe

    aligned, _ = sp.pipeline.check(made.parents[1] / "study.toml")
    known = {v["name"]: v for v in describe(aligned)["variables"]}
    closed = describe(replace(aligned, survey=replace(aligned.survey, licence="restricted")))
    told = {v["name"]: v for v in closed["variables"]}
    assert known["tenure"]["categories"]
    assert told["tenure"]["categories"] == []
    assert told["tenure"]["n_categories"] == known["tenure"]["n_categories"]
    assert told["age"]["categories"] == known["age"]["categories"]  # those of the published table


def test_the_command_writes_it_anew_with_an_audit(made, tmp_path):
    run_folder.write_checks(audit(), made, under="audit")
    result = invoke("card", made, "--croissant", "--ddi")
    assert result.exit_code == 0, result.output
    assert "[not-stated]" in result.output
    assert result.output.count(str(made)) == 6
    assert "with figure and threshold" in (made / "datapackage.json").read_text(encoding="utf-8")
    assert "small groups" in (made / "README.md").read_text(encoding="utf-8")
    result = invoke("card", made, "--to", tmp_path / "elsewhere")
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in (tmp_path / "elsewhere").iterdir()) == [
        "README.md", "card.json", "datapackage.json", "ro-crate-metadata.json",
    ]  # fmt: skip
    for path in (made / "audit").iterdir():
        path.unlink()
    (made / "audit").rmdir()
    assert invoke("card", made).exit_code == 0
    assert "small groups" not in (made / "README.md").read_text(encoding="utf-8")
    check_ddi((made / "ddi.xml").read_text(encoding="utf-8"))  # was there, so it was written anew


def test_the_command_refuses_other_folders(tmp_path):
    result = invoke("card", tmp_path)
    assert result.exit_code == 1
    assert "[missing-file]" in result.output
    (tmp_path / ".unfinished").write_text("")
    result = invoke("card", tmp_path)
    assert (result.exit_code, "not finished" in result.output) == (1, True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pair.json").write_text("no json")
    assert "[unreadable-file]" in invoke("card", tmp_path / "run").output


def test_saved_from_python_it_has_a_card_too(tmp_path):
    folder = run_folder.save(solve(small_problem(), seed=1), tmp_path / "mine", licence="open")
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# Synthetic population\n")
    assert "Made in Python, not from a study file" in page
    jsonschema.validate(load(folder, "datapackage.json"), PACKAGE)
    assert load(folder, "card.json")["kind"] == "population"


def pair(n=60):
    rng = np.random.default_rng(1)
    job = pd.Categorical([*rng.choice(["clerk", "nurse"], n - 1), "<script>"], ["clerk", "nurse", "<script>"])
    real = pd.DataFrame({"age": rng.integers(16, 90, n).astype(float), "job": job})
    return Pair(
        real, real.sample(frac=1, random_state=1).reset_index(drop=True),
        (PairVariable("age", "number"), PairVariable("job", "category")), keys=("age",), target="job",
        real_name="survey", synthetic_name="made.csv",
    )  # fmt: skip


@pytest.mark.parametrize("licence", ["open", "restricted"])
def test_a_pair_has_a_card_of_what_is_known(tmp_path, licence):
    card, written = sp.pipeline.write_pair_card(
        pair(), audit(), tmp_path, card={"creator": "Ann", "licence": "mit"}, licence=licence, ddi=True, croissant=True
    )
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# Synthetic data: made.csv\n")
    assert "60 synthetic records of 2 variables, compared with 60 real records (survey)" in page
    assert "does not follow from the files" in page
    for name in ("README.md", "card.json", "ddi.xml", "croissant.json", "datapackage.json", "ro-crate-metadata.json"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert ("Quillfeather" in text) == (licence == "open" and name in ("README.md", "card.json", "ddi.xml")), name
    assert ("<script>" in (tmp_path / "pair.json").read_text(encoding="utf-8")) == (licence == "open")  # one record has it
    assert "script" not in Tags(rendered(page)).tags
    check_ddi((tmp_path / "ddi.xml").read_text(encoding="utf-8"))
    jsonschema.validate(load(tmp_path, "datapackage.json"), PACKAGE)
    assert len(written) == 6
    files = contents(tmp_path)
    for claim in card.claims:
        for name, source in claim.source.items():
            assert look_up(source, files) == claim.value[name]
    again = invoke("card", tmp_path)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page


def test_what_was_only_audited_is_not_said_to_be_made_here(tmp_path):
    sp.pipeline.write_pair_card(pair(), audit(), tmp_path, card={"creator": "Ann"}, ddi=True, croissant=True)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "**Made by:** Ann  \n**Audited with:** synthpop\\_gb" in page
    for path in tmp_path.glob("*.*"):
        assert not re.search(r"made with synthpop|Ann, with synthpop", path.read_text(encoding="utf-8"), re.I), path.name
    cited = load(tmp_path, "datapackage.json")["citation"]
    assert cited.startswith("Ann. Synthetic data: made.csv. Audited with synthpop_gb")
    study = ET.fromstring((tmp_path / "ddi.xml").read_text(encoding="utf-8")).find("{*}stdyDscr")
    assert study.find(".//{*}software") is None
    assert study.find(".//{*}prodDate") is None
    graph = {e["@id"]: e for e in load(tmp_path, "ro-crate-metadata.json")["@graph"]}
    assert "#run" not in graph
    assert graph["#audit"]["name"].startswith("Audit of")
    assert {e["@id"].split("/")[0] for e in graph["#audit"]["result"]} == {"audit"}
    assert "dateCreated" not in graph["./"]


def test_a_restricted_pair_names_no_range_of_numbers_and_nothing_weighted(tmp_path):
    wide = audit()
    wide.tables["scan_cells"].loc[3, "cell"] = "job = clerk and age = 17 to 89"  # ends that two records gave
    wide.tables["scan_cells"].loc[1, "cell"] = "job = nurse"
    heavy = replace(pair(), weight=np.full(60, 50.0))
    for name, given_pair, shown in (("plain", pair(), True), ("heavy", heavy, False)):
        sp.pipeline.write_pair_card(given_pair, wide, tmp_path / name)
        page = (tmp_path / name / "README.md").read_text(encoding="utf-8")
        assert "17 to 89" not in page
        assert ("job = nurse" in page) == shown
        assert "not declared open" in page
    sp.pipeline.write_pair_card(heavy, wide, tmp_path / "open", licence="open")
    assert "17 to 89" in (tmp_path / "open" / "README.md").read_text(encoding="utf-8")


def test_a_pair_of_nothing_still_has_a_card(tmp_path):
    empty = pair()
    empty = replace(empty, real=empty.real.iloc[:0], synthetic=empty.synthetic.iloc[:0])
    card, _ = sp.pipeline.write_pair_card(empty, None, tmp_path)
    assert "None of the 0 records was audited." in [c.text for c in card.claims]
    assert {f.code for f in card.findings} == {"not-stated"}


def test_a_makers_statements_are_checked(tmp_path):
    with pytest.raises(InputError) as error:
        sp.pipeline.write_pair_card(pair(), None, tmp_path / "a", card={"url": "javascript:alert(1)", "colour": "red"})
    assert sorted(f.code for f in error.value.findings) == ["study-key", "study-value"]
    assert not (tmp_path / "a").exists()
