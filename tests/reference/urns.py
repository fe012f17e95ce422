"""Quasirandom integer sampling from tables in plain Python: urns are lists of people, drawn one by one."""

from tests.reference.quasirandom import shifted_points


def qis(tables, n, state):
    """People as dicts of variable to category.

    tables : list of (variables, {categories: people}), in an order in which each shares variables with one earlier table at most.
    """
    urns = [
        [(dict(zip(names, cell, strict=True))) for cell, count in cells.items() for _ in range(count)] for names, cells in tables
    ]
    people = []
    for point in shifted_points(len(tables), n, state)[:n]:
        person = {}
        for urn, u in zip(urns, point, strict=True):
            possible = [i for i, other in enumerate(urn) if all(person.get(v, other[v]) == other[v] for v in other)]
            person |= urn.pop(possible[int(u * len(possible))])
        people.append(person)
    return people
