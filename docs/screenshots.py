"""Pictures of the pages of an experiment, taken by a headless Chromium with its driver.

    python docs/screenshots.py results/demo --output docs/images
    python docs/screenshots.py results/demo --output docs/images --address "tap=block&unit=12&threshold=0.5"

Needs selenium, chromium and chromedriver (Debian: `apt-get install chromium chromium-driver`).
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import chromium, ready

#: Page -> window in pixels.
SIZES = {"summary": (1000, 1400), "explorer": (1300, 1180)}
#: Seconds until everything is drawn.
DRAWN = 2.0


def take(folder: Path, name: str, output: Path, address: str) -> Path:
    """Open one page of an experiment and save what is seen; return the picture."""
    page, picture = (folder / f"{name}.html").resolve(), output / f"{name}.png"
    driver = chromium(SIZES[name])
    try:
        if name == "explorer":
            ready(driver, f"{page.as_uri()}#{address}")
        else:
            driver.get(page.as_uri())
        time.sleep(DRAWN)
        output.mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(picture))
    finally:
        driver.quit()
    return picture


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the experiment")
    parser.add_argument("--output", type=Path, required=True, help="folder of the pictures")
    parser.add_argument("--pages", nargs="+", choices=SIZES, default=list(SIZES), help="(default: all)")
    parser.add_argument("--address", default="", help="what the explorer shows, after the number sign")
    options = parser.parse_args()
    missing = [name for name in options.pages if not (options.folder / f"{name}.html").is_file()]
    if missing:
        parser.error(f"there is no {options.folder / missing[0]}.html; run the workflow first")
    for name in options.pages:
        print(take(options.folder, name, options.output, options.address))


if __name__ == "__main__":
    main()
