"""The explorer in a real headless browser: its numbers are those of the package, and every control works."""

import base64
import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from browser import POINT, control, open_browser, ready, tooltips, wait
from planted_explorer import HEADS, LABELS, write_all
from scipy.stats import hypergeom

from symbreak.clusters import partition
from symbreak.explorer import explorer_page
from symbreak.explorer.choosing import moments_files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    driver = open_browser()
    folder = tmp_path_factory.mktemp("explorer")
    write_all(folder)
    file = folder / "explorer.html"
    file.write_text(explorer_page("A <title>", moments_files(folder)), encoding="utf-8")
    ready(driver, file.as_uri())
    yield driver
    driver.quit()


@pytest.fixture
def driver(page):
    """The page as it opens, without loading it again."""
    visit(page, "network=bert&seed=1")
    return page


def state(driver):
    return driver.execute_script("return symbreak.page.state")


def visit(driver, words):
    """Another address of the same page, as from a link; wait until the page has answered."""
    script = "const done = arguments[1]; location.hash = arguments[0]; setTimeout(done, 150)"
    driver.execute_async_script(script, words)


def shown(driver, name):
    return driver.execute_script("return Bokeh.documents[0].get_model_by_name(arguments[0]).text", name)


def floats(text, *shape):
    return np.frombuffer(base64.b64decode(text), "<f4").astype(float).reshape(shape)


def matrix_of(block, kind, unit):
    """In the order of operations of the browser: nodes one after another, then the bias."""
    if "matrices" in block:
        return floats(block["matrices"], -1, LABELS, LABELS)[unit]
    groups = (
        block["heads" if kind == "heads" else "filters"] if kind != "nodes" else range(1, block["nodes"] + 1)
    )
    fields = np.zeros((LABELS, LABELS))
    mean, readout = (floats(block[name], -1, LABELS) for name in ("mean", "readout"))
    for node in np.flatnonzero(np.array(groups) == unit + 1):
        fields += np.multiply.outer(mean[node], readout[node])
    return fields if block["bias"] is None else fields + floats(block["bias"], LABELS)


def test_clusters_of_a_thousand_random_units_and_thresholds_are_those_of_the_package(driver):
    data = json.loads(driver.execute_script("return document.getElementById('symbreak-data').textContent"))
    generator = np.random.default_rng(5)
    asked, expected = [], []
    for number in range(1000):
        place = int(generator.integers(len(data["blocks"])))
        block = data["blocks"][place]
        kinds = ["filters"] if "filters" in block else ["nodes", *["heads"] * ("heads" in block)]
        kind = kinds[number % len(kinds)]
        counts = {"filters": block.get("filters"), "heads": block.get("heads"), "nodes": [block["nodes"]]}
        unit = int(generator.integers(max(counts[kind])))
        fields = matrix_of(block, kind, unit)
        threshold = float(generator.uniform())
        if number % 2:  # a threshold that an element meets exactly, and must lie above
            ratios = (fields / fields.max())[fields > 0]
            threshold = float(generator.choice(ratios[ratios < 1]))
        asked.append([place, kind, unit, threshold])
        expected.append(partition(fields, threshold))
    found = driver.execute_script(
        """
        const { page, opened, fieldsOf, clipped, partition } = symbreak
        const n = page.data.labels.names.length
        return arguments[0].map(([place, kind, unit, threshold]) => {
          const fields = fieldsOf(opened(page.data.blocks[place], n), kind, unit)
          return Array.from(partition(clipped(fields, threshold), n)).join(" ")
        })
        """,
        asked,
    )
    assert {tuple(pick[:2]) for pick in asked} >= {(0, "heads"), (0, "nodes")}
    for pick, got, truth in zip(asked, found, expected, strict=True):
        assert np.array_equal(np.array(got.split(), int), truth), pick
    assert max(map(max, expected)) > 20 and len({tuple(one) for one in expected}) > 800


def choose(driver, name, value):
    from selenium.webdriver.support.ui import Select

    Select(control(driver, name, "select")).select_by_visible_text(value)
    assert str(state(driver)[name]) == value


