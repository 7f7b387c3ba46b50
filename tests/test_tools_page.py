"""The page of the tools is what the server lists and answers."""

from scripts.tools import PAGE, page


def test_the_page_of_the_tools_is_as_the_server_lists_and_answers() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make tools"
