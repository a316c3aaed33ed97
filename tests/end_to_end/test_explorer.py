"""The page's gallery in a real browser: by mouse, by keyboard, without JavaScript, on paper."""

import base64
import itertools

import pytest

from browser import all_of, go, keys, one, requests
from explored_page import AGES, CASES, CLASSES, LEAST, page_of
from foldwise.report.explorer.trials import explored
from made_masks import mask_rows

pytestmark = pytest.mark.slow


def pressed(opened):
    return [button.text for button in all_of(opened, '[aria-pressed="true"]')]


def test_pages_of_the_gallery_come_when_asked_for(opened):
    assert len(all_of(opened, ".case")) == 60
    one(opened, ".gallery + .more").click()
    assert len(all_of(opened, ".case")) == CASES
    assert not one(opened, ".gallery + .more").is_displayed()


def test_a_click_on_a_cell_filters_and_a_second_click_takes_it_back(opened):
    cell = all_of(opened, ".matrix td button")[1]
    number = cell.text
    # Even numbers (plain) that three divides (answered with the second class).
    assert number == str(len([n for n in range(CASES) if n % 2 == 0 and n % 3 == 0]))
    cell.click()
    assert one(opened, "#explore-cases .tools + .count").text == f"{number} of {CASES} cases"
    assert pressed(opened) == [number]
    assert len(all_of(opened, ".case.wrong")) == int(number)
    opened.switch_to.active_element.click()
    assert one(opened, "#explore-cases .tools + .count").text == f"{CASES} of {CASES} cases"


def test_fold_order_and_wrong_ones(opened):
    from selenium.webdriver.support.select import Select

    def label(place):
        return all_of(opened, ".case")[place].get_attribute("aria-label")

    worst = label(0)
    order, fold = map(Select, all_of(opened, "#explore-cases .tools select")[:2])
    order.select_by_value("right")
    assert label(0) != worst
    fold.select_by_visible_text("Fold 2")
    one(opened, "#explore-cases .tools input").click()
    wrong = [n for n in range(CASES) if n % 3 == 1 and n % 2 != 0]
    assert one(opened, "#explore-cases .tools + .count").text == f"{len(wrong)} of {CASES} cases"


def test_a_case_is_looked_at_and_left_by_keyboard_alone(opened):
    opened.execute_script("document.querySelector('.case').focus()")
    keys(opened, "ENTER")
    dialog = one(opened, "dialog")
    assert dialog.is_displayed() and "1 of 90" in dialog.text
    keys(opened, "ARROW_RIGHT", "ARROW_RIGHT", "ARROW_LEFT")
    assert "2 of 90" in dialog.text
    keys(opened, "ESCAPE")
    assert not dialog.is_displayed()
    assert "case" in opened.switch_to.active_element.get_attribute("class")


def test_the_first_case_is_three_keys_from_the_top(opened):
    skip = one(opened, "a.skip")
    assert skip.rect["x"] + skip.rect["width"] <= 0
    keys(opened, "TAB")
    assert opened.switch_to.active_element == skip and skip.text == "To the cases"
    assert skip.rect["x"] >= 0 and skip.value_of_css_property("position") == "fixed"
    keys(opened, "ENTER", "TAB")
    assert opened.switch_to.active_element == one(opened, ".case")
    assert skip.rect["x"] + skip.rect["width"] <= 0


def test_each_picture_is_drawn(opened):
    widths = opened.execute_script(
        "return [...document.querySelectorAll('.case img')].map((one) => one.naturalWidth)"
    )
    assert widths == [64] * 60


def test_nothing_leaves_the_page(opened, page):
    all_of(opened, ".case")[0].click()
    assert requests(opened) == [page.resolve().as_uri()]
    # Nor could it: what a script or a picture would ask for is refused by the page itself.
    answer = opened.execute_async_script(
        "const done = arguments[0]; document.body.append(Object.assign(new Image(),"
        "{src: 'http://127.0.0.1:9/p'}));"
        "fetch('http://127.0.0.1:9/f').then(() => done('sent'), () => done('refused'))"
    )
    refused = [line["message"] for line in opened.get_log("browser")]
    assert answer == "refused"
    assert len([line for line in refused if "Content Security Policy" in line]) >= 2


