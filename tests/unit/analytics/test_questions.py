"""The files of queries/ run as they are, and a parameter replaces the value at its mark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analytics.flink.settings import analytics_flink_options
from analytics.job import main
from analytics.question import Question, QuestionError, share_out, split_statements
from analytics.question_files import find, shipped
from analytics.schema import FOLDER, schema_of, text_of
from analytics.settings import AnalyticsSettings
from analytics.tables.declarations import declarations, fields_of, interval, with_own_transactions
from producer.event_fields import INSERTS
from producer.events.catalogue.event_catalogue import BUILT_IN, load_catalogue

QUESTIONS = shipped()


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_defaults_are_what_stands_in_the_text(question: Question) -> None:
    assert question.statements({}) == split_statements(question.text) or question.parameters
    unmarked = [re.sub(r" /\* [\w -]+ \*/", "", text) for text in split_statements(question.text)]
    filled = [re.sub(r" /\* [\w -]+ \*/", "", text) for text in question.statements({})]
    assert filled == unmarked
    marks = set(re.findall(r"/\* (\w+)(?: - \d+)? \*/", question.text))
    assert marks == set(question.parameters)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_each_question_has_a_title_and_writes_a_declared_result(question: Question) -> None:
    assert question.title.endswith((".", "?"))
    assert set(question.results) <= set(declarations()) | {"archive"}


def test_a_value_takes_the_place_of_every_mark() -> None:
    text = "-- x = 300 [1..400] seconds\nSELECT '300' /* x */ SECOND, 299 /* x - 1 */, 300 FROM t;\n"
    assert Question("q", text).statements({"x": "7"}) == ["SELECT '7' SECOND, 6, 300 FROM t"]


@pytest.mark.parametrize("value", ["0", "86401", "ten", "-5", "1e3", "", "3.5", "٣"])
def test_a_value_out_of_range_says_what_would_do(value: str) -> None:
    with pytest.raises(QuestionError, match=r"expected a whole number from 1 to 86400 \(seconds of a window"):
        QUESTIONS["level_windows"].statements({"width": value})


def test_values_go_to_all_that_know_them_unless_one_is_named() -> None:
    asked = find("error_burst,brute_force")
    shared = share_out(asked, {"brute_force.threshold": "9", "threshold": "5"})
    assert shared == {"error_burst": {"threshold": "5"}, "brute_force": {"threshold": "9"}}
    with pytest.raises(QuestionError, match="no such parameter here; there are: accounts, threshold, width"):
        share_out(asked, {"treshold": "5"})


def test_only_fields_that_a_question_mentions_are_read() -> None:
    assert fields_of(find("level_windows")) == ["level", "source", "computer"]
    assert "message" not in fields_of(find("brute_force,top_accounts,logon_sessions"))


def test_positions_of_inserts_are_those_of_the_catalogue() -> None:
    catalogue = load_catalogue(BUILT_IN)
    types = [t for t in catalogue.event_types.values() if t.channel == "Security"]
    found = {
        (name, position, event_type.event_id)
        for event_type in types
        for position, name in enumerate(event_type.data, start=1)
        if name in INSERTS
    }
    listed = {
        (n, p, event) for n, places in INSERTS.items() for p, events in places.items() for event in events
    }
    assert listed == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["level_window"], "no question 'level_window'; there are: alerts_in_context, archive, brute_force"),
        (["level_windows", "--set", "width=0"], "width=0: expected a whole number from 1 to 86400"),
        (["level_windows", "--set", "width"], "--set 'width': expected NAME=VALUE"),
        (["level_windows,level_windows"], "level_windows is given twice"),
        (["level_windows", "--from-files", "nothing/*.ndjson"], "there is no such file"),
        (
            ["level_windows", "--result-topic", "alerts=x"],
            "no such result here; there are: events_by_level_5m",
        ),
        (["enriched", "--hosts", "no.csv"], "no.csv: No such file or directory (columns computer,role,site)"),
        (["archive"], "archive needs --archive-path"),
        (["archive", "--archive-path", "relative"], "not 'relative'"),
        (["alerts_in_context,brute_force"], "brute_force keeps its state for a day: submit two jobs"),
        (["no.sql"], "no.sql: No such file or directory"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_before_anything_starts(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, [*arguments, "--kafka-username", "analytics"])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("SELECT * FROM events", True),
        ("SELECT * FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(event_time), INTERVAL '5' MINUTE))", True),
        ("SELECT * FROM mine, `events` WHERE TRUE", True),
        ("SELECT * FROM mine AS m, events e WHERE TRUE", True),
        ("SELECT subject, events FROM alerts_told JOIN mine ON TRUE", False),
        ("-- FROM events\nSELECT 1", False),
    ],
)
def test_a_table_that_is_read_is_told_from_a_column_of_its_name(text: str, reads: bool) -> None:
    assert Question("q", text).reads("events") is reads


def test_a_table_that_a_question_creates_is_no_topic() -> None:
    text = (
        "CREATE TEMPORARY TABLE mine (c STRING) WITH ('connector' = 'print');\nINSERT INTO mine SELECT 1;\n"
    )
    question = Question("q", f"{text}INSERT INTO alerts SELECT 2;\n")
    settings = AnalyticsSettings((question,), {}, delivery="exactly-once")
    assert settings.answer_topics == ("alerts",)
    assert question.writes == ("mine", "alerts")
    assert with_own_transactions("INSERT INTO mine SELECT 1", settings, "q-1") == "INSERT INTO mine SELECT 1"
    assert "sink.transactional-id-prefix" in with_own_transactions(
        "INSERT INTO alerts SELECT 2", settings, "q-2"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(10, "0 00:00:10.000"), (9.9996, "0 00:00:10.000"), (90_061.0005, "1 01:01:01.000")]
)
def test_an_interval_has_days_and_milliseconds(seconds: float, text: str) -> None:
    assert interval(seconds) == f"INTERVAL '{text}' DAY(3) TO SECOND(3)"


def test_a_job_that_knows_the_inventory_forgets_nothing() -> None:
    (joining,), (other,) = find("alerts_in_context"), find("brute_force")
    ttl = "table.exec.state.ttl"
    assert analytics_flink_options(AnalyticsSettings((joining,), {}))[ttl] == "0 ms"
    assert analytics_flink_options(AnalyticsSettings((other,), {}))[ttl] == "1 d"


def test_a_file_of_ones_own_must_insert_something(tmp_path: Path) -> None:
    file = tmp_path / "mine.sql"
    file.write_text("SELECT 1;\n")
    with pytest.raises(QuestionError, match="no statement begins with INSERT INTO"):
        find(str(file))


@pytest.mark.parametrize("result", declarations())
def test_the_schemas_are_those_of_the_tables(result: str) -> None:
    assert (FOLDER / f"{result}.json").read_text() == text_of(result)
    columns = re.findall(r"^  `?\w+`? [A-Z]", declarations()[result], re.MULTILINE)
    assert len(schema_of(result)["properties"]) == len(columns) - 1  # the last is the primary key


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT INTO alerts SELECT 1",
        "  insert  into `alerts` SELECT 1",
        "/* why */ INSERT INTO\nalerts SELECT 1",
        "-- why; and how\nINSERT INTO alerts -- the topic;\nSELECT '--' || `a--b`",
    ],
)
def test_an_insert_is_found_in_every_spelling(insert: str) -> None:
    question = Question("mine", f"CREATE TEMPORARY VIEW v AS SELECT 1; -- one\n{insert};\n")
    assert question.writes == question.results == ("alerts",)
    statements = question.statements({})
    assert len(statements) == 2
    assert "the topic" not in statements[1]
    assert ("'--' || `a--b`" in statements[1]) == ("'--'" in insert)


def test_each_job_has_a_consumer_group_and_transactional_ids_of_its_own() -> None:
    windows, accounts = find("level_windows"), find("top_accounts")
    jobs = [
        AnalyticsSettings(windows, {"level_windows": {}}),
        AnalyticsSettings(windows, {"level_windows": {"width": "30"}}),
        AnalyticsSettings(windows, {"level_windows": {}}, topic="other"),
        AnalyticsSettings(windows, {"level_windows": {}}, result_topics={"events_by_level_5m": "mine"}),
        AnalyticsSettings(accounts, {"top_accounts": {}}),
    ]
    prefixes = [job.transactional_id_prefix for job in jobs]
    assert len(set(prefixes)) == len(jobs)
    assert all(prefix.startswith("win-event-analytics-") for prefix in prefixes)
    assert AnalyticsSettings(windows, {"level_windows": {}}).transactional_id_prefix == prefixes[0]


def test_the_state_of_ones_own_sql_is_kept(tmp_path: Path) -> None:
    def kept(names: str) -> str:
        questions = find(names)
        return analytics_flink_options(AnalyticsSettings(questions, {q.name: {} for q in questions}))[
            "table.exec.state.ttl"
        ]

    mine = tmp_path / "mine.sql"
    mine.write_text("INSERT INTO events_by_level SELECT `level`, COUNT(*) FROM events GROUP BY `level`;\n")
    assert kept("brute_force") == "1 d"
    assert kept(str(mine)) == kept(f"brute_force,{mine}") == kept("alerts_in_context") == "0 ms"
