"""The page can be read: on a phone, in the dark, by keyboard, by ear.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

from demo.pages import tone

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 720}


@pytest.fixture
def full(page, say):
    """The page with everything that can be on it."""
    page.set_input_files("#file", say(tone(300, 4)))
    page.wait_for_selector("#status:text('is done')")
    show = "(id) => { document.getElementById(id).hidden = false; }"
    for name in ("alarm", "note", "level", "progress"):
        page.evaluate(show, name)
    long = (
        "(id) => { document.getElementById(id).textContent = 'a'.repeat(99); }"
    )
    for name in ("alarm", "note", "model"):
        page.evaluate(long, name)
    page.evaluate("document.querySelector('details').open = true")
    yield page
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    page.reload()
    page.wait_for_selector("#listen:enabled")


OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"

# Ratios of contrast between each text and what lies behind it, by WCAG 2.
CONTRAST = """() => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    const clear = parts(colour)[3] === 0;
    return clear && element.parentElement ? behind(element.parentElement) : colour;
  };
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((x) => x.nodeType === 3 && x.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [getComputedStyle(element).color, behind(element)].map(light);
    found[element.id || element.tagName] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""


def test_it_fits_both_widths_in_both_schemes(full):
    """Nothing sticks out, and every text has a contrast of 4.5 at least."""
    for scheme in ("light", "dark"):
        full.emulate_media(color_scheme=scheme)
        for size in (DESK, PHONE):
            full.set_viewport_size(size)
            assert full.evaluate(OVERFLOW) <= 0
        contrast = full.evaluate(CONTRAST)
        assert len(contrast) > 20
        assert min(contrast.values()) >= 4.5, contrast
    # Negative control.
    full.evaluate("document.body.append(document.createElement('table'))")
    full.evaluate("document.body.lastChild.className = 'unseen'")
    full.evaluate(
        "{ const p = document.createElement('pre'); p.textContent ="
        " 'x'.repeat(200); document.body.append(p); }"
    )
    assert full.evaluate(OVERFLOW) > 0


def test_the_chart_shows_the_results(page, say, pitches):
    """Its columns are as strong as the labels are probable."""
    page.set_input_files("#file", say(tone(list(pitches.values())[0], 4)))
    page.wait_for_selector("#status:text('is done')")
    page.wait_for_timeout(100)  # a frame
    colours = page.evaluate(
        """() => {
          const canvas = document.getElementById("chart");
          const pen = canvas.getContext("2d");
          const { height } = canvas.getBoundingClientRect();
          const size = (height - 22) / results[0].probabilities.length;
          const { data } = pen.getImageData(canvas.width * 0.9, 0, 1, canvas.height);
          const at = (i) => 4 * Math.round((i + 0.5) * size * devicePixelRatio);
          return results[0].probabilities.map((_, i) => [...data.slice(at(i), at(i) + 3)]);
        }"""
    )
    last = page.evaluate("results.at(-1).probabilities")
    sums = [sum(colour) for colour in colours]
    # On a light page the most probable one is the darkest.
    assert sums.index(min(sums)) == last.index(max(last))
    assert len(set(sums)) > 1


def test_it_can_be_heard(page, say):
    """Names, roles, headers; a table of all windows; the label is announced."""
    page.set_input_files("#file", say(tone(300, 4)))
    page.wait_for_selector("#status:text('is done')")
    page.click("summary")
    page.wait_for_selector("#windows tr")
    assert page.text_content("#window") == (
        "A window is the last 2 s of sound; a new one comes every 0.5 s."
    )
    assert page.locator("#windows tr").count() == 8
    assert page.locator("#windows th[scope=row]").count() == 8
    assert page.locator("table > caption").count() == 1
    assert page.inner_text("#windows tr:last-child th") == "0:00 to 0:01"
    label = page.inner_text("#mean").split()[0]
    assert page.inner_text("#announcement") == label
    assert label in page.get_attribute("#chart", "aria-label")
    assert page.locator("html[lang=en]").count() == 1
    assert page.locator("h1").count() == 1
    assert page.get_by_role("button", name="Use the microphone").count() == 1
    assert page.get_by_label("Choose a sound file").count() == 1
    assert page.get_by_role("status").count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(x => x.id)")
    assert len(ids) == len(set(ids))
    page.click("summary")


def test_it_can_be_used_by_keyboard(page, say):
    """Every control is reached in the page's order and shows its focus, which
    is not lost when a file is read.
    """
    page.focus("#file")
    page.set_input_files("#file", say(tone(300, 1)))
    page.wait_for_selector("#status:text('is done')")
    assert page.evaluate("document.activeElement.id") == "listen"
    page.focus("#listen")
    page.keyboard.press("Shift+Tab")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
              const element = document.activeElement;
              const shown = element.closest("label") ?? element;
              return [element.id || element.tagName,
                      getComputedStyle(shown).outlineStyle];
            }"""
        )
        reached.append(tuple(focus))
    names = ["listen", "file", "SUMMARY", "A"]
    assert reached == [(name, "solid") for name in names]
    page.focus("#listen")
    page.keyboard.press("Enter")
    page.wait_for_selector("#status:text('Listening')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#status:text('Stopped')")


def test_nothing_moves_for_who_wants_no_motion(page):
    """The level of the microphone jumps; otherwise it glides."""
    glides = "getComputedStyle(document.querySelector('#level div')).transition"
    page.emulate_media(reduced_motion="reduce")
    assert "0.1s" not in page.evaluate(glides)
    page.emulate_media(reduced_motion="no-preference")
    assert "0.1s" in page.evaluate(glides)