def test_overlays_are_switched_on_and_off(opened):
    def drawn():
        return [img.get_attribute("alt") for img in all_of(opened, ".case .stack img + img")]

    boxes = {box.text: box for box in all_of(opened, ".tools span label")}
    assert list(boxes) == ["Grad-CAM (1)", "truth (90)"]
    assert drawn() == []
    boxes["truth (90)"].click()
    assert drawn() == ["truth"] * 60
    boxes["Grad-CAM (1)"].click()
    one(opened, ".gallery + .more").click()
    assert sorted(set(drawn())) == ["Grad-CAM", "truth"]
    all_of(opened, ".case")[0].click()
    first, above = all_of(opened, "dialog .stack img")[:2]
    assert first.rect == above.rect
    keys(opened, "ESCAPE")
    boxes["truth (90)"].click()
    assert "truth" not in drawn()


def test_a_table_sorts_up_down_and_back(opened):
    def column():
        return [cell.text for cell in all_of(opened, "#t td")]

    given = ["0.9", "–", "1,200", "11"]
    head = one(opened, "#t th button")
    assert column() == given
    head.click()
    assert column() == ["0.9", "11", "1,200", "–"]
    assert one(opened, "#t th").get_attribute("aria-sort") == "ascending"
    head.send_keys(" ")
    assert column() == ["–", "1,200", "11", "0.9"]
    head.click()
    assert column() == given


def test_a_subgroup_and_a_class_of_the_margin_filter(opened):
    from selenium.webdriver.support.select import Select

    count = "#explore-cases .tools + .count"
    side = Select(all_of(opened, "#explore-cases .tools select")[2])
    side.select_by_visible_text("R")
    assert one(opened, count).text == f"{CASES // 5} of {CASES} cases"
    side.select_by_visible_text("All")
    all_of(opened, ".matrix th[scope=row] button")[0].click()
    assert one(opened, count).text == f"{CASES // 2} of {CASES} cases"
    all_of(opened, ".matrix th[scope=col] button")[1].click()
    assert one(opened, count).text == f"{CASES // 3} of {CASES} cases"


