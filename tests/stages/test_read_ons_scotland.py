"""ONS custom datasets and Scotland's SuperWEB2 exports, small and written here."""
# ruff: noqa: E501 - rows of files stand as publishers write them

import sys

import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError


def custom(path, extra=()):
    rows = [
        (z, c, label, n)
        for z in ("E01000001", "E01000002")
        for c, label, n in (("-8", "Does not apply", 7), ("1", "Female", 5), ("2", "Male", 6))
    ]
    head = "Lower layer Super Output Areas Code,Lower layer Super Output Areas,Sex (2 categories) Code,Sex (2 categories),Observation"
    path.write_text("\n".join([head, *(f"{z},Name {z},{c},{label},{n}" for z, c, label, n in rows), *extra]) + "\n")
    return path


def test_custom_datasets_are_pivoted_and_minus_eight_left_out(tmp_path):
    table = read.table(custom(tmp_path / "sex.csv"))
    assert table.counts.to_numpy().tolist() == [[5, 6], [5, 6]]
    assert (table.variable_names, table.year, table.standard_error) == (("sex",), 2021, 0.5)
    assert [f.count for f in table.findings if f.code == "does-not-apply"] == [14]
    assert table.universe is None, "persons and households look alike in these files"


def test_custom_datasets_cross_several_variables(tmp_path):
    path = tmp_path / "age_sex.csv"
    head = "Output Areas Code,Output Areas,Age (2 categories) Code,Age (2 categories),Sex (2 categories) Code,Sex (2 categories),Observation"
    cells = [("1", "Aged 15 years and under"), ("2", "Aged 16 years and over")]
    rows = [f"E00000001,E00000001,{a},{x},{s},{y},{a}{s}" for a, x in cells for s, y in (("1", "Female"), ("2", "Male"))]
    path.write_text("\n".join([head, *rows]) + "\n")
    table = read.table(path, universe="usual residents")
    assert table.variable_names == ("age", "sex")
    assert table.counts.loc["E00000001"].to_dict() == {
        ("0-15", "female"): 11,
        ("0-15", "male"): 12,
        ("16+", "female"): 21,
        ("16+", "male"): 22,
    }


def test_withheld_areas_are_simply_not_there(tmp_path):
    table = read.table(custom(tmp_path / "sex.csv", ["E01000003,Name,1,Female,5"]))
    assert "E01000003" in table.counts.index
    assert table.counts.loc["E01000003"].isna().tolist() == [False, True], "half an area is a blank cell, not a nought"


SUPERWEB2 = """SuperWEB2(tm)

"Census 2022-Person-2Cv1"
"Scotland's Census 2022 - National Records of Scotland Table UV201 - Ethnic group  All people "
"Intermediate Zone - Data Zone 2011 by Ethnic Group by Individuals"
"Counting: Individuals"

Filters:
"Summation Options","Individuals"

"Ethnic Group","All People","White: Total","White: White Scottish","White: White Polish","Other White","African: Total","African: African, African Scottish or African British","African: Other African",
"Intermediate Zone - Data Zone 2011",
"S01006506",969,890,703,-,186,79,70,8,
"S01006507",758,711,597,13,101,47,-,47,


"INFO","Data has been perturbed"


"Crown copyright 2024 For further information on variables, see https://www.scotlandscensus.gov.uk/about/metadata-a-to-z/, and the rest"

(c) Copyright WingArc Australia 2018
"""


def test_superweb2_is_read_without_banner_and_footer_and_dashes_are_noughts(tmp_path):
    path = tmp_path / "table_2024-05-21.csv"
    path.write_text(SUPERWEB2)
    table = read.table(path)
    assert (table.name, table.variable_names, table.year, table.standard_error) == ("UV201", ("ethnic_group",), 2022, 1.1)
    assert table.counts.to_numpy().tolist() == [[703, 0, 186, 70, 8], [597, 13, 101, 0, 47]]
    assert table.universe.name == "usual residents"
    note = next(f for f in table.findings if f.code == "perturbed")
    assert "Cells add to the published total in 50% of zones" in note.message
    white = {c.label: c.atoms for c in table.variables[0].categories}
    assert white["Other White"] == {"roma", "any other white"}, "Polish has a column of its own here, Roma has none"


def test_long_superweb2_exports_are_pivoted(tmp_path):
    path = tmp_path / "uv303.csv"
    labels = [
        "All people",
        "Day-to-day activities limited a lot",
        "Day-to-day activities limited a little",
        "Day-to-day activities not limited",
    ]
    rows = [
        f'"Individuals","{z}","{x}",{n},'
        for z, base in (("S01006506", 10), ("S01006507", 20))
        for x, n in zip(labels, (base, 1, 2, base - 3), strict=True)
    ]
    path.write_text(
        'SuperWEB2(tm)\n\n"Scotland\'s Census 2022 - National Records of Scotland Table UV303 - Disability All people"\n"Counting: Individuals"\n\nFilters:\n\n'
        '"Counting","Intermediate Zone - Data Zone 2011","Disability","Count",\n'
        + "\n".join(rows)
        + '\n\n"INFO","Data has been perturbed"\n'
    )
    table = read.table(path)
    assert table.counts.to_numpy().tolist() == [[1, 2, 7], [1, 2, 17]]
    assert table.total.tolist() == [10, 20]


def test_unknown_scottish_tables_are_read_as_far_as_they_speak(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(SUPERWEB2.replace("UV201", "UV999").replace("Ethnic Group", "Cake").replace("White: ", "Cake: "))
    table = read.table(path)
    assert table.name == "UV999"
    assert table.variable_names == ("cake",)


def workbook(path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    rows = [(None,) * 5, ("Individual2022ReadOnly",), ("Scotland's Census 2022 - National Records of Scotland\nTable UV303 - Disability\nAll people",),
            ("Counting: Individuals",), (None,), ("Filters:",), ("Default Summation", "Individuals"), (None,),
            ("Disability", None, "All people", "Day-to-day activities limited a lot", "Day-to-day activities not limited"),
            (None, "Intermediate Zone - Data Zone 2011"), (None, "S01006506", 969.0, 63.0, 906.0), (None, "S01006507", 758.0, 59.0, 699.0),
            (None,), ("INFO", "Cells in this table have been randomly adjusted"), ("(c) WingArc Australia 2018",)]  # fmt: skip
    for row in rows:
        sheet.append(row)
    book.create_sheet("template_rse")
    book.save(path)
    return path


def test_superweb2_workbooks_are_read(tmp_path):
    table = read.table(workbook(tmp_path / "UV303.xlsx"))
    assert table.counts.to_numpy().tolist() == [[63, 906], [59, 699]]
    assert table.total.tolist() == [969, 758]


def test_without_openpyxl_the_extra_is_named(tmp_path, monkeypatch):
    path = workbook(tmp_path / "UV303.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"synthpop_gb\[excel\]") as error:
        read.table(path)
    assert [f.code for f in error.value.findings] == ["missing-extra"]
