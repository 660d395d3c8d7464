"""Grades of every other measure, worked out by hand from NCI's wording: both sides of all bounds.

Source: CTCAE v5.0 (27 November 2017) and v6.0 with the errata of 20 January 2026
"""

import pytest

from tests.helpers.lab_reading import (
    TABLES,
    describe_outcome,
    exact_rows,
    grade_text,
    interval_rows,
)
from tests.truth.test_laboratory_grades import EXACT as LABORATORY

APTT = "activated-partial-thromboplastin-time-prolonged"
BICARBONATE = "blood-bicarbonate-decreased"
CKD = "chronic-kidney-disease"
DLCO = "carbon-monoxide-diffusing-capacity-decreased"
EF = "ejection-fraction-decreased"
FEV1 = "forced-expiratory-volume-decreased"
FIBRINOGEN = "fibrinogen-decreased"
HEMOGLOBIN = "hemoglobin-increased"
LDH = "blood-lactate-dehydrogenase-increased"
LYMPHOCYTES = "lymphocyte-count-increased"
QTC = "electrocardiogram-qt-corrected-interval-prolonged"
SHORT = {name: slug for name, slug in globals().items() if name.isupper() and isinstance(slug, str)}

# term, reading without its value, then value=grade; for CTCAE v5 and v6 alike
COMMON = """
eosinophilia | eosinophils _ 10*9/L; ULN 0.5 | 0.5=0 0.6=1 9.0=1
eosinophilia | eosinophils _ 10*9/L; ULN 0.5; baseline 0.4 | 0.5=0 0.51=1
eosinophilia | eosinophils _ 10*9/L; ULN 0.5; baseline 0.8 | 0.7=0 0.8=0 0.81=1
eosinophilia | eosinophils _ /mm3; ULN 500; baseline 0.8 10*9/L | 800=0 801=1
leukocytosis | leukocytes _ /mm3 | 11000=0 100000=0 100001=3
leukocytosis | leukocytes _ 10*9/L | 100=0 100.1=3
methemoglobinemia | methemoglobin _ %; ULN 1.5 | 1.5=0 1.6=2 40=2
febrile-neutropenia | temperature _ Cel; beside neutrophils 999 /mm3 | 38.0=0 38.3=0 38.4=3 41.0=3
febrile-neutropenia | temperature _ [degF]; beside neutrophils 999 /mm3 | 100.9=0 101=3
febrile-neutropenia | temperature _ Cel; beside neutrophils 0.999 10*9/L | 38.3=0 38.4=3
febrile-neutropenia | temperature _ Cel; beside neutrophils 1000 /mm3 | 38.4=0 41.0=0
febrile-neutropenia | temperature _ Cel; for 1 h; beside neutrophils 999 /mm3 | 38.0=0 38.3=0
febrile-neutropenia | temperature _ Cel; for 1.1 h; beside neutrophils 999 /mm3 | 37.9=0 38.0=3
febrile-neutropenia | neutrophils _ /mm3; beside temperature 38.4 Cel | 1000=0 999=3 0=3
febrile-neutropenia | neutrophils _ 10*9/L; beside temperature 101 [degF] | 1.0=0 0.99=3
febrile-neutropenia | neutrophils _ /mm3; beside temperature 38.3 Cel | 999=0
hypothermia | temperature _ Cel | 36.0=0 35.1=0 35=2 32.1=2 32=3 28.1=3 28=4 25=4
hypothermia | temperature _ Cel; at the skin yes | 36.0=0 35.1=0
hypothermia | temperature _ Cel; at the skin no | 35=2 32=3 28=4
fever | temperature _ Cel; at the skin yes | 37.9=0 38.0=1 39.1=2 40.1=3
hypothermia | temperature _ [degF] | 95.1=0 95=2 89.7=2 89.6=3 82.5=3 82.4=4
APTT | aptt _ s; ULN 36 | 36=0 36.1=1 54=1 54.1=2 90=2 90.1=3
BICARBONATE | bicarbonate _ mmol/L; LLN 22 | 22=0 21.9=1 5=1
BICARBONATE | bicarbonate _ meq/L; LLN 22 | 22=0 21.9=1
LDH | ldh _ U/L; ULN 250 | 250=0 251=1 9000=1
DLCO | dlco _ mL/min/mm[Hg]; LLN 20; symptoms no | 20=0 17.1=0 17=1 15=1 14.9=2 14=2 12=2 11.9=3
DLCO | dlco _ mL/min/mm[Hg]; LLN 20; symptoms yes | 17=1 15=1 14.9=3
DLCO | dlco _ mL/min/mm[Hg]; LLN 20; baseline 30; symptoms no | 27.1=0 27=1 25=1 24.9=2 22=2 21.9=3
DLCO | dlco _ mL/min/mm[Hg]; LLN 20; baseline 30; symptoms yes | 25=1 24.9=3
DLCO | dlco _ mL/min/mm[Hg]; baseline 18; symptoms no | 16=0 15=1
cholesterol-high | cholesterol _ mg/dL; ULN 200 | 200=0 201=1 300=1 301=2 400=2 401=3 500=3 501=4
cholesterol-high | cholesterol _ mmol/L; ULN 5.2 | 5.2=0 5.3=1 7.75=1 7.76=2 10.34=2 10.35=3
cholesterol-high | cholesterol _ mmol/L; ULN 5.2 | 12.92=3 12.93=4
QTC | qtc _ ms | 449=0 450=1 480=1 480.5=2 481=2 500=2 500.5=3 501=3
QTC | qtc _ s | 0.449=0 0.45=1 0.48=1 0.481=2 0.5=2 0.501=3
QTC | qtc _ ms; baseline 400 | 449=0 450=1 460=1 461=3
QTC | qtc _ ms; baseline 380 | 440=0 441=3
QTC | qtc _ ms; baseline 0.44 s | 480=1 500=2 501=3
FIBRINOGEN | fibrinogen _ mg/dL; LLN 200 | 200=0 199=1 150=1 149=2 100=2 99=3 50=3 49=4
FIBRINOGEN | fibrinogen _ mg/dL; LLN 200; baseline 200 | 199=1 150=1 149=2 100=2 99=3 50=3 49=4
FIBRINOGEN | fibrinogen _ g/L; LLN 2.0; baseline 3.0 | 2.0=0 1.99=1 1.5=1 1.49=2 1.0=2 0.99=3 0.49=4
FIBRINOGEN | fibrinogen _ mg/dL; LLN 200; baseline 160 | 160=0 159=1 121=1 120=2 81=2 80=3 50=3 49=4
FIBRINOGEN | fibrinogen _ mg/dL; LLN 200; baseline 240 | 240=0 200=0 199=1
FIBRINOGEN | fibrinogen _ mg/dL; LLN 280; baseline 240 | 61=3 60=4
FEV1 | fev1 _ % | 100=0 99=1 70=1 69.5=2 69=2 60=2 59.5=3 59=3 50=3
haptoglobin-decreased | haptoglobin _ mg/dL; LLN 30 | 30=0 29=1 1=1
haptoglobin-decreased | haptoglobin _ mg/dL; LLN 0 | 0=0 0.5=0
HEMOGLOBIN | hemoglobin _ g/dL; ULN 16.0 | 16.0=0 16.1=1 18.0=1 18.1=2 20.0=2 20.1=3
HEMOGLOBIN | hemoglobin _ g/L; ULN 160 | 160=0 161=1 180=1 181=2 200=2 201=3
HEMOGLOBIN | hemoglobin _ g/dL; ULN 16.0; baseline 12.0 | 16.0=0 16.1=1
inr-increased | inr _ {INR}; anticoagulation no | 1.2=0 1.3=1 1.5=1 1.6=2 2.5=2 2.6=3
inr-increased | inr _ 1; anticoagulation no | 1.2=0 1.3=1
inr-increased | inr _ {INR}; baseline 2.0; anticoagulation no | 2.0=2 2.6=3
inr-increased | inr _ {INR}; baseline 2.0; anticoagulation yes | 2.0=0 2.1=1 3.0=1 3.1=2 5.0=2 5.1=3
LYMPHOCYTES | lymphocytes _ /mm3 | 4000=0 4001=2 20000=2 20001=3
LYMPHOCYTES | lymphocytes _ 10*9/L | 4.0=0 4.1=2 20=2 20.1=3
urine-output-decreased | urine-output-8h _ mL | 80=0 79=3 0=3
urine-output-decreased | urine-output-24h _ mL | 240=0 239=4 0=4
urine-output-decreased | urine-output-24h _ L | 0.24=0 0.239=4
vital-capacity-abnormal | vital-capacity _ % | 91=0 90=1 75=1 74.9=2 50=2 49.9=3
weight-gain | weight _ kg; baseline 80 | 80=0 83.9=0 84=1 87.9=1 88=2 95.9=2 96=3
weight-loss | weight _ kg; baseline 80 | 80=0 76.1=0 76=1 72.1=1 72=2 64.1=2 64=3
weight-loss | weight _ kg; baseline 80000 g | 76.1=0 76=1
weight-loss | weight _ kg | 40=0
acidosis | ph _ [pH]; LLN 7.35 | 7.35=0 7.34=1 7.3=1 7.29=3
acidosis | ph _; LLN 7.35 | 7.34=1 7.29=3
alkalosis | ph _ [pH]; ULN 7.45 | 7.45=0 7.46=1 7.5=1 7.51=3
hypertriglyceridemia | triglycerides _ mg/dL | 149=0 150=1 300=1 301=2 500=2 501=3 1000=3 1001=4
hypertriglyceridemia | triglycerides _ mmol/L | 1.70=0 1.71=1 3.42=1 3.43=2 5.7=2 5.8=3 11.4=3 12=4
hyperuricemia | urate _ mg/dL; ULN 7.0; symptoms no | 7.0=0 7.1=1 20=1
hyperuricemia | urate _ umol/L; ULN 420; symptoms yes | 420=0 421=3
hypoalbuminemia | albumin _ g/dL; LLN 3.5 | 3.5=0 3.4=1 3=1 2.9=2 2=2 1.9=3
hypoalbuminemia | albumin _ g/L; LLN 35 | 35=0 34=1 30=1 29=2 20=2 19=3
CKD | egfr _ mL/min/{1.73_m2}; LLN 90 | 90=0 89=1 60=1 59.5=2 59=2 30=2 29.5=3 29=3 15=3 14.9=4
CKD | creatinine-clearance _ mL/min/{1.73_m2}; LLN 90 | 60=1 59=2 29=3 14=4
CKD | urine-protein-creatinine _ mg/mg | 0.5=0 0.51=1
CKD | urine-protein-creatinine _ mg/g | 500=0 501=1
oligospermia | sperm-concentration _ 10*6/mL | 15=0 14.9=1 0.1=1
osteoporosis | bmd-t-score _ {Tscore} | 0.5=0 -0.9=0 -1=1 -2.5=1 -2.6=2
hypoxia | pao2 _ mm[Hg] | 56=0 55=3
"""

