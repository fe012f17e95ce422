"""Published British magnitudes that the demo counties imitate: rounded shares by age and sex, and where they come from.

Margins are tables here; associations are loadings and shifts in the modules that use them. Sources: Census 2021 topic
summaries of England and Wales (TS002, TS003, TS017, TS021, TS037, TS045, TS054, TS066, TS067), age profiles from the
2011 Census microdata teaching file moved to the 2021 totals, both ONS, Open Government Licence; other sources by name.
No record of any person is used: every figure is a share of millions.
"""

from __future__ import annotations

import numpy as np

# Household composition of households whose reference person is white, per cent (TS003; order: CATEGORIES["composition"]).
# Students sharing are set by each zone's student intensity instead.
COMPOSITION = np.array([13.8, 17.2, 8.5, 17.6, 19.2, 6.9, 6.1, 4.5, 2.3, 3.5, 0.12])

# Change of the log share of each composition with a zone's age (one county sd older), urbanity and deprivation; and for
# reference persons who are mixed, asian, black, other. Ethnic shifts imitate Census 2011: few pensioner households,
# many lone parents among black households, several generations among Asian ones.
COMPOSITION_OLD = np.array([0.32, -0.15, 0.50, 0.06, -0.36, -0.06, -0.34, 0.0, -0.15, -0.25, -0.4])
COMPOSITION_URBAN = np.array([0.0, 0.26, -0.16, -0.02, -0.10, -0.08, 0.06, 0.0, 0.08, 0.30, 0.4])
COMPOSITION_DEPRIVED = np.array([0.14, 0.22, -0.20, -0.14, -0.08, -0.10, 0.46, 0.20, 0.14, 0.08, 0.0])
COMPOSITION_ETHNIC = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-1.3, 0.25, -1.8, -0.2, 0.05, -0.4, 0.75, 0.0, 0.3, 0.4, 0.5],
        [-1.6, -0.55, -1.3, -0.3, 0.65, 0.1, -0.35, -0.1, 1.4, 0.6, 0.6],
        [-1.1, 0.15, -1.7, -0.7, 0.05, -0.3, 0.95, 0.5, 0.7, 0.5, 0.4],
        [-1.4, -0.05, -1.6, -0.2, 0.35, -0.2, 0.15, -0.1, 0.7, 0.7, 0.6],
    ]
)

# Number of children (1, 2, 3, 4) and of other adults, per cent, by composition (TS003, TS017).
CHILDREN = {4: (38, 45, 13, 4), 5: (69, 26, 5), 6: (54, 31, 11, 4), 7: (83, 15, 2), 8: (45, 33, 15, 7)}
OTHERS = {8: (62, 27, 11), 9: (76, 16, 6, 2), 10: (18, 22, 26, 19, 10, 5)}

# Age profile of general health (very good, good, fair, bad, very bad), per cent, by published age band. TS037 totals:
# 48.4, 33.6, 12.7, 4.1, 1.2.
HEALTH = np.array(
    [
        [81.5, 16.0, 1.8, 0.5, 0.2],
        [66.0, 28.0, 4.9, 0.9, 0.2],
        [57.5, 34.0, 6.5, 1.6, 0.4],
        [49.0, 38.5, 9.0, 2.7, 0.8],
        [40.5, 40.0, 13.5, 4.5, 1.5],
        [31.0, 41.5, 18.5, 6.8, 2.2],
        [22.0, 44.0, 25.0, 7.0, 2.0],
        [11.0, 37.5, 36.5, 12.0, 3.0],
    ]
)

# Highest qualification, per cent, by age (16-17, 18-24, 25-34, 35-49, 50-64, 65-74, 75+); order: CATEGORIES["qualification"].
# TS067 totals: none 18.2, other 2.8, level 1 9.6, level 2 13.4, apprenticeship 5.3, level 3 16.9, level 4 or above 33.8.
QUALIFICATION_AGES = (16, 18, 25, 35, 50, 65, 75)
QUALIFICATION = np.array(
    [
        [28.0, 1.0, 22.0, 45.0, 1.0, 3.0, 0.0],
        [8.0, 1.5, 7.0, 14.0, 5.0, 41.5, 23.0],
        [8.0, 2.5, 8.0, 12.0, 4.5, 17.0, 48.0],
        [10.5, 3.5, 9.5, 13.0, 4.5, 14.5, 44.5],
        [17.0, 3.0, 12.0, 15.5, 5.0, 14.0, 33.5],
        [28.0, 2.7, 9.5, 13.5, 9.0, 12.0, 25.3],
        [47.0, 3.0, 6.0, 9.0, 8.5, 8.5, 18.0],
    ]
)