def test_every_choice_changes_what_is_shown_and_the_address(driver):
    seen = [shown(driver, "numbers")]
    for name, value in [
        ("seed", "2"), ("block", "1"), ("units", "nodes"), ("order", "as in the data"),
        ("order", "superclass"), ("tap", "block"), ("network", "cnn"), ("block", "2"),
        ("network", "vgg"), ("network", "bert"),
    ]:  # fmt: skip
        choose(driver, name, value)
        seen.append(shown(driver, "numbers") + shown(driver, "label_text"))
        address = parse_qs(urlsplit(driver.current_url).fragment)
        assert {key: [str(one)] for key, one in state(driver).items()} == address
    assert len(set(seen)) >= 8
    assert state(driver)["tap"] == "attention" and state(driver)["seed"] == "2"


def test_the_slider_moves_the_threshold_and_all_numbers_with_it(driver):
    from selenium.webdriver.common.keys import Keys

    handle = control(driver, "threshold", ".noUi-handle")
    data = json.loads(driver.execute_script("return document.getElementById('symbreak-data').textContent"))
    place = driver.execute_script("return symbreak.page.data.blocks.indexOf(symbreak.page.block)")
    fields = matrix_of(data["blocks"][place], "heads", 0)
    for _ in range(3):
        handle.send_keys(Keys.ARROW_RIGHT * 7)
        threshold = state(driver)["threshold"]
        cluster_of = partition(fields, threshold)
        sizes = np.bincount(cluster_of)[1:]
        noise = (fields / fields.max() > threshold).sum() - (sizes**2).sum()
        words = re.findall(r"<td>(.*?)</td>", shown(driver, "numbers"))
        assert words[0] == str(cluster_of.max()) and words[2:] == [str(sizes.sum()), str(noise)]
        assert float(words[1]) == pytest.approx(sizes.mean(), rel=0.01)
        mark = driver.execute_script("return Bokeh.documents[0].get_model_by_name('curve_mark').location")
        assert mark == threshold
    assert threshold == pytest.approx(0.321)
    read = driver.execute_script("return symbreak.page.read")
    assert read["threshold"] == pytest.approx(0.32) and read["snr"] > 0
    drawn = driver.execute_script(
        "return Array.from(Bokeh.documents[0].get_model_by_name('permuted_image').data.image[0])"
    )
    assert np.bincount(np.array(drawn, int))[1] == noise


def test_a_click_on_the_map_opens_a_unit_and_a_label(driver):
    from selenium.webdriver.common.action_chains import ActionChains

    figure = driver.execute_script(
        "return Bokeh.index.find_one_by_id(Bokeh.documents[0].get_model_by_name('map').id).el"
    )
    for column, row in ((40, 7), (100, 2)):
        label = driver.execute_script("return symbreak.page.labels[arguments[0]]", column)
        x, y = driver.execute_script(POINT, "map", column + 0.5, row + 0.5)
        ActionChains(driver).move_to_element_with_offset(figure, round(x), round(y)).click().perform()
        assert (state(driver)["unit"], state(driver)["label"]) == (row + 1, label)
        assert f"head {row + 1}" in shown(driver, "numbers")
        assert f"head {row + 1}, label {label:03d}: in " in tooltips(driver, f"label {label:03d}")


def test_hover_over_a_matrix_names_labels_and_values(driver):
    from selenium.webdriver.common.action_chains import ActionChains

    figure = driver.execute_script(
        "return Bokeh.index.find_one_by_id(Bokeh.documents[0].get_model_by_name('raw').id).el"
    )
    x, y = driver.execute_script(POINT, "raw", 33.5, 70.5)
    ActionChains(driver).move_to_element_with_offset(figure, round(x), round(y)).perform()
    said = tooltips(driver, "input label 070, output label 033: field ")
    field = driver.execute_script("return symbreak.page.fields[70 * 150 + 33]")
    assert float(re.search(r"field (\S+),", said)[1]) == pytest.approx(field, rel=0.01)
    for name in ("clipped", "permuted"):
        assert driver.execute_script("return symbreak.hover(arguments[0], 3.2, 4.8)", name).startswith(
            "input "
        )