V5 = """
cardiac-troponin-i-increased | troponin-i _ ng/L; ULN 40; infarction no | 40=0 41=1 5000=1
cardiac-troponin-i-increased | troponin-i _ ng/L; ULN 40; infarction yes | 40=0 41=3
cardiac-troponin-t-increased | troponin-t _ ng/L; ULN 14; infarction no | 14=0 15=1
cardiac-troponin-t-increased | troponin-t _ ng/L; ULN 14; infarction yes | 14=0 15=3
cpk-increased | cpk _ U/L; ULN 200 | 200=0 201=1 500=1 501=2 1000=2 1001=3 2000=3 2001=4
EF | ejection-fraction _ % | 51=0 50=2 40=2 39.5=3 39=3 20=3 19=4
EF | ejection-fraction _ 1 | 0.51=0 0.50=2 0.39=3 0.19=4
EF | ejection-fraction _ %; baseline 65 | 56=0 55=2 46=2 45.5=3 45=3 39=3 19=4
EF | ejection-fraction _ %; baseline 75 | 66=0 65=2 56=2 55=3
FEV1 | fev1 _ % | 49.5=4 49=4 20=4
pancreatic-enzymes-decreased | pancreatic-enzymes _ ug/g; LLN 200 | 200=0 199=1
obesity | bmi _ kg/m2 | 24.9=0 25=2 29.9=2 29.95=3 30=3 39.9=3 39.95=4 40=4
proteinuria | urine-protein-24h _ g/d; ULN 0.15 | 0.14=0 0.15=1 0.99=1 1.0=2 3.49=2 3.5=3
proteinuria | urine-protein-24h _ mg/d; ULN 150 | 149=0 150=1 999=1 1000=2 3499=2 3500=3
hypertension | sbp _ mm[Hg] | 119=0 120=1 139=1 140=2 159=2 160=3 200=3
hypertension | dbp _ mm[Hg] | 79=0 80=1 89=1 90=2 99=2 100=3 130=3
"""

