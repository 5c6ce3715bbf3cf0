"""A headless Chromium for tests of pages, and the parts of a Bokeh page in it."""

import shutil

import pytest

CONTROL = """
const model = Bokeh.documents[0].get_model_by_name(arguments[0])
const view = Bokeh.index.find_one_by_id(model.id)
return (view.shadow_el ?? view.el.shadowRoot ?? view.el).querySelector(arguments[1])
"""
#: Place of a point of a figure, relative to the middle of its canvas.
POINT = """
const [name, x, y] = arguments
const model = Bokeh.documents[0].get_model_by_name(name)
const view = Bokeh.index.find_one_by_id(model.id)
const box = view.el.getBoundingClientRect()
return [view.frame.x_scale.compute(x) - box.width / 2, view.frame.y_scale.compute(y) - box.height / 2]
"""
#: Text of all hover boxes that are shown, also inside other parts of the page.
TOOLTIPS = """
const found = []
const walk = (root) => root.querySelectorAll("*").forEach((element) => {
  if (!element.shadowRoot) return
  const shown = element.checkVisibility() && String(element.className).includes("bk-Tooltip")
  if (shown) found.push(...[...element.shadowRoot.querySelectorAll("div")].map((child) => child.textContent))
  walk(element.shadowRoot)
})
walk(document)
return found.join(" ")
"""


def open_browser():
    """A driver, or a skipped test with its reason."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    if not found():
        pytest.skip("there is no chromium with its chromedriver (Debian: chromium, chromium-driver)")
    return chromium()


def found():
    """Paths of the browser and its driver, or nothing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    paths = next(filter(None, map(shutil.which, names)), None), shutil.which("chromedriver")
    return paths if all(paths) else None


def chromium(size=(1340, 1500)):
    """A driver of a headless browser whose window has this size."""
    from selenium import webdriver

    browser, driver = found()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    words = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    for word in (*words, f"--window-size={size[0]},{size[1] + 143}"):  # 143 pixels are the browser's own
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.set_page_load_timeout(60)
    return opened


def ready(driver, url):
    """Open a page and wait until it shows something."""
    driver.get("about:blank")
    driver.get(url)
    wait(driver)


def wait(driver):
    """Wait until the explorer shows something."""
    from selenium.webdriver.support.ui import WebDriverWait

    shows = "return Boolean(globalThis.symbreak?.page?.counts)"
    WebDriverWait(driver, 60).until(lambda one: one.execute_script(shows))


def control(driver, name, selector):
    return driver.execute_script(CONTROL, name, selector)


def tooltips(driver, words):
    """Texts of the hover boxes, as soon as one has these words."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 10).until(lambda one: words in one.execute_script(TOOLTIPS))
    return driver.execute_script(TOOLTIPS)
