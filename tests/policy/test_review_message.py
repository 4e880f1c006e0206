"""The one message of a review: every comment with its place and its code. Pure."""

from __future__ import annotations

from ennio.model.inline_comment import InlineComment, ReviewOrder, Side
from ennio.policy import review_message


def test_every_comment_is_told_with_its_place_its_code_and_its_words() -> None:
    order = ReviewOrder(
        (
            InlineComment("a.py", "Why?\nReally.\n", 3, quote="x = 1\n\ny = 2\n"),
            InlineComment("b.py", "Too long.", 4, 9, Side.OLD),
            InlineComment("c.py", "Add a test."),
        ),
        "Almost there.\n",
        head="0123456789abcdef",
    )
    assert review_message.words(order) == (
        "A person read your changes at 0123456789ab and has 3 comments. Answer each by a change, "
        "commit and push; say so where you decide against one.\n\n"
        "Almost there.\n\n"
        "1. a.py:3\n> x = 1\n>\n> y = 2\nWhy?\nReally.\n\n"
        "2. b.py:4-9 (as it was before)\nToo long.\n\n"
        "3. c.py\nAdd a test."
    )


def test_of_long_code_the_beginning_is_quoted() -> None:
    quote = "\n".join(f"line {number}" for number in range(100))
    told = review_message.words(ReviewOrder((InlineComment("a.py", "x", 1, 100, quote=quote),)))
    assert "> line 39\n> ...\nx" in told
    assert "line 40" not in told
    assert "has 1 comment." in told
