"""Thresholds, embeddings and trials of the page in a real browser: by mouse and by keyboard."""

import pytest

from browser import all_of, keys, one
from explored_page import AGES, CASES, CLASSES

pytestmark = pytest.mark.slow


def test_a_threshold_moves_counts_and_a_prevalence_predictive_values(opened):
    from selenium.webdriver.support.select import Select

    def rates():
        return {
            row.find_element("css selector", "th").text: [cell.text for cell in row_cells(row)]
            for row in all_of(opened, "#explore-thresholds .points")[1].find_elements(
                "css selector", "tr"
            )
        }

    def row_cells(row):
        return row.find_elements("css selector", "td")

    def counts():
        return [
            int(cell.text) for cell in row_cells(all_of(opened, "#explore-thresholds .points")[0])
        ]

    # Of two classes the second is looked for, and the rest has a name.
    chosen = Select(one(opened, "#explore-thresholds select"))
    assert "onclick" in chosen.first_selected_option.text
    assert one(opened, "#explore-thresholds .points th:last-child").text == CLASSES[0]
    before, middle = rates(), counts()
    spots = [spot.get_attribute("cx") for spot in all_of(opened, ".spot")]
    assert sum(middle) == CASES
    one(opened, "#explore-thresholds input[type=range]").click()
    keys(opened, "HOME")
    # At threshold 0 everything is called.
    assert counts() == [CASES // 2, 0, CASES // 2, 0]
    moved = [spot.get_attribute("cx") for spot in all_of(opened, ".spot")]
    assert len(moved) == 2 and all(a != b for a, b in zip(spots, moved, strict=True))
    assert rates()["Sensitivity"] == ["1.000", "–"]
    assert rates()["Positive predictive value"][0] == "0.500"
    field = one(opened, "#explore-thresholds input[type=number]")
    field.clear()
    field.send_keys("10")
    assert rates()["Positive predictive value"] == ["0.100", "–"]
    assert rates() != before


def test_embeddings_show_one_fold_and_a_picture_where_one_points(opened):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.select import Select

    fold, method, colour = map(Select, all_of(opened, "#explore-embeddings select"))
    assert [option.text for option in fold.options] == ["Fold 1", "Fold 2", "All, side by side"]
    assert len(all_of(opened, "#explore-embeddings .panel")) == 1
    names = [option.text for option in colour.options]
    of_cases = ["Fold", "Side", "Age", "Site", "Error"]
    assert names == ["Truth", "Prediction", "Right or wrong", *of_cases]
    first = all_of(opened, "#explore-embeddings .mark")[14]
    before = first.get_attribute("transform")
    ActionChains(opened).move_to_element(first).perform()
    tip = one(opened, "#explore-embeddings .tip")
    assert tip.is_displayed() and tip.find_elements("css selector", "img")
    first.click()
    assert "Fold\n1" in one(opened, "dialog").text
    keys(opened, "ESCAPE")
    method.select_by_visible_text("UMAP")
    assert all_of(opened, "#explore-embeddings .mark")[14].get_attribute("transform") != before
    fold.select_by_visible_text("All, side by side")
    panels = all_of(opened, "#explore-embeddings .panel")
    assert [panel.text for panel in panels] == [f"Fold {k}, 30 images, by truth" for k in (1, 2)]


def test_points_are_coloured_by_subgroup_in_the_order_of_its_bands(opened):
    from selenium.webdriver.support.select import Select

    colour = Select(all_of(opened, "#explore-embeddings select")[2])
    colour.select_by_visible_text("Age")
    legend = all_of(opened, "#explore-embeddings .legend button")
    assert [item.text for item in legend] == AGES
    fills = {mark.get_attribute("fill") for mark in all_of(opened, "#explore-embeddings .mark")}
    assert len(fills) == 3
    legend[1].click()
    # Of the 30 images of the first fold every second is of this band.
    assert len(all_of(opened, "#explore-embeddings .mark.faint")) == 15
    colour.select_by_visible_text("Site")
    names = [item.text for item in all_of(opened, "#explore-embeddings .legend button")]
    assert names == ["North", "South", "rare or unknown"]


def test_points_differ_in_shape_too_and_are_reached_by_keyboard(opened):
    paths = [mark.get_attribute("d") for mark in all_of(opened, "#explore-embeddings .panel .mark")]
    assert len(set(paths)) == 2
    opened.execute_script("document.querySelector('#explore-embeddings .panel svg').focus()")
    keys(opened, "ARROW_RIGHT", "ARROW_RIGHT")
    assert "→" in one(opened, "#explore-embeddings .count").text
    keys(opened, "ENTER")
    dialog = one(opened, "dialog")
    assert "2 of 30" in dialog.text
    keys(opened, "ARROW_RIGHT")
    assert "3 of 30" in dialog.text
    keys(opened, "ESCAPE")
    # One class alone: the others are faint and are stepped over.
    all_of(opened, "#explore-embeddings .legend button")[0].click()
    assert len(all_of(opened, "#explore-embeddings .mark.faint")) == 15


def test_a_trial_that_is_chosen_in_one_view_is_lit_in_all(opened):
    def lit():
        return len(all_of(opened, "#explore-trials .plot .chosen"))

    rows = all_of(opened, "#explore-trials tbody tr")
    assert [row.text.split()[0] for row in rows] == ["trial_0001", "trial_0000"]
    assert lit() == 0
    rows[1].find_element("css selector", "button").click()
    # A line of the settings, and a curve.
    assert lit() == 2
    assert "trial_0000" in one(opened, "#explore-trials .count").text
    assert "chosen" in rows[1].get_attribute("class")
    # And back, from a curve; a pruned trial comes when it is asked for.
    opened.execute_script(
        "document.querySelector('#explore-trials g.chosen')"
        ".dispatchEvent(new MouseEvent('click', { bubbles: true }))"
    )
    assert lit() == 0
    one(opened, "#explore-trials .tools input").click()
    rows = all_of(opened, "#explore-trials tbody tr")
    assert len(rows) == 3 and "pruned" in rows[2].text