def test_columns_of_subgroups_filter_and_no_filter_shows_who_is_rare(opened, page):
    from selenium.webdriver.support.select import Select

    count = "#explore-cases .tools + .count"
    selects = [Select(one) for one in all_of(opened, "#explore-cases .tools select")]
    side, age, site = selects[2:5]
    samples = [row["sample"] for row in mask_rows(CASES)]
    assert [option.text for option in age.options] == ["All", *AGES]
    assert [option.text for option in site.options] == ["All", "North", "South", "rare or unknown"]
    age.select_by_visible_text(AGES[1])
    assert one(opened, count).text == f"{CASES // 3} of {CASES} cases"
    seen = 0
    for taken, band in itertools.product(("All", "L", "R"), ("All", *AGES)):
        side.select_by_visible_text(taken)
        age.select_by_visible_text(band)
        for place in range(len(site.options)):
            site.select_by_index(place)
            number = int(one(opened, count).text.split()[0])
            labels = [case.get_attribute("aria-label") for case in all_of(opened, ".case")]
            # The sixty of the first page; a patient has two images here.
            patients = {samples.index(label.split(",")[0]) // 2 for label in labels}
            assert number == 0 or len(patients) >= LEAST
            seen += number > 0
    assert seen > 12
    side.select_by_visible_text("All")
    selects[0].select_by_visible_text("By age")
    age.select_by_visible_text("All")
    site.select_by_visible_text("All")
    all_of(opened, ".case")[0].click()
    assert AGES[0] in one(opened, "dialog").text
    keys(opened, "ESCAPE")
    assert "Canary" not in page.read_text(encoding="utf-8")


def test_all_that_is_pressed_has_a_name(opened):
    """What a screen reader says: names of controls and pictures, by Chromium's own tree."""
    tree = opened.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = ("button", "combobox", "slider", "spinbutton", "checkbox", "image", "img", "group")
    shown = [node for node in tree if not node["ignored"] and node["role"]["value"] in controls]
    assert len(shown) > CASES / 2
    unnamed = [node for node in shown if not node.get("name", {}).get("value", "").strip()]
    assert not [node["role"]["value"] for node in unnamed]


def test_the_list_of_sections_marks_where_one_is(opened):
    assert [link.text for link in all_of(opened, "nav [aria-current]")] == ["Cases"]


def test_names_are_text(opened):
    assert not all_of(opened, "#explore-cases b")
    assert "onclick" in one(opened, ".matrix").text


def test_without_javascript_the_page_says_what_is_missing(chromium, page):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    go(chromium, page)
    text = one(chromium, "main").text
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "90 validation images" in text and "with JavaScript" in text


def test_on_paper_there_are_no_tools(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = one(opened, "#explore-cases .tools").is_displayed(), one(opened, "nav").is_displayed()
    table = one(opened, ".matrix").is_displayed()
    said = one(opened, "#explore-thresholds .printed").text
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == (False, False) and table
    assert "probability of at least 0.50; prevalence 50.0%" in said
    assert base64.b64decode(opened.print_page()).startswith(b"%PDF")


def test_a_narrow_window_needs_no_scrolling_to_the_side(opened):
    opened.set_window_size(420, 900)
    width = opened.execute_script("return document.documentElement.scrollWidth - innerWidth")
    opened.set_window_size(1280, 900)
    assert width <= 0


# Part -> its data, and a control of another part that must answer all the same.
BREAKS = {
    "cases": ("cases", "#explore-thresholds select"),
    "thresholds": ("operating_points", ".matrix td button"),
    "embeddings": ("projections", ".matrix td button"),
    "trials": ("trials", ".matrix td button"),
}


@pytest.mark.parametrize("part", BREAKS)
@pytest.mark.parametrize("broken", ["{", '{"curves": [{}], "folds": [{}], "trials": [{}]}'])
def test_a_part_that_fails_says_so_and_the_others_work(chromium, page, tmp_path, part, broken):
    data, control = BREAKS[part]
    whole = page.read_text(encoding="utf-8")
    start = whole.index(">", whole.index(f'id="data-{data}"')) + 1
    spoilt = whole[:start] + broken + whole[whole.index("</script>", start) :]
    (tmp_path / "index.html").write_text(spoilt, encoding="utf-8")
    chromium.get_log("browser")
    go(chromium, tmp_path / "index.html")
    (failed,) = all_of(chromium, f"#explore-{part} .failed")
    assert "did not start" in failed.text
    assert any(f"{part}:" in line["message"] for line in chromium.get_log("browser"))
    # What reads the same data fails as well; no other part does.
    assert len(all_of(chromium, ".failed")) == (2 if part == "cases" else 1)
    one(chromium, control).click()
    one(chromium, "#t th button").click()
    assert one(chromium, "#t th").get_attribute("aria-sort") == "ascending"
    assert all_of(chromium, "nav [aria-current]")


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("missing", [{"p_": ""}, {}])
def test_little_is_explored_too(chromium, tmp_path, number, missing):
    """One case, one class alone, no probabilities, no pictures, no trial that ended."""
    rows = [
        {"sample": f"s{i}", "group": "g", "fold": 1, "label": CLASSES[0], "predicted": CLASSES[0]}
        | {f"p_{name}": missing.get("p_", int(k == 0)) for k, name in enumerate(CLASSES)}
        for i in range(number)
    ]
    lost = {"trial": "trial_0000", "state": "FAIL", "kappa": "", "lr": "", "loss": ""}
    trials = explored([lost], [], [{"metric": "kappa", "direction": "maximize"}], ["lr"], {})
    chromium.get_log("browser")
    go(chromium, page_of(tmp_path, rows, trials=trials))
    assert chromium.get_log("browser") == []
    said = one(chromium, "#explore-cases .tools + .count").text
    assert said == f"{number} of {number} cases"
    assert len(all_of(chromium, "#explore-embeddings .panel .mark")) == number
    assert len(all_of(chromium, "#explore-thresholds .panel")) == 2
    one(chromium, "#explore-trials .tools input").click()
    assert len(all_of(chromium, "#explore-trials tbody tr")) == 1
    all_of(chromium, ".case")[0].click()
    assert one(chromium, "dialog").is_displayed()
    assert chromium.get_log("browser") == []
