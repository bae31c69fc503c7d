"""The page in a real browser: pictures load, nothing leaves it, it fits.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from chromium import launcher
from made_up import ARMS, study, write_study

from speechbrain_hrf.studies.report import write_report

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
WIDTHS = "[...document.images].map(image => image.naturalWidth)"
OPEN = "document.querySelectorAll('details').forEach(x => x.open = true)"


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, the system's or Playwright's own."""
    with launcher() as launch:
        running = launch()
        yield running
        running.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory, few_resamples):
    """A report with every kind of table and figure, in three models."""
    lines, sets = study(
        [*ARMS, "FFN1", "ALL", "FFN1 & FFN2"][1:],
        models=("convtransformer", "conformer", "speechformer"),
        folds=4,  # above 13 speakers Wilcoxon's p is quick
        rates=(0.001, 0.003),
        seeds=1,
        protocol="<b>held_out</b>",
        device="<b>a processor</b>",
    )
    folder = write_study(tmp_path_factory.mktemp("study"), lines, sets)
    write_report(folder)
    return folder / "report.html"


def opened(browser, path, **options):
    """The page, and what went wrong or out while it was loaded."""
    page = browser.new_page(**options)
    trouble = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("requestfailed", lambda request: trouble.append(request.url))

    def leaves(request):
        if not request.url.startswith((path.as_uri(), "data:")):
            trouble.append(request.url)

    page.on("request", leaves)
    page.goto(path.as_uri())
    page.wait_for_load_state("load")
    return page, trouble


def overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - window.innerWidth"
    )


def test_every_picture_loads_and_nothing_leaves(browser, page_file):
    """Without network or script, with no word on the console."""
    page, trouble = opened(browser, page_file)
    widths = page.evaluate(WIDTHS)
    assert len(widths) > 7 and min(widths) > 0
    assert trouble == []
    assert page.locator("script").count() == 0
    # What lines hold is text, never markup.
    assert page.locator("b").count() == 0


def test_a_broken_page_is_noticed(browser, tmp_path):
    """Negative control: the checks above can fail."""
    path = tmp_path / "broken.html"
    path.write_text(
        '<img src="data:image/png;base64,AAAA"><img src="gone.png">'
        '<p style="width: 900px">wide</p><script>no.such()</script>'
    )
    page, trouble = opened(browser, path, viewport=PHONE)
    assert 0 in page.evaluate(WIDTHS)
    assert any("gone.png" in text for text in trouble)
    assert any("no is not defined" in text for text in trouble)
    assert overflow(page) > 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(browser, page_file, size, scheme):
    """Folded and open; wide tables scroll by themselves; text has contrast."""
    page, trouble = opened(
        browser, page_file, viewport=size, color_scheme=scheme
    )
    assert overflow(page) <= 0
    page.evaluate(OPEN)
    assert overflow(page) <= 0
    colours = page.evaluate(
        "[getComputedStyle(document.body).color,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    text, ground = (brightness(colour) for colour in colours)
    assert abs(text - ground) > 150
    assert (text > ground) == (scheme == "dark")
    assert trouble == []


def brightness(colour):
    """Mean of red, green and blue of ``rgb(...)``."""
    parts = colour.removeprefix("rgb(").removesuffix(")").split(",")
    return sum(map(int, parts)) / 3


def test_what_matters_is_not_folded(browser, page_file):
    """Answer, figure and table are seen at once; the rest is folded."""
    page, _ = opened(browser, page_file, viewport=DESK)
    # A phone gets another picture, its panels one above the other.
    phone, _ = opened(browser, page_file, viewport=PHONE)
    source = "document.images[0].currentSrc"
    assert page.evaluate(source) != phone.evaluate(source)
    assert page.locator("table:visible").count() == 1
    assert page.locator("img:visible").count() == 1
    assert 3 <= page.locator(".answer li").count() <= 8
    page.locator("summary").first.click()
    assert page.locator("table:visible").count() > 1


def test_it_can_be_read_without_seeing(browser, page_file):
    """Alternative texts, table captions and headers, one main heading."""
    page, _ = opened(browser, page_file)
    assert page.locator("html[lang]").count() == 1
    assert page.locator("h1").count() == 1
    alts = page.evaluate("[...document.images].map(image => image.alt.length)")
    assert min(alts) > 20
    tables = page.locator("table").count()
    assert tables > 5
    assert page.locator("table > caption").count() == tables
    assert page.locator("thead th:not([scope=col])").count() == 0
    first = page.locator("tbody tr > :first-child:not(th[scope=row])")
    assert first.count() == 0


def test_it_prints(browser, page_file):
    """On paper nothing is cut off at the right."""
    page, _ = opened(browser, page_file)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    assert overflow(page) <= 0
    assert page.pdf().startswith(b"%PDF")