V6 = """
FEV1 | fev1 _ % | 49=3 20=3
FEV1 | fev1-z-score _ {Zscore} | -1.64=0 -1.65=1 -2.5=1 -2.51=2 -4=2 -4.01=3
creatinine-clearance-decreased | creatinine-clearance _ mL/min | 50=0 49=2 26=2 25=3 10=3 9=3
left-ventricular-dysfunction | ejection-fraction _ %; baseline 55 | 50=0 46=0 45=2 40=2 39=3 20=3
left-ventricular-dysfunction | ejection-fraction _ %; baseline 65 | 54=0 50=0 49=2
left-ventricular-dysfunction | ejection-fraction _ %; baseline 38 | 38=0 37=3
left-ventricular-dysfunction | ejection-fraction _ % | 45=0 35=0
hdl-decreased | hdl _ mg/dL; LLN 40 | 40=0 39=1
ldl-increased | ldl _ mg/dL; ULN 130 | 130=0 131=1
vitamin-d-decreased | vitamin-d _ ng/mL; LLN 30 | 30=0 29=1
pancreatic-insufficiency | pancreatic-enzymes _ ug/g; LLN 200 | 200=0 199=1
urinary-protein-increased | urine-protein-24h _ g/d; ULN 0.15 | 0.14=0 0.15=1 0.9=1 1=2 3.4=2 3.5=3
urinary-protein-increased | urine-protein-creatinine _ mg/mg; ULN 0.2 | 0.19=0 0.2=1 0.99=1 1=2
urinary-protein-increased | urine-protein-creatinine _ mg/mg; ULN 0.2 | 3.5=2 3.51=3
hypertension | sbp _ mm[Hg] | 139=0 140=2 159=2 160=2 200=2
hypertension | sbp _ mm[Hg]; for 1 h | 160=2 180=2
hypertension | sbp _ mm[Hg]; for 1.1 h | 139=0 140=2 159=2 160=3 179=3 180=4
hypertension | sbp _ mm[Hg]; baseline 125 | 140=2 145=2 146=3
hypertension | sbp _ mm[Hg]; baseline 110 | 135=0 140=2 141=3
hypertension | dbp _ mm[Hg] | 89=0 90=2 99=2 120=2
hypertension | dbp _ mm[Hg]; for 1.1 h | 89=0 90=2 99=2 100=3 109=3 110=4
"""

