"""Grades worked out by hand from NCI's wording, both sides of every boundary.

Source: CTCAE v5.0 (27 November 2017) and v6.0 with the errata of 20 January 2026
"""

import pytest

from tests.helpers.lab_reading import describe_outcome, exact_rows, grade_text, interval_rows

SHORT = {
    "APTT": "activated-partial-thromboplastin-time-prolonged",
    "LDH": "blood-lactate-dehydrogenase-increased",
    "ALT": "alanine-aminotransferase-increased",
    "AST": "aspartate-aminotransferase-increased",
    "ALP": "alkaline-phosphatase-increased",
    "GGT": "ggt-increased",
    "bilirubin": "blood-bilirubin-increased",
    "creatinine": "creatinine-increased",
    "lipase": "lipase-increased",
    "amylase": "serum-amylase-increased",
    "WBC": "white-blood-cell-decreased",
    "CD4": "cd4-lymphocytes-decreased",
    "ANC": "neutrophil-count-decreased",
    "lymphopenia": "lymphocyte-count-decreased",
    "platelets": "platelet-count-decreased",
}

# term, reading without its value, then value=grade; for CTCAE v5 and v6 alike
COMMON = """
anemia | hemoglobin _ g/dL; LLN 12.0 | 12.0=0 11.9=1 10.0=1 9.99=2 8.0=2 7.99=3 2.0=3
anemia | hemoglobin _ g/L; LLN 120 | 120=0 119=1 100=1 99.9=2 80=2 79.9=3
anemia | hemoglobin _ mmol/L; LLN 7.5 | 7.5=0 7.4=1 6.2=1 6.19=2 4.9=2 4.89=3
WBC | leukocytes _ 10*9/L; LLN 4.0 | 4.0=0 3.9=1 3.0=1 2.9=2 2.0=2 1.9=3 1.0=3 0.9=4
WBC | leukocytes _ /mm3; LLN 4000 | 3000=1 2999=2 2000=2 1999=3 1000=3 999=4
CD4 | cd4 _ /mm3; LLN 600 | 600=0 599=1 500=1 499=2 200=2 199=3 50=3 49=4
CD4 | cd4 _ 10*9/L; LLN 0.6 | 0.6=0 0.5=1 0.49=2 0.2=2 0.19=3 0.05=3 0.04=4
hypernatremia | sodium _ mmol/L; ULN 145 | 145=0 146=1 150=1 150.1=2 155=2 155.1=3 160=3 160.1=4
hyponatremia | sodium _ mmol/L; LLN 135; symptoms no | 135=0 134=1 130=1 129=2
hyponatremia | sodium _ mmol/L; LLN 135; symptoms no | 125=2 124=3 120=3 119=4
hyponatremia | sodium _ mmol/L; LLN 135; symptoms yes | 134=1 130=1 129=3 125=3 124=3 120=3 119=4
hyperkalemia | potassium _ mmol/L; ULN 5.0 | 5.0=0 5.1=1 5.5=1 5.6=2 6.0=2 6.1=3 7.0=3 7.1=4
hyperkalemia | potassium _ meq/L; ULN 5.0 | 5.0=0 5.1=1 5.5=1 5.6=2 6.0=2 6.1=3 7.0=3 7.1=4
hypokalemia | potassium _ mmol/L; LLN 3.5; symptoms no | 3.5=0 3.4=1 3.0=1 2.9=3 2.5=3 2.4=4
hypokalemia | potassium _ mmol/L; LLN 3.5; symptoms yes | 3.5=0 3.4=2 3.0=2 2.9=3 2.5=3 2.4=4
hypokalemia | potassium _ mmol/L; LLN 3.5; replaced yes | 3.5=0 3.4=2 3.0=2 2.9=3 2.5=3 2.4=4
hypokalemia | potassium _ mmol/L; LLN 3.5; symptoms no; replaced yes | 3.5=0 3.4=2 2.9=3
hypercalcemia | calcium-corrected _ mg/dL; ULN 10.5 | 10.5=0 10.6=1 11.5=1 11.6=2
hypercalcemia | calcium-corrected _ mg/dL; ULN 10.5 | 12.5=2 12.6=3 13.5=3 13.6=4
hypercalcemia | calcium-corrected _ mmol/L; ULN 2.6 | 2.6=0 2.7=1 2.9=1 2.91=2
hypercalcemia | calcium-corrected _ mmol/L; ULN 2.6 | 3.1=2 3.11=3 3.4=3 3.41=4
hypercalcemia | calcium-ionized _ mmol/L; ULN 1.3 | 1.3=0 1.31=1 1.5=1 1.51=2
hypercalcemia | calcium-ionized _ mmol/L; ULN 1.3 | 1.6=2 1.61=3 1.8=3 1.81=4
hypercalcemia | calcium-ionized _ mg/dL; ULN 5.3 | 5.3=0 5.31=1 6.0117=1 6.0118=2 6.4=2
hypercalcemia | calcium-ionized _ mg/dL; ULN 5.3 | 6.41248=2 6.4125=3 7.21404=3 7.2141=4
hypercalcemia | calcium-ionized _ mg/L; ULN 53 | 53=0 53.1=1 60.117=1 60.118=2
hypercalcemia | calcium _ mg/dL; ULN 10.5; albumin 4.0 g/dL | 10.5=0 11.5=1 11.6=2 13.5=3 13.6=4
hypercalcemia | calcium _ mg/dL; ULN 10.5; albumin 2.0 g/dL | 8.9=0 9.9=1 10.0=2 11.9=3 12.0=4
hypocalcemia | calcium-corrected _ mg/dL; LLN 8.5 | 8.5=0 8.4=1 8.0=1 7.9=2 7.0=2 6.9=3 6.0=3 5.9=4
hypocalcemia | calcium-corrected _ mmol/L; LLN 2.1 | 2.1=0 2.0=1 1.99=2 1.75=2 1.74=3 1.5=3 1.49=4
hypocalcemia | calcium-ionized _ mmol/L; LLN 1.1 | 1.1=0 1.0=1 0.99=2 0.9=2 0.89=3 0.8=3 0.79=4
hypocalcemia | calcium-ionized _ mg/dL; LLN 4.6 | 4.6=0 4.59=1 4.0078=1 4.0077=2 3.60702=2
hypocalcemia | calcium-ionized _ mg/dL; LLN 4.6 | 3.607=3 3.20624=3 3.2062=4
hypocalcemia | calcium _ mg/dL; LLN 8.5; albumin 2.0 g/dL | 6.9=0 6.8=1 6.4=1 6.3=2
hypocalcemia | calcium _ mg/dL; LLN 8.5; albumin 2.0 g/dL | 5.4=2 5.3=3 4.4=3 4.3=4
hypocalcemia | calcium _ mmol/L; LLN 2.1; albumin 20 g/L | 1.70=0 1.69=1 1.60=1 1.59=2
hypocalcemia | calcium _ mmol/L; LLN 2.1; albumin 20 g/L | 1.35=2 1.34=3 1.10=3 1.09=4
hypocalcemia | calcium _ mg/dL; LLN 8.5; albumin 20 g/L | 6.9=0 6.8=1
hypermagnesemia | magnesium _ mg/dL; ULN 2.4 | 2.4=0 2.5=1 3.0=1 3.1=3 8.0=3 8.1=4
hypermagnesemia | magnesium _ mmol/L; ULN 1.0 | 1.0=0 1.1=1 1.23=1 1.24=3 3.30=3 3.31=4
hypomagnesemia | magnesium _ mg/dL; LLN 1.7 | 1.7=0 1.6=1 1.2=1 1.1=2 0.9=2 0.8=3 0.7=3 0.6=4
hypomagnesemia | magnesium _ mmol/L; LLN 0.7 | 0.7=0 0.69=1 0.5=1 0.49=2 0.4=2 0.39=3 0.3=3 0.29=4
hypomagnesemia | magnesium _ meq/L; LLN 1.4 | 1.4=0 1.3=1 1.0=1 0.98=2 0.8=2 0.78=3 0.6=3 0.58=4
hypoglycemia | glucose _ mg/dL; LLN 70 | 70=0 69=1 55=1 54=2 40=2 39=3 30=3 29=4
hypoglycemia | glucose-fasting _ mmol/L; LLN 3.9 | 3.9=0 3.8=1 3.0=1 2.9=2 2.2=2 2.1=3 1.7=3 1.6=4
fever | temperature _ Cel | 37.9=0 38.0=1 39.0=1 39.05=2 39.1=2 40.0=2 40.1=3
fever | temperature _ Cel; for 24 h | 40.1=3
fever | temperature _ Cel; for 24.1 h | 40.1=4
fever | temperature _ [degF] | 100.3=0 100.4=1 102.2=1 102.3=2 104.0=2 104.1=3
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2 | 1.2=0 1.3=1 1.8=1 1.9=2 3.6=2 3.7=3 7.2=3 7.3=4
leukocytosis | leukocytes _ /mm3 | 100000=0 100001=3
leukocytosis | leukocytes _ 10*9/L | 100=0 100.1=3
lymphocyte-count-increased | lymphocytes _ /mm3 | 4000=0 4001=2 20000=2 20001=3
lymphocyte-count-increased | lymphocytes _ 10*9/L | 4.0=0 4.1=2 20.0=2 20.1=3
hypothermia | temperature _ Cel | 36.0=0 35.1=0 35.0=2 32.1=2 32.0=3 28.1=3 28.0=4
hypothermia | temperature _ [degF] | 95.1=0 95.0=2 89.7=2 89.6=3 82.5=3 82.4=4
APTT | aptt _ s; ULN 40 | 40=0 41=1 60=1 61=2 100=2 101=3
LDH | ldh _ U/L; ULN 250 | 250=0 251=1 5000=1
cholesterol-high | cholesterol _ mg/dL; ULN 200 | 201=1 300=1 301=2 400=2 401=3 500=3 501=4
cholesterol-high | cholesterol _ mmol/L; ULN 5.2 | 7.75=1 7.76=2 10.34=2 10.35=3 12.92=3 12.93=4
haptoglobin-decreased | haptoglobin _ mg/dL; LLN 30 | 30=0 29=1 0=1
hypertriglyceridemia | triglycerides _ mg/dL | 149=0 150=1 300=1 301=2 500=2 501=3 1000=3 1001=4
hypertriglyceridemia | triglycerides _ mmol/L | 1.7=0 1.71=1 3.42=1 3.43=2 5.7=2 5.8=3 11.4=3 11.5=4
hyperuricemia | urate _ mg/dL; ULN 7.0; symptoms no | 7.0=0 7.1=1 20=1
hyperuricemia | urate _ umol/L; ULN 420; symptoms yes | 420=0 421=3
hypoalbuminemia | albumin _ g/dL; LLN 3.5 | 3.5=0 3.4=1 3.0=1 2.9=2 2.0=2 1.9=3
hypoalbuminemia | albumin _ g/L; LLN 35 | 35=0 34=1 30=1 29=2 20=2 19=3
creatinine | creatinine _ umol/L; LLN 45; ULN 100 | 100=0 101=1 150=1 151=2 300=2 301=3 600=3 601=4
"""

