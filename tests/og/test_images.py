"""What og answers: images, their size, tags, reasons of refusals, signatures, bounds."""
import io
import json
import re
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import BUILD, KEY, ROOT, query, running, signature
from likeness import SAME, distance
from PIL import Image


def test_c89_an_image_of_1200_by_630(og):
    answer = og.get(query("Hello", "blog", "dark"))
    image = Image.open(io.BytesIO(answer.body))
    assert (answer.status, answer.header("Content-Type"), image.format, image.size) == (
        200, "image/png", "PNG", (1200, 630))
    assert answer.header("Cache-Control") == "public, max-age=86400"
    assert answer.header("Cross-Origin-Resource-Policy") == "cross-origin"
    assert answer.header("Set-Cookie") is None and answer.header("Vary") is None


def test_c89_what_is_left_out_has_a_default(og):
    assert og.get("").body == og.draw("", "page", "light")
    assert og.get("heading=a").body == og.draw("a")


def test_c89_past_80_characters_type_is_smaller(og):
    """Of the same letters: those of the longer heading are lower."""
    def height(n):
        """Of the first line of letters, from its top to its bottom."""
        image = Image.open(io.BytesIO(og.draw("H" * n))).convert("L").crop((80, 184, 1120, 520))
        dark = [min(image.crop((0, y, image.width, y + 1)).getdata()) < 80 for y in range(image.height)]
        start = dark.index(True)
        return dark.index(False, start) - start
    assert height(80) == height(20) > 1.4 * height(81)


def test_c89_a_heading_that_does_not_fit_is_cut(og):
    """The last of 300 wide characters is not drawn, so it makes no difference."""
    assert og.draw("W" * 299 + "a") == og.draw("W" * 299 + "b") != og.draw("W" * 100)