# what is missing, cannot be, or is known only as a bound
INCOMPLETE = """
56 eosinophilia | eosinophils 0.6 10*9/L; ULN 0.5; baseline unknown | 0-1 for want of baseline
56 febrile-neutropenia | temperature 38.4 Cel | 0-3 for want of neutrophils
56 febrile-neutropenia | temperature 38.3 Cel | 0
56 febrile-neutropenia | temperature 38.4 Cel; beside neutrophils <1000 /mm3 | 3
56 febrile-neutropenia | temperature 38.4 Cel; beside neutrophils 40 % | 0-3 for want of neutrophils
56 febrile-neutropenia | neutrophils 999 /mm3 | 0-3 for want of temperature
56 febrile-neutropenia | neutrophils 1000 /mm3 | 0
56 hypothermia | temperature 35 Cel; at the skin yes | 0-2 for want of core temperature
56 hypothermia | temperature 32 Cel; at the skin yes | 0-3 for want of core temperature
56 hypothermia | temperature 28 Cel; at the skin yes | 0-4 for want of core temperature
56 inr-increased | inr 1.1 {INR}; baseline 1.0 | 0-1 for want of anticoagulation
56 inr-increased | inr 2.0 {INR}; baseline 2.0 | 0-2 for want of anticoagulation
56 inr-increased | inr 2.2 {INR}; baseline 1.4 | 2
56 inr-increased | inr 1.6 {INR}; baseline unknown; anticoagulation no | 2
56 inr-increased | inr 1.6 {INR}; baseline unknown; anticoagulation yes | 0-3 for want of baseline
56 inr-increased | inr 1.6 %; anticoagulation no | 0-3 for want of unit
5 cardiac-troponin-i-increased | troponin-i 41 ng/L; ULN 40 | 1-3 for want of limit of infarction
5 cardiac-troponin-t-increased | troponin-t 15 ng/L; ULN 14 | 1-3 for want of limit of infarction
5 cardiac-troponin-i-increased | troponin-i 40 ng/L; ULN 40 | 0
56 weight-loss | weight 70 kg; baseline unknown | 0-3 for want of baseline
56 weight-loss | weight 70 kg; baseline 0 | 0-3 for want of baseline
56 QTC | qtc 455 ms; baseline unknown | 1-3 for want of baseline
56 QTC | qtc 501 ms; baseline unknown | 3
5 EF | ejection-fraction 52 %; baseline unknown | 0-3 for want of baseline
5 EF | ejection-fraction 45 %; baseline unknown | 2-3 for want of baseline
6 left-ventricular-dysfunction | ejection-fraction 52 %; baseline unknown | 0
6 left-ventricular-dysfunction | ejection-fraction 45 %; baseline unknown | 0-2 for want of baseline
56 DLCO | dlco 14 mL/min/mm[Hg]; LLN 20 | 2-3 for want of symptoms
56 DLCO | dlco 16 mL/min/mm[Hg]; LLN 20; baseline unknown; symptoms no | 0-3 for want of baseline
56 FIBRINOGEN | fibrinogen 160 mg/dL; LLN 200; baseline unknown | 0-1 for want of baseline
56 FIBRINOGEN | fibrinogen 49 mg/dL | 4
56 FIBRINOGEN | fibrinogen 150 mg/dL | 0-4 for want of LLN
56 haptoglobin-decreased | haptoglobin <0.5 mg/dL; LLN 0 | 0
56 haptoglobin-decreased | haptoglobin <0.5 mg/dL; LLN 0.1 | 0-1 for want of value
56 hyperuricemia | urate 8 mg/dL; ULN 7.0 | 1-3 for want of symptoms
56 hypoalbuminemia | albumin 32 g/L | 0-1 for want of LLN
56 acidosis | ph 73.1 [pH]; LLN 7.35 | 0
56 alkalosis | ph 73.1 [pH]; ULN 7.45 | 0-3 for want of value
56 alkalosis | ph 1.2 [pH]; LLN 0.36; ULN 1.2; baseline 0.78 | 0-3 for want of ULN, value
5 fibrinogen-decreased | fibrinogen 140 mg/dL; LLN 200; baseline 190; baseline LLN 180 | 2
5 fibrinogen-decreased | fibrinogen 140 mg/dL; LLN 180; baseline 190; baseline LLN 200 | 2
5 fibrinogen-decreased | fibrinogen 150 mg/dL; LLN 200; baseline 190; baseline LLN 190 | 1
5 fibrinogen-decreased | fibrinogen 90 mg/dL; LLN 180; baseline 190; baseline LLN 191 | 3
5 fibrinogen-decreased | fibrinogen 90 mg/dL; LLN 180; baseline 190; baseline LLN 190 | 2
5 fibrinogen-decreased | fibrinogen 2.5 g/L; LLN 200; ULN 400 | 0-4 for want of LLN
5 fibrinogen-decreased | fibrinogen 2.5 g/L; LLN 2; ULN 4 | 0
5 fibrinogen-decreased | fibrinogen 2.5 mg/dL; LLN 2; ULN 4 | 0-4 for want of unit
5 fibrinogen-decreased | fibrinogen 250 mg/dL; LLN 2; ULN 4 | 0-4 for want of LLN
56 acidosis | ph 7.28 | 3
56 CKD | egfr >60 mL/min/{1.73_m2}; LLN 90 | 0-1 for want of value
56 CKD | egfr 45 mL/min; LLN 90 | 0-4 for want of unit
56 oligospermia | sperm-concentration 0 10*6/mL | 0-1 for want of value
56 osteoporosis | bmd-t-score <=-1 {Tscore} | 1-2 for want of value
56 osteoporosis | bmd-t-score <0.5 {Tscore} | 0-2 for want of value
56 HEMOGLOBIN | hemoglobin 18.5 g/dL | 0-3 for want of ULN
6 hypertension | sbp 150 mm[Hg]; baseline unknown | 2-3 for want of baseline
6 urinary-protein-increased | urine-protein-24h 0.5 g/d | 0-1 for want of ULN
"""

