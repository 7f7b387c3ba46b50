"""Where in a row of points something holds."""


def last_run(hits: list[bool], at_least: int) -> tuple[int, int]:
    """Return start and length of the last run of at least so many, a single gap inside it allowed; length 0 for none."""
    best = (0, 0)
    index = 0
    while index < len(hits):
        if not hits[index]:
            index += 1
            continue
        end = index
        while end + 1 < len(hits) and (hits[end + 1] or (end + 2 < len(hits) and hits[end + 2])):
            end += 1
        if sum(hits[index : end + 1]) >= at_least:
            best = (index, end - index + 1)
        index = end + 1
    return best