V5 = """
ALT | alt _ U/L; ULN 40 | 40=0 41=1 120=1 121=2 200=2 201=3 800=3 801=4
ALT | alt _ U/L; ULN 40; baseline 30 | 40=0 41=1 120=1 121=2 200=2 201=3 800=3 801=4
ALT | alt _ U/L; ULN 40; baseline 40 | 41=1 120=1 121=2
ALT | alt _ U/L; ULN 40; baseline 60 | 89=0 90=1 180=1 181=2 300=2 301=3 1200=3 1201=4
AST | ast _ U/L; ULN 40; baseline 30 | 40=0 41=1 120=1 121=2 200=2 201=3 800=3 801=4
AST | ast _ U/L; ULN 40; baseline 60 | 89=0 90=1 180=1 181=2 300=2 301=3 1200=3 1201=4
ALP | alp _ U/L; ULN 100; baseline 90 | 100=0 101=1 250=1 251=2 500=2 501=3 2000=3 2001=4
ALP | alp _ U/L; ULN 100; baseline 150 | 299=0 300=1 375=1 376=2 750=2 751=3 3000=3 3001=4
GGT | ggt _ U/L; ULN 60; baseline 50 | 60=0 61=1 150=1 151=2 300=2 301=3 1200=3 1201=4
GGT | ggt _ U/L; ULN 60; baseline 100 | 199=0 200=1 250=1 251=2 500=2 501=3 2000=3 2001=4
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 0.8 | 1.0=0 1.1=1 1.5=1 1.6=2
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 0.8 | 3.0=2 3.1=3 10.0=3 10.1=4
bilirubin | bilirubin _ umol/L; ULN 17; baseline 15 | 17=0 18=1 25.5=1 25.6=2
bilirubin | bilirubin _ umol/L; ULN 17; baseline 15 | 51=2 51.1=3 170=3 170.1=4
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 2.0 | 2.0=0 2.1=1 3.0=1 3.1=2
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 2.0 | 6.0=2 6.1=3 20.0=3 20.1=4
creatinine | creatinine _ mg/dL; ULN 1.2; baseline 1.2 | 1.2=0 1.21=1 1.8=1 1.81=2
creatinine | creatinine _ mg/dL; ULN 1.2; baseline 1.2 | 3.6=2 3.61=3 7.2=3 7.21=4
creatinine | creatinine _ mg/dL; ULN 1.2; baseline 0.8 | 1.2=0 1.21=2 2.4=2 2.41=3 7.2=3 7.21=4
creatinine | creatinine _ mg/dL; ULN 1.2; baseline 0.4 | 0.6=0 0.61=2 1.2=2 1.21=3
creatinine | creatinine _ mg/dL; ULN 1.2; baseline 2.4 | 2.4=2 3.6=2 3.7=3 7.2=3 7.3=4
lipase | lipase _ U/L; ULN 60; symptoms no | 60=0 61=1 90=1 91=2 120=2 121=2 300=2 301=3 5000=3
lipase | lipase _ U/L; ULN 60; symptoms yes | 60=0 61=1 90=1 91=2 120=2 121=3 300=3 301=4
amylase | amylase _ U/L; ULN 100; symptoms no | 100=0 101=1 150=1 151=2 200=2 201=2 500=2 501=3
amylase | amylase _ U/L; ULN 100; symptoms yes | 100=0 101=1 150=1 151=2 200=2 201=3 500=3 501=4
ANC | neutrophils _ 10*9/L; LLN 1.8 | 1.8=0 1.7=1 1.5=1 1.49=2 1.0=2 0.99=3 0.5=3 0.49=4 0=4
ANC | neutrophils _ /mm3; LLN 1800 | 1500=1 1499=2 1000=2 999=3 500=3 499=4
ANC | neutrophils _ /uL; LLN 1800 | 500=3 499=4
ANC | neutrophils _ 10*3/uL; LLN 1.8 | 0.5=3 0.49=4
ANC | neutrophils _ 10*3/mL; LLN 1800 | 1500=1 1499=2 500=3 499=4
ANC | neutrophils _ /mL; LLN 1800000 | 500000=3 499999=4
lymphopenia | lymphocytes _ 10*9/L; LLN 1.0 | 1.0=0 0.9=1 0.8=1 0.79=2 0.5=2 0.49=3 0.2=3 0.19=4
lymphopenia | lymphocytes _ /mm3; LLN 1000 | 999=1 800=1 799=2 500=2 499=3 200=3 199=4
platelets | platelets _ 10*9/L; LLN 150 | 150=0 149=1 75=1 74=2 50=2 49=3 25=3 24=4
platelets | platelets _ /mm3; LLN 150000 | 75000=1 74999=2 50000=2 49999=3 25000=3 24999=4
hyponatremia | sodium _ mmol/L; LLN 135; symptoms no | 129.5=2 124.5=3
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 100 | 100=0 140=0
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 180 | 141=0 180=0
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 100; treatment none | 140=0 141=1 600=1
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 100; treatment oral agent | 140=0 141=2 600=2
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 100; treatment insulin | 140=0 141=3 600=3
hyperglycemia | glucose _ mg/dL; ULN 140; baseline 100; treatment urgent | 140=0 141=4
hypoxia | spo2 _ %; LLN 95; at rest yes | 94=0 88=0 87=3
cpk-increased | cpk _ U/L; ULN 200 | 200=0 201=1 500=1 501=2 1000=2 1001=3 2000=3 2001=4
hypoxia | spo2 _ %; LLN 95; at rest no | 88=0 87=2
"""

