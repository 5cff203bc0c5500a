"""Each script is drawn as it was when somebody looked at it. OG_GOLDEN=write writes the images anew: look at them."""
import io
import os
from pathlib import Path

import pytest
from likeness import SAME, distance
from PIL import Image

GOLDEN = Path(__file__).parent / "golden"
HEADINGS = {
    "latin": "Create your account",
    "german": "Konto anlegen: Größe, Übermut & Straßenbahn",
    "arabic": "أنشئ حسابك وابدأ اليوم 2026",
    "hebrew": "צרו חשבון והתחילו היום",
    "thai": "สร้างบัญชีของคุณวันนี้ ไม่ต้องใช้รหัสผ่าน",
    "devanagari": "अपना खाता बनाएं और आज ही शुरू करें",
    "chinese": "创建您的账户，今天就开始使用",
    "japanese": "直接お問い合わせください",
    "emoji": "Ship it 🚀 with 👩‍👩‍👧 and 🇩🇪 ✓",
    "long": ("An uncommonly long heading that goes on and on " * 7)[:300],
    "empty": "",
}


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", HEADINGS)
def test_c89_it_looks_as_it_did(og, name, mode):
    drawn = og.draw(HEADINGS[name], "guide", mode)
    path = GOLDEN / ("%s-%s.png" % (name, mode))
    if os.environ.get("OG_GOLDEN") == "write":
        Image.open(io.BytesIO(drawn)).save(path, optimize=True)
    assert distance(drawn, path.read_bytes()) < SAME


@pytest.mark.parametrize("name", HEADINGS)
def test_c89_a_picture_is_told_from_all_others(og, name):
    drawn = og.draw(HEADINGS[name], "guide")
    others = [path for path in GOLDEN.glob("*.png") if path.name != name + "-light.png"]
    assert len(others) == 2 * len(HEADINGS) - 1
    assert min(distance(drawn, path.read_bytes()) for path in others) > 2 * SAME


@pytest.mark.parametrize("other", ["Create your accounts", "Create your accoumt", "Creāte your account"])
def test_c89_one_letter_makes_a_difference(og, other):
    assert distance(og.draw(HEADINGS["latin"], "guide"), og.draw(other, "guide")) > SAME


def test_c89_the_shape_of_han_is_the_languages(og):
    """直 differs between Chinese and Japanese."""
    chinese, japanese = (og.draw(words) for words in ("直直直", "直直直の"))
    assert distance(chinese, japanese) > SAME


def test_c89_golden_images_are_small():
    assert sum(path.stat().st_size for path in GOLDEN.glob("*.png")) < 1_500_000
