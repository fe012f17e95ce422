"""A page taken apart: its elements and texts, as a browser would see them."""

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Elements and texts of a page, as a browser would take them apart."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.scripts, self._open, self._at = [], [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._at = tag

    def handle_data(self, data):
        (self.scripts if self._at in ("script", "style") else self.texts).append(data)

    def handle_endtag(self, tag):
        self._at = None

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def having(self, attribute):
        return [(tag, attrs[attribute]) for tag, attrs in self.elements if attribute in attrs]
