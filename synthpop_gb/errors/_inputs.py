"""Codes about inputs: study files, tables, surveys, and what these have to do with each other."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["INPUTS"]

INPUTS: dict[str, Meaning] = {
    # study file
    "study-syntax": Meaning("error", "The study file is not valid TOML, so nothing in it can be used.", "Mend the line named."),
    "study-key": Meaning("error", "An unknown key would be ignored in silence.", "Use the nearest known key, or delete it."),
    "study-value": Meaning("error", "The value cannot be used as it stands.", "Give a value of the kind named."),
    "study-missing": Meaning("error", "The study cannot be run without it.", "Add the key."),
    "study-reference": Meaning("error", "A name points at nothing in this study.", "Use one of the names defined."),
    "study-environment": Meaning(
        "error", "A path uses an environment variable that is not set.", "Set the variable, or write the path out."
    ),
    # files
    "missing-file": Meaning("error", "The file cannot be read.", "Check the path; paths are relative to the study file."),
    "unreadable-file": Meaning(
        "error", "The file is not what its name or format says.", "Open it in a text editor; download it again."
    ),
    "unknown-layout": Meaning(
        "error",
        "Columns cannot be told apart from zone codes and categories.",
        "Name the zone column and the categories in the study.",
    ),
    "truncated-file": Meaning("error", "A download that was cut leaves zones out without a word.", "Download it in parts."),
    "encoding": Meaning("warning", "Characters may be garbled.", "Save the file as UTF-8."),
    "ragged-rows": Meaning(
        "warning",
        "Rows that do not fit the header were left out, and their zones with them.",
        "Put labels that hold the delimiter in quotes, or download the file again.",
    ),
    # tables
    "marked-cells": Meaning(
        "note", "A suppressed count is not a nought.", "Nothing here: zones of the study with such cells are refused by name."
    ),
    "does-not-apply": Meaning(
        "note",
        "These people were not asked, so they are outside the table's universe.",
        "Nothing, if the universe named says so.",
    ),
    "rows-without-zone": Meaning("note", "Footnotes and sums over areas are no zones.", "Nothing, if that is what they are."),
    "remainder": Meaning(
        "note",
        "People of the published total whom no cell counts belong somewhere.",
        "Nothing, if the category named is who is missing.",
    ),
    "not-counts": Meaning("warning", "Rates and densities cannot be fitted as counts.", "Use a table of counts."),
    "mixed-levels": Meaning(
        "warning",
        "Rows of large areas repeat the people of the small ones in them.",
        "Nothing, if the study names its zones; else keep the rows of one level.",
    ),
    "repeated-rows": Meaning(
        "warning",
        "Rows that stand twice with the same numbers were used once.",
        "Nothing; several pages of one download may overlap.",
    ),
    "year-unlike-zones": Meaning(
        "warning", "Zone codes tell another year than the table.", "Check the year, or give it with `year`."
    ),
    "not-nested": Meaning(
        "warning",
        "A zone can be given one area of each level; the others lack its people.",
        "Use a lookup in which zones nest.",
    ),
    # zones of other geographies
    "ambiguous-zone": Meaning(
        "error",
        "It cannot be told which of their people live where.",
        "Name a column of weights (households, people) that divides them with --weight, or give each to the area with most of it "
        "with --best-fit.",
    ),
    "divided-zone": Meaning(
        "note",
        "Whole people or households were dealt out, in proportion to the lookup's weights and without bias.",
        "Nothing; which of them live where is chance.",
    ),
    "zone-without-area": Meaning(
        "warning", "Their people are counted in no area.", "Use a lookup of the zones' year that covers all of them."
    ),
    "partly-covered": Meaning(
        "warning",
        "What is counted there is a part of the area's people.",
        "Leave these areas out, or make a population of all their zones.",
    ),
    "joined-tables": Meaning(
        "note",
        "Nations publish in categories of their own; what all of them tell apart was kept.",
        "Nothing; each part keeps its own perturbation.",
    ),
    "unlike-universes": Meaning(
        "error",
        "Tables that count other people in each nation are no one constraint.",
        "Name tables of the same people for every nation of the study.",
    ),
    "one-sided-category": Meaning(
        "warning",
        "Where a table does not know the category, its people are counted elsewhere, or there are none.",
        "Merge it with its neighbour (recode), if people like them live on both sides.",
    ),
    "missing-boundary": Meaning(
        "warning", "Zones without a polygon are left off the maps.", "Use boundaries of the same year as the zones."
    ),
    "boundaries-vintage": Meaning(
        "warning",
        "Polygons of another year or level leave zones off the maps, or draw them where they are not.",
        "Use boundaries of the zones' own year and level, and name their column of codes.",
    ),
    "boundaries-detail": Meaning(
        "note",
        "Polygons in full detail make maps slow and files large; beside generalised ones they leave slivers along the border.",
        "Take generalised boundaries (BSC or BGC) of all nations.",
    ),
    "not-a-random-draw": Meaning(
        "note",
        "The records do not show the country's shares by themselves.",
        "Nothing for reweighting; for national estimates use only the random part.",
    ),
    "not-a-number": Meaning(
        "error", "A count that is not a number cannot be fitted.", "Replace suppressed or marked cells, or leave the zone out."
    ),
    "negative-count": Meaning("error", "Nobody can be counted less than nought times.", "Correct the cells."),
    "fractional-count": Meaning(
        "warning",
        "Published counts of people are whole; fractions hint at rates or estimates.",
        "Check that the table holds counts, not percentages.",
    ),
    "missing-count": Meaning("error", "A blank cell is not a nought.", "Fill the cells, or leave the zones out."),
    "duplicate-zone": Meaning(
        "error", "A zone listed twice is counted twice or at random.", "Keep one row a zone; several areas a zone need a lookup."
    ),
    "missing-zone": Meaning(
        "error", "A zone without targets cannot be populated.", "Supply the rows, or leave the zones out of the study."
    ),
    "unknown-zone": Meaning(
        "warning", "Rows of zones outside the study are left out.", "Nothing, if the table covers a larger area."
    ),
    "zone-vintage": Meaning(
        "error",
        "Zone codes of another year name other areas, even where some codes look alike.",
        "Use tables and zones of one year, or a lookup between them.",
    ),
    "no-zones": Meaning("error", "The study area is empty.", "Check the parent's name and the zone codes."),
    "empty-zone": Meaning("warning", "A zone without people stays empty.", "Nothing, if the zone is known to be empty."),
    "total-mismatch": Meaning(
        "warning",
        "Tables of one universe must agree on its size before both can be met.",
        "Nothing: both are settled on one total and the change is reported. Name the table to trust with `total_from`.",
    ),
    "level-mismatch": Meaning(
        "warning",
        "An area's table must agree with those of its zones before people can meet both.",
        "Nothing: the area's table was moved to what its zones add up to, and the change is reported.",
    ),
    "partial-area": Meaning(
        "warning",
        "The published count of an area says nothing of some of its zones alone, so it binds none of them.",
        "Take all of the area's zones into the study, if its table should count.",
    ),
    "no-parent": Meaning(
        "warning",
        "Tables of a level cannot bind a zone that lies in none of its areas.",
        "Complete the lookup, or nothing if the zone lies in none.",
    ),
    "added-up": Meaning(
        "note", "A table of zones says as much about the areas that they make up.", "Nothing, if the level named is meant."
    ),
    "nested-subtotal": Meaning(
        "note", "A subtotal beside its parts would count people twice.", "Nothing: only the finest cells were used."
    ),
    "incomplete-cells": Meaning(
        "warning",
        "The cells do not add up to the published total, so somebody is missing from the table.",
        "Name the category that takes the rest with `remainder`.",
    ),
    "perturbed": Meaning(
        "note",
        "The publisher changed small counts to protect people, so tables disagree a little.",
        "Nothing: judge the fit above the floor.",
    ),
    "coarse-join": Meaning(
        "warning",
        "Survey and table share only coarser categories than either has.",
        "Use a table with finer categories, or accept the merged ones.",
    ),
    "one-category": Meaning(
        "error",
        "Survey and table share no way of dividing this variable, so the constraint says nothing.",
        "Choose another table, or give a recode.",
    ),
    # survey
    "unmapped-code": Meaning(
        "error",
        "Records with this code belong to no category and would drop out.",
        "Add the code to the recode, or list it as missing.",
    ),
    "missing-value": Meaning(
        "warning",
        "Records without a value cannot fill any cell and were left out.",
        "Impute them beforehand, or accept the smaller survey.",
    ),
    "missing-weight": Meaning(
        "error", "A record without a design weight stands for nobody knows how many.", "Correct the weight column."
    ),
    "zero-weight": Meaning(
        "warning", "Records of weight zero are not in the sample and were left out.", "Nothing, if the survey means it so."
    ),
    "negative-weight": Meaning("error", "A record cannot stand for fewer than no people.", "Correct the weight column."),
    "no-weight": Meaning(
        "note", "Without design weights every record counts alike.", "Name the weight column, if the survey has one."
    ),
    "lone-cluster": Meaning(
        "warning",
        "One cluster says nothing of its stratum's variance: it is in every replicate once, and uncertainty is understated.",
        "Merge such strata with their neighbours in the survey's file.",
    ),
    "duplicate-record": Meaning("error", "Two records of one id cannot be told apart in the output.", "Make the ids unique."),
    "duplicate-household": Meaning(
        "error", "Two households of one id cannot be told apart, nor whose members are whose.", "Make the ids unique."
    ),
    "unmatched-household": Meaning(
        "warning",
        "A household without members, or members without a household, cannot be placed and is left out.",
        "Nothing, if they are not part of the sample; else correct the ids.",
    ),
    "column-clash": Meaning(
        "warning",
        "One name for two things: the records' own column keeps it.",
        "Use the new name where the household's column is meant.",
    ),
    "uneven-household": Meaning(
        "warning",
        "What describes a household must be the same on all its members.",
        "Correct the records; until then the first member's value counts.",
    ),
    "incomplete-household": Meaning(
        "warning",
        "Households are placed with the members that the survey holds: other numbers of people than their sizes say.",
        "Use the survey's file of all household members, children and people who did not answer included. Where members "
        "are more than the size: see that an id stands for one household only, not for one in each wave, region or file.",
    ),
    "lost-household": Meaning(
        "warning",
        "Nobody is split from a household: one member who cannot be used takes the whole household out.",
        "Impute the values that lack most, or leave out the table that needs them.",
    ),
    "derived-variable": Meaning(
        "note", "The survey does not say it, but what it says is enough to tell.", "Nothing, if the survey holds every member."
    ),
    "missing-column": Meaning(
        "error", "A column that was named is not in the file, or cannot be used as it is.", "Correct the name, or the column."
    ),
    "unknown-variable": Meaning(
        "error", "No codebook describes this variable for this source.", "Describe it in the study: column and categories."
    ),
    "vintage-mismatch": Meaning(
        "warning",
        "Survey and tables describe different years; the joint structure is the survey's.",
        "Use a survey of the tables' year where one is to be had.",
    ),
    "no-records": Meaning("error", "Of nobody nothing can be learnt.", "Check the file and the filters that were set."),
    "few-records": Meaning(
        "warning", "A small survey repeats its records very often.", "Use a larger survey, or fewer constraints."
    ),
    "bad-distribution": Meaning(
        "error",
        "People cannot be spread over bins that are none, or by shares that are none.",
        "Give increasing edges and one share a bin that add up to 1, for every zone.",
    ),
    "unheeded": Meaning(
        "warning", "The method knows nothing of it, so it changes nobody.", 'Use a method that chooses whole records: "anneal".'
    ),
    # survey against tables
    "empty-cell": Meaning(
        "error",
        "People are wanted that no record can stand for.",
        "Merge the category with a neighbour (recode), or supply more records.",
    ),
    "thin-donors": Meaning(
        "warning", "Many people are copies of very few records.", "Merge the category, or supply more records."
    ),
    "narrow-universe": Meaning(
        "error", "The survey does not cover all the people the table counts.", "Ask for a table of the survey's universe."
    ),
    "universe-unknown": Meaning(
        "error", "It cannot be told which records the table counts.", "Name the universe of the table in the study."
    ),
    "universe-split": Meaning(
        "error",
        "A survey category lies partly inside and partly outside the table's universe.",
        "Use a survey or table with a matching boundary.",
    ),
    "mixed-universe": Meaning(
        "error",
        "Tables of persons and of households cannot be fitted together on persons.",
        "Keep to tables of one unit, or name the survey's column of household ids, where it holds whole households.",
    ),
    "people-mismatch": Meaning(
        "warning",
        "Households and people of such a zone cannot both be met: there are not as many people in such households.",
        "Use person tables of residents in households, check the sizes of the survey's households, else see which table misses.",
    ),
    "structural-clash": Meaning(
        "warning",
        "The tables ask for combinations that no record has, so the zone cannot be fitted exactly.",
        "Merge a category of one of the two tables, or supply more records.",
    ),
    # start weights and donors
    "excluded": Meaning(
        "note", "The study leaves these records out, so nobody is a copy of them.", "Nothing, if they were meant."
    ),
    "start-region": Meaning(
        "error",
        "Donors of a zone's own region cannot be favoured where nobody says who is from where.",
        "Name the survey's column (survey.region) and the zones' (start.region, or a column `region` of the lookup).",
    ),
    "start-training": Meaning(
        "error",
        "A joint can only be learnt where it is published, for areas with the study's own constraints.",
        "Give tables that cover other zones, or name a level of the study that the table is published for.",
    ),
    "start-leak": Meaning(
        "error", "What is learnt from the zones themselves is no prediction.", "Learn from zones outside the study area."
    ),
    "too-few-copies": Meaning(
        "warning", "No weights meet these targets under the limit on copies.", "Raise `max_copies`, or merge the category."
    ),
}
