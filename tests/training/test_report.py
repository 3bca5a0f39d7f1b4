"""``training report``: a page that is whole and needs nothing else, and says what the other commands say."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from tests.html_page import Page
from tests.training.cases import SLICE, run_training, table_of
from training.evaluation import FOREST, needed_features
from training.feature_choice import chosen_features
from training.fitting import FitParameters
from training.flow_file import FLOW_COLUMNS, write_rows
from training.flow_set import read_flow_set
from training.report import PAGE, Study, read_study_source, write_report
from training.report.ack_packets import ACK_PACKETS
from training.report.densities import DENSITIES
from training.report.drawing import plot_style
from training.report.importance import IMPORTANCE
from training.report.importance_correlation import CORRELATION
from training.report.leak_tests import LEAK_TESTS
from training.report.page import TOPICS
from training.report.reduction import REDUCTION
from training.report.subclass_tree import SUBCLASS_TREE
from training.subclasses import find_subclasses, said_rules, separation
from training.universal import CANDIDATES, rank_features

PORTS = frozenset({25, 587})
FEATURES = chosen_features("lengths", "forward")
PARAMETERS = FitParameters(trees=3, ports=PORTS)


@pytest.fixture(scope="module")
def study(flow_files):
    learn, test = flow_files
    sources = {
        "learn": read_study_source("learn", learn, PORTS, SLICE / "learn.pcap.gz"),
        "test": read_study_source("test", test, PORTS),
    }
    return Study(sources, PARAMETERS, FEATURES, folds=3, most=5)


@pytest.fixture(scope="module")
def written(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "report"
    sections = write_report(study, out)
    text = (out / PAGE).read_text(encoding="utf-8")
    return SimpleNamespace(out=out, sections=sections, text=text, page=Page(text))


def without(study, name, features):
    """The study as if the flows of a source did not carry these features."""
    source = study.sources[name]
    kept = tuple(feature for feature in source.flows.features if feature not in features)
    lacking = dataclasses.replace(source, flows=source.flows.of_features(kept))
    return Study({**study.sources, name: lacking}, PARAMETERS, FEATURES, folds=3, most=5)


def alone(study, name="learn"):
    return Study({name: study.sources[name]}, PARAMETERS, FEATURES, folds=3, most=5)


def section(topic, study):
    with plot_style():
        return topic.section(study)


def column(rows, name):
    """Row titles and the cells of a column."""
    at = rows[0].index(name)
    return {row[0]: row[at] for row in rows[1:]}


def test_the_page_needs_nothing_else(written):
    assert "http" not in written.text
    assert "@import" not in written.text
    assert set(re.findall(r"url\((.)", written.text)) == {"#"}
    links = {value for _, name, value in written.page.attributes if name in ("href", "src", "xlink:href", "action")}
    ids = [value for _, name, value in written.page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert links | {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", written.text)} <= {f"#{name}" for name in ids}


def test_every_figure_is_on_the_page_and_a_picture(written):
    drawings = [drawing for part in written.sections for drawing in part.drawings]
    shown = [value for tag, name, value in written.page.attributes if (tag, name) == ("svg", "aria-label")]
    assert shown == [drawing.title for drawing in drawings]
    assert {path.name for path in written.out.iterdir()} == {PAGE, *(f"{drawing.name}.png" for drawing in drawings)}
    for drawing in drawings:
        assert (written.out / f"{drawing.name}.png").read_bytes() == drawing.png
        assert drawing.png.startswith(b"\x89PNG")
        assert f"{drawing.name}.png" in written.page.words
    names = {drawing.name.split(".")[0] for drawing in drawings}
    assert names == {
        *("reduction", "clusters", "subclass_tree", "subclass_matrix", "means", "densities", "labels"),
        *("separation_tree", "separation_matrix", "importance", "universal", "correlation", "ack_packets"),
        *("detector", "verdicts", "leaks"),
    }


def test_colours_follow_the_style_sheet(written):
    figures = "".join(drawing.svg for part in written.sections for drawing in part.drawings)
    assert re.findall(r"#[0-9a-f]{6}\b", figures) == []
    declared = set(re.findall(r"(--[\w-]+):", written.text))
    assert set(re.findall(r"var\((--[\w-]+)\)", figures)) <= declared


def test_sections_are_those_of_the_pipeline(written):
    headings = [part.title for part in written.sections]
    assert headings == [topic.title for topic in TOPICS]
    for part in written.sections:
        assert not part.left_out
        assert part.lead in written.page.words
        assert part.paper in written.page.words
    assert [reason for part in written.sections for reason in part.reasons] == [
        "Bytes on the wire of test: --capture NAME=FILE does not name it."
    ]


def test_the_same_study_gives_the_same_files(study, written, tmp_path):
    write_report(study, tmp_path / "again")
    for path in written.out.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_subclasses_are_those_of_the_command(written, flow_files):
    flows = read_flow_set([flow_files[0]], chosen_features("shape", "forward"), PORTS, "forward")
    found = find_subclasses(flows, 1, folds=3, most=5)
    cells = column(written.page.tables["Clusters, sizes and rules"], "learn")
    assert cells["clusters chosen"] == str(found.chosen)
    assert cells["subclasses"] == str(found.count)
    assert cells["rules are right about"] == f"{100 * found.explained:.1f} %"
    for number in range(1, found.count + 1):
        assert cells[f"share of subclass {number}"] == f"{100 * np.mean(found.cluster == number):.1f} %"
    for rule in said_rules(found.rules, flows.features):
        assert rule in written.page.words
    labels = [row for row in written.page.tables["Labels of the subclasses"] if row[0] == "learn"]
    for number, row in enumerate(labels, 1):
        chosen = found.spam.label[found.cluster == number]
        shares = [f"{100 * np.mean(chosen == label):.1f}" for label in ("dnsbl", "spam")]
        assert row == ["learn", f"subclass {number}", str(len(chosen)), *shares]
    parted = separation(flows, found, 1, folds=3)
    cells = column(written.page.tables["How well it parts"], "learn")
    assert cells["total accuracy"] == f"{100 * parted.accuracy:.1f} %"
    assert cells["wrong: class 0"] == f"{100 * parted.wrong[0]:.1f} %"
    told = parted.confusion[:, 1].sum()
    assert cells["called so, but is not: subclass 1"] == f"{100 * (1 - parted.confusion[1, 1] / told):.1f} %"


def test_importance_is_that_of_the_command(written, flow_files):
    ranked = rank_features({path.stem: read_flow_set([path], CANDIDATES, PORTS) for path in flow_files})
    _, *rows = written.page.tables["Ranking"]
    assert [row[0] for row in rows] == [entry.name for entry in ranked]
    for row, entry in zip(rows, ranked, strict=True):
        star = " *" if entry.universal >= 50 else ""
        assert row[1] == f"{entry.universal:.1f}{star}"
        assert row[2:6] == [f"{points:.1f}" for pair in entry.by_source.values() for points in pair]
    points = np.array([[pair[way] for pair in e.by_source.values()] for way in (0, 1) for e in ranked])
    assert f"r = {np.corrcoef(points.T)[0, 1]:.3f} over 30 features" in written.page.words


def test_flows_are_judged_as_evaluate_does_it(study, flow_files):
    needed = needed_features(FEATURES)
    for path, case in zip(flow_files, (study.cases[0], study.cases[3]), strict=True):
        read = read_flow_set([path], needed, PORTS, "forward")
        assert case.flows.features == read.features
        assert (case.flows.X == read.X).all()
        assert (case.flows.sender == read.sender).all()


def test_detector_and_leaks_are_those_of_the_evaluation(written, study):
    _, *rows = written.page.tables["At 100 false alarms per 10 000 legitimate flows"]
    assert [row[1] for row in rows] == [name for case in study.cases for name in case.scores]
    forests = [row for row in rows if row[1] == FOREST]
    assert [row[2] for row in forests] == [str(case.detection(FOREST)) for case in study.cases]
    assert [row[3] for row in forests] == [str(case.gain(FOREST)).replace("-", "−") for case in study.cases]
    _, *rows = written.page.tables["Forest with its band: the operating point"]
    assert [row[1:4] for row in rows] == [
        [f"{found.caught:.3f}", f"{found.uncertain:.3f}", f"{found.rate:.0f}"]
        for found in (case.operation for case in study.cases)
    ]
    _, *rows = written.page.tables["Balanced accuracy of a vote without caution"]
    assert [row[3] for row in rows] == [str(leak.by_sender) for leak in study.leaks]
    said = [drawing for part in written.sections for drawing in part.drawings if drawing.name == "verdicts.learn"]
    case = study.cases[0]
    share = case.verdict_shares(case.flows.label == "dnsbl")[1]
    assert f"{100 * share:.1f} %" in said[0].svg


def test_packets_are_those_of_the_capture(written, flow_files):
    rows = table_of(flow_files[0])
    cells = column(written.page.tables["From packets to records"], "learn")
    packets = sum(int(row["packets"]) for row in rows)
    assert cells["packets"].replace(" ", "") == str(packets)
    assert cells["flows"].replace(" ", "") == str(len(rows))
    assert cells["packets for a flow"] == f"{packets / len(rows):.1f}"
    assert column(written.page.tables["From packets to records"], "test")["bytes on the wire"] == ""


def test_what_flows_do_not_carry_is_left_out(study):
    lacking = without(study, "test", ("spas",))
    left = section(IMPORTANCE, lacking)
    assert left.left_out == f"{study.sources['test'].table.path}: its flows do not carry spas."
    assert left.contents == []
    assert left.paper
    acks = section(ACK_PACKETS, lacking)
    assert acks.reasons == [f"test: {study.sources['test'].table.path}: its flows do not carry spas."]
    assert [drawing.title for drawing in acks.drawings] == ["Packets with ACK against packets: learn"]
    assert section(DENSITIES, without(study, "test", ("rspps",))).reasons[0].endswith("do not carry rspps.")
    assert "do not carry maxttl" in section(LEAK_TESTS, without(study, "test", ("maxttl",))).left_out


def test_one_source(study):
    single = alone(study)
    ranking = section(IMPORTANCE, single)
    assert ranking.reasons == ["Eq. 4 is the mean over two sources, and there is one."]
    assert [drawing.name for drawing in ranking.drawings] == ["importance"]
    assert section(CORRELATION, single).left_out == "a correlation needs two sources, and there is one."
    assert not section(REDUCTION, single).reasons


def test_too_few_senders_for_the_folds(study):
    few = Study({"learn": study.sources["learn"]}, PARAMETERS, FEATURES, folds=10_000)
    left = section(SUBCLASS_TREE, few)
    assert re.fullmatch(r"learn: .*: must hold spam of 10000 senders at least, not of \d+\.", left.reasons[0])
    assert left.drawings == []


def rows_where(flows, keep, out, **changes):
    """A file of flows with some rows of another one, changed."""
    rows = [{**row, **changes} for row in table_of(flows) if keep(row)]
    write_rows(out, FLOW_COLUMNS, [tuple(row[name] for name in FLOW_COLUMNS) for row in rows])
    return out


def test_wrong_input(flow_files, tmp_path, capsys):
    learn, test = flow_files
    out = tmp_path / "report"
    spam = rows_where(learn, lambda row: row["label"] in ("dnsbl", "spam"), tmp_path / "spam.csv")
    no_counts = rows_where(learn, lambda row: row["label"], tmp_path / "no_counts.csv", rsp="")
    odd = rows_where(test, lambda row: row["label"], tmp_path / "an odd name.csv")
    for arguments, words in (
        ([spam], "must have complete flows of both classes"),
        ([no_counts], "its flows do not carry rsp"),
        ([odd], "'an odd name': name of a source must be letters, digits"),
        ([learn, test, f"third={test}"], "a report is of one source or two, not of 3"),
        ([learn, learn], "another source is called 'learn' too"),
        ([learn, "--capture", f"other={SLICE / 'learn.pcap.gz'}"], "--capture other: no source is called so"),
        ([learn, "--capture", f"learn={SLICE / 'test.pcap.gz'}"], "holds 26961 tracked packets, but the flows of"),
        ([tmp_path / "none.csv"], "none.csv"),
        ([learn, "--features", "eggs"], "'eggs' is not in the catalogue"),
    ):
        assert run_training("report", *arguments, "--ports", "25,587", "-o", out) == 2, arguments
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        assert words in said
        assert not out.exists()


def test_a_directory_of_something_else_is_left_alone(flow_files, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert run_training("report", flow_files[0], "--ports", "25,587", "-o", tmp_path) == 2
    assert "holds no report.html, and would be replaced" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_half_written(study, tmp_path, monkeypatch):
    out = tmp_path / "report"
    out.mkdir()
    (out / PAGE).write_text("an older one")

    def fail(*_):
        raise RuntimeError("lightning")

    monkeypatch.setattr("training.report.page.TOPICS", (REDUCTION,))
    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(RuntimeError, match="lightning"):
        write_report(study, out)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert [path.name for path in out.iterdir()] == [PAGE]
    assert (out / PAGE).read_text() == "an older one"


def test_command_twice(flow_files, tmp_path, capsys):
    """The whole of it, from files to files; the second run replaces the first."""
    some = rows_where(flow_files[1], lambda row: row["label"] != "outgoing", tmp_path / "some.csv", spas="")
    options = ("--ports", "25,587", "--trees", 1, "--repeats", 1, "--most", 3, "--folds", 2)
    pages = []
    for _ in range(2):
        assert run_training("report", f"mine={some}", *options, "-o", tmp_path / "report") == 0
        pages.append({path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()})
    assert pages[0] == pages[1]
    said = capsys.readouterr()
    assert f"{tmp_path / 'report' / PAGE}: 13 sections, " in said.out
    for words in (
        f"Importance of features, and universal ones (eq. 4): left out: {some}: its flows do not carry spas.",
        "Correlation of the importances: left out: a correlation needs two sources",
        f"Packets with ACK against packets: left out: mine: {some}: its flows do not carry spas.",
    ):
        assert said.err.count(f"warning: {words}") == 2
    Page(pages[0][PAGE].decode())
