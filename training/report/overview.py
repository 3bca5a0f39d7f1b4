"""What the report is about: the sources and their labels."""

from ..evaluation import known_senders
from ..flow_set import said_of
from ..labels import LABELS
from .contents import PAPER, Content, Note, Table
from .study import Study
from .topic import Topic

__all__ = ["OVERVIEW"]


def _contents(study: Study) -> list[Content]:
    flows = {name: source.flows for name, source in study.sources.items()}
    rows = []
    for label in LABELS:
        chosen = [of_source.select(of_source.label == label) for of_source in flows.values()]
        rows.append((label, *(f"{len(of_label)} / {of_label.senders}" for of_label in chosen), ""))
    for words, rule, said in (
        ("all spam", "is_spam", "54 thousand (Žádník), 589 (Alpha)"),
        ("all that is legitimate", "is_legitimate", "about 4 thousand (Žádník)"),
    ):
        chosen = [of_source.select(getattr(of_source, rule)) for of_source in flows.values()]
        rows.append((words, *(f"{len(of_rule)} / {of_rule.senders}" for of_rule in chosen), said))
    every = (f"{len(of_source)} / {of_source.senders}" for of_source in flows.values())
    rows.append(("all", *every, "58 thousand (Žádník), 42 thousand (Alpha)"))
    contents: list[Content] = [Table("Complete flows / senders by label", ("label", *flows, PAPER), rows)]
    for name, source in study.sources.items():
        if source.flows.prefix:
            contents.append(Note(f"{name} holds {said_of(source.flows.prefix)}."))
        if source.table.duplicates:
            contents.append(Note(f"{name}: flows that came more than once: {source.table.duplicates}."))
    return [*contents, *(Note(f"{warning}.") for warning in known_senders(flows))]


OVERVIEW = Topic(
    key="sources",
    title="Sources",
    lead=lambda _: (
        "Flows that have a label and are complete: a SYN, packets of the client, two packets in all. Legitimate are "
        "ham, outgoing mail, submission, and first attempts that were greylisted, which are of class other."
    ),
    paper="Sections II and III: Žádník, the mail server of a project group; Alpha, the mail server of a university.",
    contents=_contents,
)
