"""How long BeautifulSoup with lxml takes for the same page: `peer_bs4.py PAGE.html [ROUNDS]`.

Prints JSON in the form of `parse_ratio --texts`: median and best in milliseconds, and the texts.
Needs `pip install beautifulsoup4 lxml`.
"""

import json
import re
import statistics
import sys
import time

from bs4 import BeautifulSoup

URL = re.compile(r"url\(['\"]?([^'\")]+)")


def text_of(message):
    """The innermost text that is no reply's excerpt and not the hidden copy for old clients."""
    for node in message.find_all("div", class_="js-message_text"):
        if node.find_parent(class_="media_not_supported_cont"):
            continue
        while (inner := node.find("div", class_="js-message_text")) is not None:
            node = inner
        for br in node.find_all("br"):
            br.replace_with("\n")
        return node.get_text().replace("\xa0", " ").strip()
    return ""


def read(html):
    soup = BeautifulSoup(html, "lxml")
    messages = []
    for message in soup.find_all("div", class_="tgme_widget_message"):
        if not message.get("data-post"):
            continue
        date = message.select_one(".tgme_widget_message_date time[datetime]")
        views = message.find(class_="tgme_widget_message_views")
        photos = [
            found.group(1)
            for photo in message.find_all("a", class_="tgme_widget_message_photo_wrap")
            if (found := URL.search(photo.get("style", "")))
        ]
        videos = [video["src"] for video in message.find_all("video") if video.get("src")]
        messages.append(
            {
                "id": int(message["data-post"].rsplit("/", 1)[1]),
                "date": date["datetime"] if date else None,
                "views": views.get_text() if views else None,
                "text": text_of(message),
                "photos": photos,
                "videos": videos,
            }
        )
    return messages


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        html = file.read()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        messages = read(html)
        times.append((time.perf_counter() - start) * 1e3)
    texts = [{"id": message["id"], "text": message["text"]} for message in messages]
    measured = {"ms": statistics.median(times), "best_ms": min(times)}
    print(json.dumps({**measured, "messages": len(messages), "texts": texts}))


main()
