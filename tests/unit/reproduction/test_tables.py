import pytest

from histvq.errors import ConfigError
from histvq.models import make_method
from histvq.presets import load_preset, preset_names
from histvq.reproduction.plan import find_preset, row_on
from histvq.reproduction.tables import load_table, table_names

NAMES = [f"table{number}" for number in range(1, 11)]
every_table = pytest.mark.parametrize("name", NAMES)


def test_all_ten_in_order():
    assert table_names() == NAMES


@every_table
def test_every_row_can_be_made(name):
    table = load_table(name)
    assert len({row.name for row in table.rows}) == len(table.rows)
    for row in table.rows:
        for dataset in ("hugadb", "babel-3"):
            assert len(row.printed(dataset, len(table.scores))) == len(table.scores)
        if row.method:
            for scale in ("fast", "full"):
                dataset = (*row.on, "hugadb")[0]
                preset = find_preset(dataset, row.method, scale=scale, variant=row.variant)
                params = {
                    **preset.method.model_extra,
                    **table.shared(scale, dataset),
                    **row.changes,
                }
                if row.variant == "best":  # for any data, whatever it holds
                    params["n_actions"] = 10
                make_method(row.method, **params)
        else:
            assert row.paper  # or why is it there


@every_table
def test_one_row_of_an_ablation_is_the_method_as_it_is(name):
    if int(name.removeprefix("table")) < 4:
        return
    table = load_table(name)
    preset = find_preset("hugadb", "histvq", scale="fast").method.model_extra
    same = [r for r in table.rows if all(preset[k] == v for k, v in r.changes.items())]
    assert len(same) == 1
    assert same[0].printed("hugadb", 5) == [48.2, 44.3, 49.4, 39.8, 28.3]


@pytest.mark.parametrize("scale", ["fast", "full"])
@pytest.mark.parametrize("method", ["cte", "tot", "asot", "hvq", "window-kmeans"])
@pytest.mark.parametrize(
    ("dataset", "n_actions"), [("hugadb", 10), ("lara", 8), ("babel-1", 5), ("babel-3", 5)]
)
def test_every_baseline_is_ready_for_the_papers_datasets(dataset, n_actions, method, scale):
    params = find_preset(dataset, method, scale=scale).method.model_extra
    assert make_method(method, **params).n_actions == n_actions


def test_light_wins_over_what_serves_for_both():
    assert find_preset("hugadb", "hvq", scale="fast").method.model_extra["fps"] == 30
    assert "fps" not in find_preset("hugadb", "hvq", scale="full").method.model_extra
    assert find_preset("hugadb", "tot", scale="fast") == find_preset("hugadb", "tot", scale="full")


def test_numbers_looked_up_in_the_paper():
    def printed(name, row, dataset):
        table = load_table(name)
        return table.chosen((row,))[0].printed(dataset, len(table.scores))

    assert printed("table1", "smq", "hugadb") == [42.0, 36.1, 38.5, 31.5, 24.3]
    assert printed("table1", "ms-gcn", "hugadb") == [90.4, None, None, None, 93.0]
    assert printed("table1", "asot", "lara") == [22.9, 23.4, 17.8, 12.1, 5.7]
    assert printed("table1", "asot", "cmu-exercises") == [None] * 5
    assert printed("table2", "hvq", "babel-2") == [51.3, 53.3, 49.3, 40.1, 26.4]
    assert printed("table3", "histvq", "babel-1") == [74.4]
    assert printed("table4", "no-spatial", "hugadb") == [28.5, 26.7, 26.5, 17.8, 6.9]
    assert printed("table8", "2", "hugadb") == [39.6, 42.4, 45.0, 34.2, 22.3]
    assert printed("table10", "both", "babel-3") == [43.2, 32.9, 32.7, 26.5, 18.2]


def test_presets_are_told_apart():
    kinds = [
        (dataset, p.method.name, p.scale, p.variant)
        for p in map(load_preset, preset_names())
        for dataset in p.datasets
    ]
    assert len(set(kinds)) == len(kinds)


def test_what_there_is_none_of():
    with pytest.raises(ConfigError, match="no table is called 'tabel4'; did you mean 'table4'"):
        load_table("tabel4")
    with pytest.raises(ConfigError, match="no row 'no-spatail'; did you mean 'no-spatial'"):
        load_table("table4").chosen(("no-spatail",))
    with pytest.raises(
        ConfigError, match="no full preset for smq clean on 'pku-mmd'; smq has presets"
    ):
        find_preset("pku-mmd", "smq", scale="full", variant="clean")


@pytest.mark.parametrize(
    ("name", "row", "changes"),
    [
        # The preset of the exercises has lambda_spat 10 and lambda_temp 0.1; the paper 0.001 and 0.2.
        ("table7", "0.0005", {"lambda_spat": 5.0}),
        ("table7", "0.001", {"lambda_spat": 10.0}),
        ("table8", "20", {"lambda_temp": 10.0}),
        ("table5", "alpha-3", {"alpha": 3}),
    ],
)
def test_weights_on_unit_free_input_are_multiples_of_the_presets(name, row, changes):
    table = load_table(name)
    (printed,) = table.chosen((row,))
    assert row_on(printed, table, dataset="cmu-exercises", scale="fast").changes == changes
    assert row_on(printed, table, dataset="hugadb", scale="fast") == printed


def test_what_rows_share_on_a_dataset_wins_over_what_they_share():
    table = load_table("table4").model_copy(
        update={"budget": {"fast": {"a": 1, "b": 2}}, "budget_on": {"x": {"fast": {"b": 3}}}}
    )
    assert table.shared("fast", "x") == {"a": 1, "b": 3}
    assert table.shared("fast", "y") == {"a": 1, "b": 2}
    assert table.shared("full", "x") == {}