V6 = """
ALT | alt _ U/L; ULN 40; baseline 30 | 40=0 41=1 120=1 121=2 200=2 201=3 800=3 801=4
ALT | alt _ U/L; ULN 40; baseline 60 | 59=0 60=1 90=1 91=2 120=2 121=3 240=3 241=4
ALT | alt _ U/L; ULN 40; baseline 200 | 199=0 200=1 300=1 301=2 400=2 401=3 800=3 801=4
AST | ast _ U/L; ULN 40; baseline 30 | 40=0 41=1 120=1 121=2 200=2 201=3 800=3 801=4
AST | ast _ U/L; ULN 40; baseline 60 | 59=0 60=1 90=1 91=2 120=2 121=3 240=3 241=4
ALP | alp _ U/L; ULN 100 | 100=0 101=1 5000=1
ALP | alp _ U/L; ULN 100; baseline 90 | 100=0 101=1 5000=1
ALP | alp _ U/L; ULN 100; baseline 150 | 101=0 150=0 151=1
GGT | ggt _ U/L; ULN 60; baseline 50 | 60=0 61=1 150=1 151=2 300=2 301=3 1200=3 1201=4
GGT | ggt _ U/L; ULN 60; baseline 100 | 99=0 100=1 150=1 151=2 300=2 301=3 1000=3 1001=4
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 0.8 | 1.0=0 1.1=1 1.5=1 1.6=2
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 0.8 | 3.0=2 3.1=3 10.0=3 10.1=4
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 2.0 | 1.9=0 2.0=1 3.0=1 3.1=2
bilirubin | bilirubin _ mg/dL; ULN 1.0; baseline 2.0 | 5.0=2 5.1=3 20.0=3 20.1=4
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2; baseline 0.8 | 1.2=0 1.3=1 1.8=1 1.9=2
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2; baseline 0.8 | 3.6=2 3.7=3 7.2=3 7.3=4
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2; baseline 0.5 | 1.2=0 1.3=1 1.8=1 1.9=2
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2; baseline 0.4 | 0.6=0 0.61=2 1.2=2
creatinine | creatinine _ mg/dL; LLN 0.5; ULN 1.2; baseline 0.4 | 1.21=3 7.2=3 7.3=4
lipase | lipase _ U/L; ULN 60; symptoms no | 60=0 61=1 90=1 91=2 180=2 181=2 300=2 301=3
lipase | lipase _ U/L; ULN 60; symptoms yes | 60=0 61=1 90=1 91=2 180=2 181=3 300=3 301=4
amylase | amylase _ U/L; ULN 100; symptoms no | 100=0 101=1 150=1 151=2 200=2 201=2 500=2 501=3
amylase | amylase _ U/L; ULN 100; symptoms mild | 150=1 151=2 200=2 201=2 500=2 501=4
amylase | amylase _ U/L; ULN 100; symptoms moderate | 200=2 201=3 500=3 501=4
amylase | amylase _ U/L; ULN 100; symptoms severe | 200=2 201=3 500=3 501=4
amylase | amylase _ U/L; ULN 100; symptoms yes | 150=1 151=2 200=2 501=4
ANC | neutrophils _ 10*9/L; LLN 1.8 | 1.7=0 1.5=0 1.49=1 1.0=1 0.99=2
ANC | neutrophils _ 10*9/L; LLN 1.8 | 0.5=2 0.49=3 0.4=3 0.1=3 0.09=4
ANC | neutrophils _ /mm3 | 1500=0 1499=1 1000=1 999=2 500=2 499=3 100=3 99=4
thrombocytopenia | platelets _ 10*9/L; LLN 150 | 150=0 149=1 75=1 74=2 50=2 49=3 10=3 9=4
thrombocytopenia | platelets _ /mm3; LLN 150000 | 75000=1 74999=2 50000=2 49999=3 10000=3 9999=4
hyponatremia | sodium _ mmol/L; LLN 135; symptoms no | 129.9=2 124.9=3
hyperglycemia | glucose _ mg/dL; ULN 100; fasting yes | 100=0 101=1 160=1 161=2
hyperglycemia | glucose _ mg/dL; ULN 100; fasting yes | 250=2 251=3 500=3 501=4
hyperglycemia | glucose-fasting _ mg/dL; ULN 100 | 100=0 101=1 160=1 161=2 250=2 251=3
hyperglycemia | glucose _ mg/dL; ULN 140; fasting no | 141=0 250=0 251=3 500=3 501=4
hyperglycemia | glucose-fasting _ mmol/L; ULN 5.6 | 5.6=0 5.7=1 8.9=1 9.0=2
hyperglycemia | glucose-fasting _ mmol/L; ULN 5.6 | 13.9=2 14.0=3 27.8=3 27.9=4
hypoxia | spo2 _ %; LLN 95; at rest yes | 95=0 94=1 88=1 87=3
hypoxia | spo2 _ %; LLN 95; at rest no | 94=1 88=1 87=2
"""