def test_search_and_unit_number_and_the_band_of_chance(driver):
    from selenium.webdriver.common.keys import Keys

    box = control(driver, "search", "input")
    box.send_keys("BEL 077", Keys.ENTER)
    assert state(driver)["label"] == 77 and "<h2>label 077</h2>" in shown(driver, "label_text")
    number = control(driver, "unit", "input")
    number.send_keys(Keys.BACKSPACE, "9", Keys.ENTER)
    assert state(driver)["unit"] == 9 and "head 9" in shown(driver, "numbers")
    found = driver.execute_script("return symbreak.page.appearances")
    total, law = sum(found["counts"]), hypergeom(8 * HEADS, sum(found["counts"]), 8)
    assert (
        total > 0 and found["low"] == [law.ppf(0.025)] * HEADS and found["high"] == [law.ppf(0.975)] * HEADS
    )
    bands = driver.execute_script("return arguments[0].map((sizes) => symbreak.chanceBand(...sizes))", [
        [64, 0, 16], [64, 64, 16], [64, 9, 16], [768, 300, 64], [10, 3, 1],
    ])  # fmt: skip
    laws = [hypergeom(64, 0, 16), hypergeom(64, 64, 16), hypergeom(64, 9, 16), hypergeom(768, 300, 64)]
    for band, law in zip(bands, [*laws, hypergeom(10, 3, 1)], strict=True):
        assert (band["low"], band["high"]) == (law.ppf(0.025), law.ppf(0.975))
        assert band["mean"] == pytest.approx(law.mean())


def test_the_address_brings_back_what_was_shown_and_nonsense_does_no_harm(driver):
    wanted = (
        "network=bert&seed=2&tap=block&block=1&units=nodes&unit=30&threshold=0.45&label=12&order=superclass"
    )
    visit(driver, wanted)
    assert "node 30" in shown(driver, "numbers")
    ready(driver, driver.current_url)  # as a colleague opens a link
    assert urlsplit(driver.current_url).fragment == wanted
    assert control(driver, "unit", "input").get_attribute("value") == "30"
    visit(driver, wanted.replace("unit=30", "unit=31"))
    assert state(driver)["unit"] == 31 and "node 31" in shown(driver, "numbers")
    visit(driver, "network=%3Cb%3E&seed=x&unit=1e9&threshold=7&label=-3&order=&block=9&units=heads&x=y")
    found = state(driver)
    assert (found["network"], found["block"], found["unit"], found["label"]) == ("bert", "2", 1, 0)
    assert found["threshold"] == 0.3


def test_the_page_loads_nothing_runs_no_word_of_a_file_and_logs_no_error(driver):
    assert driver.title == "A <title>: explorer"
    assert (
        driver.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    )
    assert "onerror" in driver.execute_script("return symbreak.hover('raw', 0.5, 0.5)")
    choose(driver, "order", "as in the data")
    assert "&lt;/script&gt;" in shown(driver, "label_text") and "<b>" not in shown(driver, "label_text")
    assert driver.execute_script("return document.images.length") == 0
    assert driver.title == "A <title>: explorer"
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_page_opens_inside_the_report_which_embeds_it_as_a_data_address(page, tmp_path):
    """As Snakemake does: the header by innerHTML, then a frame with the page in base64."""
    jinja2, core = pytest.importorskip("jinja2"), pytest.importorskip("docutils.core")
    header = (ROOT / "workflow" / "report" / "workflow.rst").read_text(encoding="utf-8")
    known = SimpleNamespace(config={"name": "demo"})
    body = core.publish_parts(jinja2.Template(header).render(snakemake=known), writer_name="html")[
        "html_body"
    ]
    file = Path(urlsplit(page.current_url).path)
    script = f"document.body.innerHTML = {json.dumps(body)}".replace("</", "<\\/")
    report = tmp_path / "report.html"
    report.write_text(f"<body><script>{script}</script>", encoding="utf-8")
    page.get(report.as_uri())
    embedded = base64.b64encode(file.read_bytes()).decode()
    assert len(embedded) > 2**21
    page.execute_async_script(
        """
        const frame = document.createElement("iframe")
        frame.src = `data:text/html;charset=utf8;filename=explorer.html;base64,${arguments[0]}`
        setTimeout(() => document.body.append(frame), 300)
        setTimeout(arguments[1], 800)
        """,
        embedded,
    )
    page.switch_to.frame(0)
    wait(page)
    assert state(page)["network"] == "bert" and page.execute_script("return location.protocol") == "blob:"
    page.switch_to.default_content()