TURNS = "holds a character that changes the direction of text"
REFUSED = {
    "an unknown mode": ("mode=sepia", "mode", "must be light or dark"),
    "an empty mode": ("mode=", "mode", "must be light or dark"),
    "an unknown type": ("type=x", "type", "is not known"),
    "an unknown parameter": ("heading=a&size=9", "size", "is not known"),
    "a parameter twice": ("heading=a&heading=b", "heading", "is given twice"),
    "a control character": ("heading=a%01b", "heading", "holds a control character"),
    "a line break": ("heading=a%0Ab", "heading", "holds a control character"),
    "a line separator": ("heading=a%E2%80%A8b", "heading", "holds a control character"),
    "invalid UTF-8": ("heading=%ff", "heading", "is not percent-encoded UTF-8"),
    "an overlong form": ("heading=%C0%AF", "heading", "is not percent-encoded UTF-8"),
    "a surrogate": ("heading=%ED%A0%80", "heading", "is not percent-encoded UTF-8"),
    "a broken escape": ("heading=%zz", "heading", "is not percent-encoded UTF-8"),
    "a NUL": ("heading=%00", "heading", "is not percent-encoded UTF-8"),
    "301 characters": ("heading=" + 301 * "a", "heading", "is longer than 300 characters"),
    "a right-to-left override": ("heading=%E2%80%AEtxt", "heading", TURNS),
    "an isolate": ("heading=%E2%81%A7txt", "heading", TURNS),
    "a flood of marks": ("heading=a" + 9 * "%CC%81", "heading", "has more than 8 combining marks in a row"),
    "too long a query": ("heading=a&signature=" + 4096 * "a", "query", "is longer than 4096 bytes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_c89_a_bad_query_is_400_with_the_reason(og, what):
    asked, field, reason = REFUSED[what]
    assert og.refused(asked) == (field, reason)


@pytest.mark.parametrize("heading", [
    300 * "a", 300 * "🚀", "a" + 8 * "\u0301", 33 * ("\u0e19" + 8 * "\u0e49"), "\u200f\u200eabc", 100 * "\U0010fffd",
    100 * "a\u200d", 300 * "﷽", "".join(chr(c) for c in range(0x1f1e6, 0x1f200)) * 11, "\ufffe" * 9,
    150 * "क्"], ids=range(11))
def test_c89_what_looks_odd_is_drawn_within_its_place(og, heading):
    """Nothing runs over the brand or the host."""
    drawn = og.draw(heading[:300])
    empty, odd = (Image.open(io.BytesIO(data)).convert("RGB") for data in (og.draw(""), drawn))
    for box in ((0, 0, 1200, 150), (0, 540, 1200, 630)):
        assert odd.crop(box).tobytes() == empty.crop(box).tobytes()


def test_c89_f17_head_has_the_headers_of_get(og):
    get, head = (og.get(query("Hi"), method) for method in ("GET", "HEAD"))
    assert head.body == b"" and head.status == 200
    assert all(head.header(name) == get.header(name) for name in ("ETag", "Cache-Control", "Content-Type",
                                                                  "Content-Length"))


def test_c89_another_method_is_405(og):
    assert og.get(query("Hi"), "POST", CONTENT_LENGTH="0").status == 405


@pytest.mark.parametrize("form, status", [("%s", 304), ("W/%s", 304), ('"x", %s', 304), ("*", 304), ('"x"', 200)])
def test_c89_who_has_it_gets_304(og, form, status):
    first = og.get(query("Hi"))
    again = og.get(query("Hi"), HTTP_IF_NONE_MATCH=form.replace("%s", first.header("ETag")))
    assert again.status == status and again.header("ETag") == first.header("ETag")
    assert (again.body == b"") == (status == 304)
    assert status == 200 or again.header("Content-Length") is None


def test_c89_the_tag_is_of_what_is_drawn(og, tmp_path):
    tags = [og.get(asked).header("ETag") for asked in
            (query("a"), query("b"), query("a", "blog"), query("a", "page", "dark"))]
    assert len(set(tags)) == 4 and og.get("mode=light&heading=%61").header("ETag") == tags[0]
    with running(tmp_path, 'og: { fonts = ["/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"]; };\n') as other:
        assert other.get(query("a")).header("ETag") not in tags


# The site's logo

@pytest.fixture
def logo(tmp_path):
    path = tmp_path / "logo.png"
    Image.new("RGBA", (200, 100), (200, 0, 0, 255)).save(path)
    return path


def test_c89_the_logo_of_the_configuration_is_drawn(og, tmp_path, logo):
    """144 by 72 pixels from the margins on, the site's name beside it."""
    with running(tmp_path, 'og: { logo = "%s"; };\n' % logo) as other:
        answer = other.get(query("Hello"))
        image = Image.open(io.BytesIO(answer.body)).convert("RGB")
        assert image.getpixel((82, 82)) == image.getpixel((221, 149)) == (200, 0, 0)
        assert image.getpixel((76, 82)) == image.getpixel((228, 82)) == image.getpixel((82, 156)) == (246, 247, 249)
        assert image.crop((248, 80, 420, 152)).getextrema()[0][0] < 100
        assert og.get(query("Hello")).header("ETag") != answer.header("ETag")


@pytest.mark.parametrize("size", [None, (8, 8), (2049, 20)])
def test_c89_a_logo_that_is_no_image_of_a_fit_size_is_refused(tmp_path, logo, size):
    logo.write_text("no image")
    if size is not None:
        Image.new("RGB", size).save(logo)
    with pytest.raises(AssertionError, match="og.logo: .*logo.png is not a PNG file of 16 to 2048 pixels a side"):
        with running(tmp_path, 'og: { logo = "%s"; };\n' % logo):
            pass


def test_c89_a_logo_that_is_missing_is_named(tmp_path, logo):
    with pytest.raises(AssertionError, match="og.logo .*nowhere.png.* is not there: copy the PNG file"):
        with running(tmp_path, 'og: { logo = "%s/nowhere.png"; };\n' % tmp_path):
            pass


# Signatures

@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    with running(tmp_path_factory.mktemp("signed"), TOLLGATE_OG_KEY=KEY) as program:
        yield program


def test_c89_a_signed_query_is_drawn(signed):
    asked = query("Grüße & more", "blog", "dark")
    assert signed.get(asked + "&signature=" + signature(asked)).status == 200


def changed():
    asked = query("Hello")
    good = signature(asked)
    return {"unsigned": asked, "empty": asked + "&signature=", "another heading": query("Hell") + "&signature=" + good,
            "another mode": query("Hello", mode="dark") + "&signature=" + good,
            "another type": query("Hello", "blog") + "&signature=" + good,
            "another key": asked + "&signature=" + signature(asked, KEY[::-1]),
            "a letter": asked + "&signature=" + ("B" if good[0] == "A" else "A") + good[1:],
            "cut": asked + "&signature=" + good[:-1], "longer": asked + "&signature=" + good + "A",
            "of nothing": asked + "&signature=" + signature("")}


@pytest.mark.parametrize("what", changed())
def test_c89_an_unsigned_or_changed_query_draws_nothing(signed, what):
    answer = signed.get(changed()[what])
    assert (answer.status, json.loads(answer.body)) == (403, {"error": "Forbidden", "code": "forbidden"})
    assert answer.header("ETag") is None and answer.header("Cache-Control") == "no-store"


def test_c89_a_tag_opens_nothing_without_a_signature(signed):
    assert signed.get(query("Hello"), HTTP_IF_NONE_MATCH="*").status == 403


# Bounds

@pytest.mark.parametrize("drawing, threads", [(1, 8), (2, 2)])
def test_c89_one_more_than_may_be_drawn_is_refused_at_once(tmp_path, drawing, threads):
    """One thread is left to refuse, whatever is configured."""
    with running(tmp_path, "og: { drawing = %d; };\nserve: { threads = %d; };\n" % (drawing, threads)) as og:
        og.draw("warm")
        found, slowest = Counter(), []

        def ask(n):
            for i in range(20):
                start = time.monotonic()
                answer = og.get(query("🚀 Heading %d of %d" % (n, i)))
                found[answer.status] += 1
                if answer.status == 503:
                    slowest.append(time.monotonic() - start)
                    assert int(answer.header("Retry-After")) > 0 and answer.header("Cache-Control") == "no-store"
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(found) == {200, 503} and sorted(slowest)[len(slowest) // 2] < 0.2
        og.draw("afterwards")


def resident(process):
    return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/%d/status" % process.pid).read_text())[1]) // 1024


def test_c89_memory_is_bounded_whatever_is_asked(tmp_path):
    """What cairo keeps is at most 16,384 glyphs, 184 MB of the largest: it is full here, and stays as it is."""
    with running(tmp_path, "serve: { threads = 1; };\n") as og:
        assert og.draw("Hello") and resident(og.process) < 16
        for i in range(440):
            og.draw("".join(chr(0x3400 + 40 * i + n) for n in range(40)))
        before = resident(og.process)
        for i in range(60):
            og.draw("".join(chr(0x3400 + 40 * (440 + i) + n) for n in range(40)))
        assert before < 200 and resident(og.process) - before < 4


# Fonts

@pytest.mark.parametrize("program", ["og", "tollgate"])
def test_c89_a_font_that_is_missing_is_named(tmp_path, program):
    conf = tmp_path / "tollgate.conf"
    text = (ROOT / "conf/tollgate.conf").read_text()
    missing = "/usr/share/fonts/truetype/noto/NotoSansNowhere-Bold.ttf"
    conf.write_text(text.replace("/usr/share/fonts/truetype/noto/NotoSansHebrew-Bold.ttf", missing)
                    .replace("/usr/local/share/tollgate/pages", str(ROOT / "workers/pages")))
    done = subprocess.run([BUILD / program, *(["check"] if program == "tollgate" else ["--check"]), "--config", conf],
                          capture_output=True, text=True)
    assert done.returncode == 78
    assert re.search(r'%s:\d+: og.fonts "%s" is not there: install its package' % (conf, missing), done.stderr)


def test_c89_a_file_that_is_no_font_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="og.fonts: .*README.md is not a font"):
        with running(tmp_path, 'og: { fonts = ["%s"]; };\n' % (ROOT / "README.md")):
            pass


def test_c89_no_font_is_used_that_is_not_named(og, tmp_path):
    with running(tmp_path, 'og: { fonts = ["/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"]; };\n') as other:
        assert distance(og.draw("Hello"), other.draw("Hello")) < SAME
        assert distance(og.draw("创建您的账户"), other.draw("创建您的账户")) > SAME


def test_c89_a_key_that_is_short_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="is too short"):
        with running(tmp_path, TOLLGATE_OG_KEY="short"):
            pass