# a baseline is normal or abnormal by its own limits, whatever those of the later result are
OWN_LIMITS = """
56 ALT | alt 230 U/L; ULN 41; baseline 54; baseline ULN 55 | 3
56 ALT | alt 230 U/L; ULN 41; baseline 55; baseline ULN 55 | 3
5 ALT | alt 230 U/L; ULN 41; baseline 55.1; baseline ULN 55 | 2
6 ALT | alt 230 U/L; ULN 41; baseline 55.1; baseline ULN 55 | 4
5 ALT | alt 310 U/L; ULN 60; baseline 54; baseline ULN 55 | 3
5 ALT | alt 160 U/L; ULN 60; baseline 54; baseline ULN 53 | 1
5 ALT | alt 310 U/L; ULN 60; baseline 70; baseline ULN 80 | 3
5 ALT | alt 300 U/L; ULN 60; baseline 70; baseline ULN 80 | 2
5 ALT | alt 45 U/L; ULN 41; baseline 50; baseline ULN 55 | 1
5 ALT | alt 45 U/L; ULN 41; baseline 50; baseline ULN 41 | 0
6 ALT | alt 1200 U/L; ULN 40; baseline 300; baseline ULN 60 | 3
6 ALT | alt 1200 U/L; ULN 40; baseline 300; baseline ULN 59 | 2-3 for want of text
6 ALT | alt 230 U/L; ULN 60; baseline 54; baseline ULN unknown | 2-4 for want of ULN of the baseline
6 ALT | alt 230 U/L; ULN 60; baseline 54; baseline ULN -1 | 2-4 for want of ULN of the baseline
5 ALT | alt 230 U/L; ULN 60; baseline 54; baseline ULN unknown | 2
5 ALT | alt 230 U/L; baseline 54; baseline ULN 55 | 0-4 for want of ULN
56 ALT | alt 230 U/L; ULN 60; baseline <50; baseline ULN 55 | 2
5 ALT | alt 230 U/L; ULN 60; baseline >50; baseline ULN 55 | 0-2 for want of baseline
56 bilirubin | bilirubin 3.9 mg/dL; ULN 1.2; baseline 1.4; baseline ULN 1.5 | 3
56 bilirubin | bilirubin 3.9 mg/dL; ULN 1.2; baseline 10 umol/L; baseline ULN 21 umol/L | 3
56 bilirubin | bilirubin 95 mg/dL; ULN 1.2 | 4
56 bilirubin | bilirubin 151 mg/dL; ULN 1.2 | 0-4 for want of value
6 creatinine | creatinine 1.0 mg/dL; LLN 0.6; ULN 1.2; baseline 0.5; baseline LLN 0.4 | 0
6 creatinine | creatinine 1.0 mg/dL; LLN 0.4; ULN 1.2; baseline 0.5; baseline LLN 0.6 | 2
"""