EXACT = exact_rows(COMMON, V5, V6, SHORT)
INTERVALS = interval_rows(INCOMPLETE, SHORT)


@pytest.mark.parametrize(("version", "term", "reading", "grade"), EXACT)
def test_the_grade_of_a_value(version, term, reading, grade):
    assert describe_outcome(grade_text(version, term, reading)) == grade


@pytest.mark.parametrize(("version", "term", "reading", "expected"), INTERVALS)
def test_the_interval_when_something_is_missing(version, term, reading, expected):
    assert describe_outcome(grade_text(version, term, reading)) == expected


@pytest.mark.parametrize("version", "56")
def test_every_grade_that_a_number_decides_stands_in_a_table_for_each_measure(version):
    table_grades = {
        (term, reading.split()[0], grade)
        for v, term, reading, grade in (*LABORATORY, *EXACT)
        if v == version
    }
    criteria_grades = {
        (criterion.id.removeprefix(f"ctcae-{version}.0."), measure, f"{grade:d}")
        for criterion in TABLES[version].criteria.values()
        for measure, arms in criterion.arms.items()
        for arm in arms
        for grade in arm.grades
    }
    assert sorted(criteria_grades - table_grades - ALIKE) == []


# measures that share the thresholds of one that is shown
ALIKE = {
    (term, measure, grade)
    for term, measure in (
        ("hypercalcemia", "calcium"),
        ("hyperglycemia", "glucose"),
        ("hyperglycemia", "glucose-fasting"),
        ("hypoglycemia", "glucose"),
        ("hypoglycemia", "glucose-fasting"),
        (CKD, "creatinine-clearance"),
    )
    for grade in "1234"
}
