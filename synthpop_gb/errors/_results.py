"""Codes about results: pairs, populations compared, fit, validation, audit, release, output."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["RESULTS"]

RESULTS: dict[str, Meaning] = {
    # pairs of real and synthetic records
    "empty-side": Meaning("error", "Nothing can be compared with nothing.", "Check that the right file was named."),
    "few-rows": Meaning("warning", "Most comparisons say little of so few records.", "Compare more records."),
    "no-common-columns": Meaning(
        "error", "Only variables that both files have can be compared.", "Rename the columns of one file as in the other."
    ),
    "columns-differ": Meaning(
        "warning", "What only one file has is not audited.", "Rename the columns, or leave them out of both files."
    ),
    "duplicate-column": Meaning("error", "It cannot be told which of them is meant.", "Rename or drop one of them."),
    "types-differ": Meaning(
        "warning", "Values that are no numbers count as missing.", "Write numbers as numbers, or call the column a category."
    ),
    "all-missing": Meaning("warning", "A variable without values is lost, not synthesised.", "Check how the file was written."),
    "no-common-values": Meaning(
        "warning",
        "A variable coded otherwise on the two sides cannot be compared, and would hide records that are copies.",
        "Write it with the same codes or labels in both files.",
    ),
    "zone-totals-differ": Meaning(
        "warning",
        "A file that was cut, or made from other totals, looks like other people.",
        "Check that both files are whole and count the same people.",
    ),
    "noise-by-formula": Meaning(
        "warning",
        "Populations that meet the same tables differ by far less than that, so real differences are missed.",
        'Run one of them with `replicates = { number = 20, sources = ["whole"] }` and compare again.',
    ),
    "identifiers-copied": Meaning(
        "warning",
        "Names, addresses and ids of real people identify them, whatever else was made up.",
        "Drop the column from the synthetic file, or make its values up.",
    ),
    "holdout-overlaps": Meaning(
        "warning",
        "Records that were synthesised from are no control: with them every leak looks like general knowledge.",
        "Give records of people who were not synthesised from.",
    ),
    "looks-cloned": Meaning(
        "note",
        "Records that are copies cannot hold invented combinations, and expose the people copied.",
        "Say whether the records are copies (`cloned`), so that the audit reads them rightly.",
    ),
    # two columns, and two populations
    "lost-digits": Meaning(
        "error",
        "An id that was read as a number and written again may be another record's.",
        "Write the file again with ids as text or whole numbers.",
    ),
    "unknown-donor": Meaning(
        "warning",
        "People copied from records that the survey does not hold have no answers, and were left out.",
        "Use the edition of the survey that the population was made from.",
    ),
    "unused-donors": Meaning(
        "note", "Records that stand nowhere cannot be told from records that were left out by mistake.", "Nothing, if few."
    ),
    "other-universe": Meaning(
        "warning",
        "Counts of other people differ whatever the method, so only the people whom both count were compared.",
        "Nothing, if that is what was meant.",
    ),
    "populations-differ": Meaning(
        "warning",
        "What is concluded about these groups hangs on which of the two is used.",
        "Find out why before either is used for them: constraints, survey, method or vintage.",
    ),
    # fit
    "level-not-met": Meaning(
        "warning",
        "The zones of an area do not add up to what was published for it.",
        "See the tables named: do they count the same people as the zones' tables, in the same year?",
    ),
    "blocks-unused": Meaning(
        "warning",
        "Their zones are solved again, so that the run is what the study now says.",
        "Nothing. To go on with the earlier run, give the study back its seed, inputs and options.",
    ),
    "zone-not-fitted": Meaning(
        "warning",
        "These zones miss some targets: do not publish them as they stand.",
        "See the cells named; merge categories or check the tables there.",
    ),
    "no-eligible-donor": Meaning(
        "warning",
        "Every record has some attribute of which the tables give the zone nobody.",
        "Merge the categories named as empty, or supply more records.",
    ),
    # validation
    "recount-differs": Meaning(
        "error", "The people counted are not those that were solved: the files were changed or cut.", "Run the study again."
    ),
    "worse-than-independence": Meaning(
        "warning",
        "For this combination the population is no better than its margins.",
        "Do not use the combination by zone; fit the joint table, or one of a larger area.",
    ),
    # intersections
    "impossible-combination": Meaning("warning", "Nobody can be so.", "Mend the generator, or take these people out."),
    "invented-combination": Meaning(
        "warning",
        "So many people are what nobody in the reference is.",
        "Model the variables named together, or do not cross them.",
    ),
    "misweighted-group": Meaning(
        "warning",
        "What is computed for these groups is off by as much.",
        "Model the variables named together, or do not cross them.",
    ),
    "lost-group": Meaning(
        "warning", "Of people who exist nothing can be said.", "Merge the category, or say that it is not there."
    ),
    "few-behind": Meaning(
        "note",
        "A group that few records of a survey under licence are in is those records' answers.",
        "Nothing: who holds the survey can scan it from Python, where every group is named (`validation.audit_population`).",
    ),
    # disclosure and release
    "disclosure-risk": Meaning(
        "warning",
        "The synthetic data give away more than the limit stated.",
        "Coarsen or drop what is named, synthesise less closely, or release to fewer people.",
    ),
    "no-holdout": Meaning(
        "note",
        "Without people who were not synthesised from, a leak cannot be told from knowledge of people at large.",
        "Hold records back before synthesising, and give them as the holdout.",
    ),
    "no-keys": Meaning(
        "note", "What an intruder learns hangs on what he knows.", "Name the variables that somebody could know as keys."
    ),
    "nothing-to-measure": Meaning(
        "warning", "With no records, or no differences between them, there is nothing to give away.", "Look at the files named."
    ),
    "release-refused": Meaning(
        "error", "What would be released breaks the rule that was asked for.", "Change what is released, or choose another rule."
    ),
    # utility
    "utility-not-computed": Meaning(
        "warning",
        "What is not computed is not known to be right.",
        "See the reason; give more records, or leave the variable out.",
    ),
    "utility-partial": Meaning(
        "note", "What was not looked at may still be wrong.", "Raise the limit named to look at all of it."
    ),
    "test-records-seen": Meaning(
        "warning",
        "A model that has seen the answers is not tested by them.",
        "Synthesise from some of the real records, and test models on the others.",
    ),
    "utility-low": Meaning(
        "warning",
        "Analyses of these variables give other answers on the synthetic records than on the real ones.",
        "Do not use the synthetic records for it; improve how these variables are made together.",
    ),
    "utility-degenerate": Meaning(
        "warning",
        "A coefficient that the records do not determine cannot be compared.",
        "Merge rare categories, or leave the predictor out.",
    ),
    "rule-contradicted": Meaning("note", "The rule calls real people impossible.", "Correct the rule, or call them errors."),
    "not-looked-at": Meaning("note", "What is not looked at is not right on that account.", "Ask for it by name."),
    "not-applicable": Meaning("note", "A measure that cannot fail says nothing.", "Nothing: judge by the references that can."),
    "nothing-to-compare": Meaning("warning", "Without people no measure is defined.", "Check which files were read."),
    # output
    "output-exists": Meaning(
        "error", "What is finished is never overwritten in silence.", "Choose another folder, or pass --overwrite."
    ),
    "undescribed-columns": Meaning(
        "note",
        "Answers are written by their descriptions; a column without one goes only where it is named.",
        "Nothing, or name it.",
    ),
    "output-locked": Meaning("error", "Another program holds the file open.", "Close it there and run again."),
    "repeat-differs": Meaning(
        "warning",
        "The same study on the same files made other people, so another version was at work.",
        "Use the versions named in run.json to repeat the run to the last bit.",
    ),
    "input-changed": Meaning(
        "error",
        "An input is not the file that the run was made from, so the run cannot be repeated.",
        "Restore the file, or start a new run.",
    ),
    "licence": Meaning(
        "error",
        "The survey's licence forbids copying records into the output.",
        'Declare `licence = "open"` only where the licence says so.',
    ),
    "not-stated": Meaning(
        "note",
        "Who reads the card cannot tell whom to ask, or what the terms are.",
        "Say it in the study: [card], and `publisher`, `licence`, `year` of each input.",
    ),
    "bad-condition": Meaning(
        "error", "The condition cannot be understood.", "Write it as: health in ('bad', 'very bad') and age >= 65."
    ),
    "missing-extra": Meaning("error", "An optional package is not installed.", "Install the extra named."),
}