# what is missing, cannot be, or is known only as a bound
INCOMPLETE = """
56 anemia | hemoglobin 9.5 g/dL | 2
56 anemia | hemoglobin 11 g/dL | 0-1 for want of LLN
56 anemia | hemoglobin HEMOLYZED g/dL | 0-3 for want of value
56 anemia | hemoglobin 9 | 0-3 for want of unit
56 anemia | hemoglobin 9 %; LLN 12 | 0-3 for want of unit
56 anemia | hemoglobin 11 g/dL; LLN 7.4 mmol/L | 0-1 for want of unit
56 anemia | hemoglobin 9.9 g/dL; LLN 7.4 mmol/L | 2
56 anemia | hemoglobin 11 g/dL; LLN 120 g/L | 1
56 anemia | hemoglobin 11 g/dL; LLN 16; ULN 12 | 0-1 for want of LLN
56 anemia | hemoglobin 11 g/dL; LLN 12; ULN 12 | 0-1 for want of LLN
56 anemia | hemoglobin 11 g/dL; LLN -12 | 0-1 for want of LLN
56 anemia | hemoglobin 95 g/dL; LLN 12 | 0-3 for want of value
56 anemia | hemoglobin 11 g/dL; LLN 0 | 0
56 anemia | hemoglobin <8.0 g/dL | 3
56 anemia | hemoglobin <=8.0 g/dL | 2-3 for want of value
56 hypernatremia | sodium 1400 mmol/L; LLN 135; ULN 145 | 0-4 for want of value
56 hyponatremia | sodium 1400 mmol/L; LLN 135; ULN 145 | 0
56 hyponatremia | sodium 1400 mmol/L | 0
56 hypernatremia | sodium 14 mmol/L; LLN 135; ULN 145 | 0
56 hyponatremia | sodium 14 mmol/L; LLN 135; ULN 145 | 0-4 for want of symptoms, value
56 hyponatremia | sodium -140 mmol/L; LLN 135; ULN 145 | 0-4 for want of symptoms, value
56 hypernatremia | sodium -140 mmol/L; LLN 135; ULN 145 | 0-4 for want of value
56 lymphocyte-count-increased | lymphocytes -1 10*9/L | 0-3 for want of value
56 lymphocyte-count-increased | lymphocytes 0 10*9/L | 0
56 hypernatremia | sodium 26 mmol/L; LLN 12; ULN 40; baseline 26 | 0-4 for want of ULN, value
56 hypernatremia | sodium 140 mmol/L; LLN 12; ULN 40; baseline 139 | 0-1 for want of ULN
56 hypernatremia | sodium 139 mmol/L; LLN 13; ULN 35 | 0-1 for want of ULN
56 hyponatremia | sodium 139 mmol/L; LLN 13; ULN 35 | 0-1 for want of LLN
56 hypernatremia | sodium 140 mmol/L; LLN 79; ULN 150 | 0
56 hyponatremia | sodium 140 mmol/L; LLN 79; ULN 150 | 0-1 for want of LLN
56 hypernatremia | sodium 140 mmol/L; LLN 80; ULN 221 | 0-1 for want of ULN
56 hypocalcemia | calcium-corrected 2.35 mg/dL; LLN 2.15; ULN 2.55 | 0-4 for want of unit
56 hypocalcemia | calcium 2.31 mg/dL; LLN 2.15; ULN 2.55; albumin 4.1 g/dL | 0-4 for want of unit
56 hypercalcemia | calcium 2.31 mg/dL; LLN 2.15; ULN 2.55; albumin 4.1 g/dL | 0-4 for want of unit
56 hypocalcemia | calcium-corrected 2.31 mg/dL; ULN 2.55 | 0-4 for want of unit
56 hypocalcemia | calcium-corrected 2.31 mg/dL; LLN 2.15 | 0-4 for want of unit
56 hypocalcemia | calcium-corrected 2.31 mmol/L; LLN 2.15; ULN 2.55 | 0
56 hypocalcemia | calcium-corrected 5.9 mg/dL; LLN 8.5; ULN 10.5 | 4
56 hypocalcemia | calcium-corrected 9.4 mg/dL; LLN 2.15; ULN 2.55 | 0-1 for want of LLN
56 hypocalcemia | calcium-corrected 7.9 mg/dL; LLN 6; ULN 8.0 | 2
56 hypocalcemia | calcium-corrected 7.9 mg/dL; LLN 6; ULN 7.9 | 0-4 for want of unit
56 hypocalcemia | calcium-corrected 7.9 mg/dL; LLN 5.9; ULN 8.0 | 0-4 for want of unit
56 hypermagnesemia | magnesium 1.9 mmol/L; LLN 1.7; ULN 2.2 | 0-4 for want of unit
56 hypomagnesemia | magnesium 0.85 mg/dL; LLN 0.7; ULN 1.05 | 0-4 for want of unit
56 hypomagnesemia | magnesium 0.9 mmol/L; LLN 1.7; ULN 2.2 | 0-4 for want of unit
56 hypoglycemia | glucose 5.0 mg/dL; LLN 4.0; ULN 5.6 | 0-4 for want of unit
5 hypoglycemia | glucose 29 mmol/L; LLN 60; ULN 104 | 0-4 for want of unit
56 cholesterol-high | cholesterol 8.0 mg/dL; ULN 7.7 | 0-4 for want of unit
5 hypoglycemia | glucose 29 mmol/L; LLN 30 | 1
5 hypoglycemia | glucose 29 mmol/L; LLN 31 | 0-4 for want of unit
5 hypoglycemia | glucose 29 mmol/L; LLN 30; ULN 104 | 0-4 for want of unit
56 anemia | hemoglobin 9.0 g/dL; LLN 8.7; ULN 11.2 | 0-3 for want of unit
56 anemia | hemoglobin 9.5 mmol/L; LLN 13.5; ULN 16.9 | 0-3 for want of unit
56 anemia | hemoglobin 9.5 mmol/L; LLN 8.7; ULN 11.2 | 0
56 anemia | hemoglobin 9.0 g/dL; LLN 9.5; ULN 13.5 | 2
56 hypomagnesemia | magnesium 0.9 mg/dL; LLN 0.75; ULN 1.25 | 0-4 for want of unit
56 hypomagnesemia | magnesium 0.9 mmol/L; LLN 0.75; ULN 1.25 | 0
6 neutrophil-count-decreased | neutrophils 99.9 /mm3; LLN 499; ULN 7000 | 0-4 for want of unit
6 neutrophil-count-decreased | neutrophils 99.9 /mm3; LLN 1.8; ULN 7.7 | 0-4 for want of unit
6 neutrophil-count-decreased | neutrophils 99.9 /mm3; LLN 500; ULN 7000 | 4
56 anemia | hemoglobin 13 g/L; LLN 12; ULN 16 | 0-3 for want of unit
56 anemia | hemoglobin 16 g/L; LLN 13.5; ULN 17.5 | 0-3 for want of unit
56 neutrophil-count-decreased | neutrophils 3.2 /mm3; LLN 1.5; ULN 7.0 | 0-4 for want of unit
5 neutrophil-count-decreased | neutrophils 1.2 10*9/L; LLN 1.0; ULN 6.0 | 2
56 hyponatremia | sodium 129 mmol/L; LLN 135 | 2-3 for want of symptoms
56 hyponatremia | sodium 124 mmol/L; LLN 135 | 3
56 hyponatremia | sodium 131 mmol/L; LLN 135 | 1
56 hyponatremia | sodium 131 mmol/L | 0-1 for want of LLN
56 hypokalemia | potassium 3.2 mmol/L; LLN 3.5 | 1-2 for want of symptoms
56 hypokalemia | potassium 3.2 mmol/L | 0-2 for want of LLN, symptoms
56 hypokalemia | potassium 2.9 mmol/L | 3
56 hyperkalemia | potassium 5.3 mg/dL; ULN 5.0 | 0-4 for want of unit
56 hyperkalemia | potassium >6.0 mmol/L; ULN 5.0 | 3-4 for want of value
56 hypocalcemia | calcium 7.5 mg/dL; LLN 8.5 | 0-4 for want of albumin
56 hypocalcemia | calcium 7.5 mg/dL; LLN 8.5; albumin 2.0 mmol/L | 0-4 for want of albumin
56 hypercalcemia | calcium 7.5 mg/dL; ULN 10.5 | 0
56 hypercalcemia | calcium 14.6 mg/dL; ULN 10.5 | 3-4 for want of albumin
56 hypocalcemia | calcium-ionized 4.2 mg/dL; LLN 4.6 | 1
56 hypercalcemia | calcium-ionized 6.4 mg/dL | 2
56 hypercalcemia | calcium-ionized 5.5 mg/dL | 0-1 for want of ULN
56 hypercalcemia | calcium-ionized 6.4 U/L | 0-4 for want of unit
56 hypomagnesemia | magnesium 0.9 mg/dL; LLN 1.7 | 2
56 hypomagnesemia | magnesium 0.37 mmol/L; LLN 0.7 | 3
56 fever | temperature 38.5 | 0-4 for want of unit
56 creatinine | creatinine 8.0 mg/dL; LLN 0.5; ULN 1.2; baseline unknown | 4
56 creatinine | creatinine 1.0 mg/dL; LLN 0.5; ULN 1.2; baseline unknown | 0-3 for want of baseline
56 creatinine | creatinine 0.5 mg/dL; LLN 0.5; ULN 1.2; baseline unknown | 0-2 for want of baseline
56 creatinine | creatinine 0.3 mg/dL; LLN 0.5; ULN 1.2; baseline unknown | 0
56 creatinine | creatinine 1.3 mg/dL | 0-4 for want of ULN
5 creatinine | creatinine 1.1 mg/dL; ULN 1.2; baseline 0.01 | 0-3 for want of baseline
6 creatinine | creatinine 1.3 mg/dL; ULN 1.2; baseline 0.8 | 1-2 for want of LLN
56 creatinine | creatinine 1.3 mg/dL; ULN 106 umol/L | 0-4 for want of unit
56 ALT | alt 30 U/L; ULN 40; baseline unknown | 0
5 ALT | alt 60 U/L; ULN 40; baseline unknown | 0-1 for want of baseline
6 ALT | alt 61 U/L; ULN 40; baseline unknown | 0-2 for want of baseline
56 ALT | alt 2000 U/L; ULN 40; baseline unknown | 0-4 for want of baseline
5 ALT | alt 121 U/L; baseline 30 | 0-2 for want of ULN
5 ALT | alt 121 U/L; ULN 40; baseline 0.5 ukat/L | 0-2 for want of unit
56 ALT | alt 100 U/L; ULN 0 | 0-4 for want of ULN
56 ALT | alt 100 U/L; ULN -40 | 0-4 for want of ULN
56 ALT | alt 100 U/L; LLN 40; ULN 5 | 0-4 for want of ULN
56 ALT | alt 39 U/L; LLN 0; ULN 40 | 0
56 ALT | alt >500 U/L; ULN 40 | 3-4 for want of value
56 ALT | alt >800 U/L; ULN 40 | 4
56 ALT | alt >=800 U/L; ULN 40 | 3-4 for want of value
56 ALT | alt <5 U/L; ULN 40; baseline unknown | 0
6 ALT | alt 402 U/L; ULN 40; baseline 201 | 2
6 ALT | alt 403 U/L; ULN 40; baseline 201 | 2-3 for want of text
6 ALT | alt 804 U/L; ULN 40; baseline 201 | 2-3 for want of text
6 ALT | alt 805 U/L; ULN 40; baseline 201 | 4
6 ALP | alp 120 U/L; ULN 100; baseline unknown | 0-1 for want of baseline
56 bilirubin | bilirubin <0.1 mg/dL; ULN 1.0; baseline 0.8 | 0
5 lipase | lipase 121 U/L; ULN 60 | 2-3 for want of symptoms
6 lipase | lipase 121 U/L; ULN 60 | 2
56 lipase | lipase 301 U/L; ULN 60 | 3-4 for want of symptoms
56 lipase | lipase 301 U/L | 0-4 for want of ULN, symptoms
5 ANC | neutrophils <0.5 10*9/L; LLN 1.8 | 4
6 ANC | neutrophils <0.5 10*9/L; LLN 1.8 | 3-4 for want of value
5 ANC | neutrophils 40 %; LLN 1.8 | 0-4 for want of unit
5 hyperglycemia | glucose 180 mg/dL; ULN 140; baseline 100 | 1-4 for want of intervention
5 hyperglycemia | glucose 9 mmol/L; ULN 7; baseline unknown | 0-4 for want of baseline, intervention
6 hyperglycemia | glucose 150 mg/dL; ULN 100 | 0-1 for want of fasting
6 hyperglycemia | glucose 200 mg/dL; ULN 100 | 0-2 for want of fasting
6 hyperglycemia | glucose 251 mg/dL; ULN 100 | 3
56 hyperuricemia | urate 8.0 mg/dL; ULN 7.0 | 1-3 for want of symptoms
56 hypoxia | spo2 87 %; LLN 95 | 2-3 for want of at rest
"""


EXACT = exact_rows(COMMON, V5, V6, SHORT)
INTERVALS = interval_rows(OWN_LIMITS + INCOMPLETE, SHORT)


@pytest.mark.parametrize(("version", "term", "reading", "grade"), EXACT)
def test_the_grade_of_a_value(version, term, reading, grade):
    assert describe_outcome(grade_text(version, term, reading)) == grade


@pytest.mark.parametrize(("version", "term", "reading", "expected"), INTERVALS)
def test_the_interval_when_something_is_missing(version, term, reading, expected):
    assert describe_outcome(grade_text(version, term, reading)) == expected


def test_the_same_count_is_grade_4_in_version_5_and_grade_3_in_version_6():
    count = "neutrophils 0.4 10*9/L; LLN 1.8"
    assert describe_outcome(grade_text("5", "neutrophil-count-decreased", count)) == "4"
    assert describe_outcome(grade_text("6", "neutrophil-count-decreased", count)) == "3"


def test_the_threshold_that_was_met_is_named():
    outcome = grade_text("5", "platelet-count-decreased", "platelets 24 10*9/L; LLN 150")
    assert outcome.because == "< 25.0 10*9/L"
