"""The page in a real browser: pictures load, nothing leaves it, it fits.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest
from chromium import launcher
from study_lines import PAPER_ARMS, study, write_study

from speechbrain_hrf.report import write_report

PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, the system's or Playwright's own."""
    with launcher() as launch:
        running = launch()
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report with every kind of table and figure."""
    lines = study(
        ["FFN2", "FRONT"],
        {"FFN2": 0.03},
        folds=(1, 2, 3),
        seeds=(1, 2),
        rates=[0.001, 0.002],
        protocol="<b>held_out</b>",
    )
    folder = write_study(tmp_path_factory.mktemp("study"), lines)
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


WIDTHS = "[...document.images].map(image => image.naturalWidth)"


def test_every_picture_loads_and_nothing_leaves(browser, report):
    """Without network or script, with no word on the console."""
    page, trouble = opened(browser, report)
    widths = page.evaluate(WIDTHS)
    assert len(widths) == len(list(report.parent.glob("report_*.png"))) > 6
    assert min(widths) > 0
    assert trouble == []
    assert page.locator("script").count() == 0
    # What lines hold is text, never markup.
    assert page.locator("header b").count() == 0


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


def overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - window.innerWidth"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, report, scheme):
    """Wide tables scroll by themselves; both colour schemes have contrast."""
    page, trouble = opened(browser, report, viewport=PHONE, color_scheme=scheme)
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


def test_it_can_be_read_without_seeing(browser, report):
    """Alternative texts, table captions and headers, one main heading."""
    page, _ = opened(browser, report)
    assert page.locator("html[lang]").count() == 1
    assert page.locator("h1").count() == 1
    assert page.locator("img:not([alt])").count() == 0
    assert (
        min(
            page.evaluate("[...document.images].map(image => image.alt.length)")
        )
        > 20
    )
    tables = page.locator("table").count()
    assert tables > 5
    assert page.locator("table > caption").count() == tables
    assert page.locator("thead th:not([scope=col])").count() == 0
    assert (
        page.locator("tbody tr > :first-child:not(th[scope=row])").count() == 0
    )
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(x => x.id)")
    assert len(ids) == len(set(ids))
    for link in page.locator("nav a").all():
        assert link.get_attribute("href").removeprefix("#") in ids


def test_it_prints(browser, report):
    """On paper: no navigation, nothing cut off at the right."""
    page, _ = opened(browser, report)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    assert not page.locator("nav").is_visible()
    assert overflow(page) <= 0
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.slow
def test_the_largest_study_fits(browser, tmp_path):
    """Three models with all rows of the paper, in one page on a phone."""
    models = ("convtransformer", "conformer", "speechformer")
    arms = [*PAPER_ARMS, "FRONT"]
    lines = study(arms, models=models, folds=(1, 2, 3), seeds=(1,))
    folder = write_study(tmp_path / "study", lines)
    write_report(folder)
    page, trouble = opened(browser, folder / "report.html", viewport=PHONE)
    assert overflow(page) <= 0 and trouble == []
    assert min(page.evaluate(WIDTHS)) > 0