# Economic activity, per cent, by age (16-17, 18-20, 21-24, 25-34, 35-44, 45-54, 55-59, 60-64, 65-74, 75+), women then men;
# order: CATEGORIES["economic_activity"]. TS066 totals: in work 57, unemployed 3, retired 22, student 8, home 5, sick 4, other 3.
ACTIVITY_AGES = (16, 18, 21, 25, 35, 45, 55, 60, 65, 75)
ACTIVITY = np.array(
    [
        [
            [6.0, 0.2, 2.0, 89.0, 0.01, 0.4, 0.4, 2.0],
            [34.0, 0.8, 5.0, 52.0, 0.01, 2.2, 1.0, 5.0],
            [60.0, 3.0, 5.0, 18.5, 0.01, 6.0, 2.5, 5.0],
            [70.0, 6.0, 3.5, 4.0, 0.1, 10.0, 3.4, 3.0],
            [68.5, 9.5, 3.0, 1.8, 0.1, 10.0, 4.6, 2.5],
            [68.5, 9.5, 2.6, 0.6, 1.5, 7.0, 7.6, 2.7],
            [57.5, 8.5, 2.3, 0.2, 11.5, 7.0, 9.8, 3.2],
            [39.0, 7.0, 1.6, 0.1, 33.0, 6.0, 9.8, 3.5],
            [9.5, 3.0, 0.3, 0.1, 82.5, 1.6, 1.6, 1.4],
            [1.0, 0.6, 0.05, 0.05, 95.8, 0.7, 0.8, 1.0],
        ],
        [
            [6.0, 0.5, 2.5, 88.0, 0.01, 0.2, 0.5, 2.3],
            [33.0, 2.0, 7.0, 51.0, 0.01, 0.2, 1.3, 5.5],
            [60.0, 6.0, 8.0, 18.0, 0.01, 0.4, 2.6, 5.0],
            [72.0, 12.5, 4.5, 3.2, 0.1, 1.0, 3.7, 3.0],
            [70.0, 17.0, 3.5, 1.0, 0.1, 1.4, 4.5, 2.5],
            [66.5, 18.0, 3.5, 0.3, 1.2, 1.2, 6.8, 2.5],
            [58.0, 18.0, 3.5, 0.1, 8.0, 0.8, 8.8, 2.8],
            [43.0, 15.5, 2.8, 0.1, 25.0, 0.6, 9.8, 3.2],
            [11.5, 7.5, 0.4, 0.1, 77.5, 0.2, 1.6, 1.2],
            [1.8, 1.9, 0.05, 0.05, 95.0, 0.1, 0.5, 0.6],
        ],
    ]
)

# Legal status of adults who live without a partner (never married, separated, divorced, widowed), per cent, by published age
# band from 16-24 on, women then men (2011 teaching file; TS002 totals: never 37.9, married 44.7, separated 2.2, divorced 9.1,
# widowed 6.1).
UNPARTNERED = np.array(
    [
        [[98.5, 0.8, 0.6, 0.1], [88.0, 5.5, 6.0, 0.5], [63.0, 9.5, 26.0, 1.5], [42.0, 9.0, 44.5, 4.5],
         [26.0, 6.5, 52.0, 15.5], [13.5, 3.0, 39.0, 44.5], [6.0, 1.0, 12.0, 81.0]],
        [[99.2, 0.3, 0.4, 0.1], [94.0, 2.8, 3.0, 0.2], [76.0, 7.0, 16.5, 0.5], [55.0, 8.5, 35.0, 1.5],
         [42.0, 7.0, 45.0, 6.0], [29.0, 5.0, 42.0, 24.0], [14.0, 2.5, 17.5, 66.0]],
    ]
)  # fmt: skip
# The same of those who cohabit, and the share of couples that are married, by age of the reference person (TS010 rounded).
COHABITING = np.array(
    [[99.0, 0.5, 0.5, 0.0], [96.0, 1.5, 2.5, 0.0], [83.0, 4.0, 12.8, 0.2], [58.0, 5.0, 35.5, 1.5],
     [42.0, 5.0, 47.0, 6.0], [30.0, 4.0, 46.0, 20.0], [25.0, 3.0, 32.0, 40.0]]
)  # fmt: skip
MARRIED = np.array([0.15, 0.49, 0.72, 0.80, 0.87, 0.93, 0.96])

# Tenure by age of the reference person (under 25, 25-34, 35-44, 45-54, 55-64, 65 and over), per cent (English Housing Survey
# 2021-22 rounded; TS054 totals: outright 32.8, mortgage and shared 29.7, social 17.1, private 20.4).
TENURE_AGES = (0, 25, 35, 45, 55, 65)
TENURE = np.array(
    [[3, 13, 18, 66], [5, 39, 15, 41], [9, 52, 15, 24], [22, 46, 16, 16], [46, 24, 16, 14], [75, 5, 14, 6]], dtype=float
)

# Cars or vans by number of adults (1, 2, 3 or more), per cent (TS045 totals: 23.3, 41.3, 26.2, 9.2; RM008 rounded).
CARS = np.array([[39.0, 54.0, 6.0, 1.0], [9.5, 42.0, 41.0, 7.5], [9.0, 24.0, 32.0, 35.0]])

# Accommodation, per cent (TS044 with caravans among flats: 23.2, 31.5, 23.2, 22.1).
ACCOMMODATION = np.array([18.5, 37.0, 24.0, 22.0])

# Smokers aged 16 and over by published age band from 16-24 on (Annual Population Survey 2021: 13 % of adults in Great Britain,
# highest at 25-34, lowest from 65).
SMOKERS = np.array([0.12, 0.165, 0.15, 0.15, 0.15, 0.095, 0.055])

# Annual income before tax, pounds of 2021/22: medians by economic activity and the sd of their logarithm. Pay: Annual Survey of
# Hours and Earnings 2021, all employees £25,971; self-employed: Survey of Personal Incomes; the others from the benefit and
# pension rates of that year (new state pension £9,339) with private pensions on top.
INCOME_MEDIAN = np.array([26_000.0, 17_000.0, 5_000.0, 4_500.0, 16_000.0, 4_500.0, 9_500.0, 6_000.0])
INCOME_SPREAD = np.array([0.66, 0.95, 0.45, 0.60, 0.58, 0.60, 0.35, 0.70])

POVERTY_LINE = 19_400.0
"""60 % of the median equivalised net household income, pounds a year (ONS, financial year ending 2022: median £32,349)."""
