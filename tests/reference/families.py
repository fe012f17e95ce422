"""Benefit units, one household and one person at a time."""


def families(household, age, role=None, student=None):
    """Unit, spouse and dependency of each person; people are given in the order in which ties are decided."""
    unit, spouse, child, n = {}, {}, {}, 0
    for home in sorted(set(household)):
        members = [i for i, h in enumerate(household) if h == home]

        def told(i):
            return "" if role is None else role[i]

        def years(i, head):
            return abs(age[i] - age[head])

        head = min(members, key=lambda i: (told(i) != "reference", told(i) in ("child", "partner"), -age[i]))
        partner = None
        if age[head] >= 16:
            could = [i for i in members if i != head and age[i] >= 16]
            could = [i for i in could if (told(i) == "partner" if role is not None else years(i, head) <= 15)]
            partner = min(could, key=lambda i: -age[i], default=None)
        own = []
        for i in members:
            pupil = student is not None and student[i] and age[i] <= 18
            pupil = pupil and (told(i) == "child" if role is not None else years(i, head) >= 12)
            child[i] = i not in (head, partner) and (age[i] < 16 or pupil)
            spouse[i] = -1
            if i in (head, partner) or child[i]:
                unit[i] = n
            else:
                own.append(i)
        if partner is not None:
            spouse[head], spouse[partner] = partner, head
        n += 1
        for i in sorted(own, key=lambda i: -age[i]):
            unit[i], n = n, n + 1
    return [[d[i] for i in range(len(household))] for d in (unit, spouse, child)]
