//! What hangs on a post beside files: polls, places, contacts, link previews, buttons,
//! and where the post comes from: replies and forwards.

use gleaner_domain::MessageId;
use gleaner_domain::record::{Button, Contact, Forward, LinkPreview, Location, Poll, PollOption, Reply};
use scraper::ElementRef;
use url::Url;

use super::measure::{background, file_address};
use crate::dom::{Step, Then, attr, classes, find, has_class, plain_text, some_text, walk};

pub(super) fn poll(element: ElementRef<'_>) -> Poll {
    let mut poll = Poll {
        question: String::new(),
        kind: String::new(),
        options: Vec::new(),
        voters: None,
        voters_rounded: false,
    };
    for_each_class(element, |class, part| {
        match class {
            "tgme_widget_message_poll_question" => poll.question = plain_text(part),
            "tgme_widget_message_poll_type" => poll.kind = plain_text(part),
            "tgme_widget_message_poll_option" => poll.options.push(poll_option(part)),
            _ => return Then::Descend,
        }
        Then::Skip
    });
    poll
}

fn poll_option(element: ElementRef<'_>) -> PollOption {
    let part = |class: &str| find(element, |el| has_class(el, class)).map(plain_text);
    PollOption {
        text: part("tgme_widget_message_poll_option_text").unwrap_or_default(),
        percent: part("tgme_widget_message_poll_option_percent")
            .and_then(|text| text.trim_end_matches('%').trim().parse().ok()),
    }
}

/// A place: from the link to the map, or from the picture of the map where the link leads
/// to a venue's page instead.
pub(super) fn location(element: ElementRef<'_>) -> Option<Location> {
    let part = |class: &str| find(element, |el| has_class(el, class));
    let linked = attr(element, "href").and_then(|href| coordinates(href, "q", false));
    let drawn = || {
        let style = attr(part("tgme_widget_message_location")?, "style")?;
        let at = style.find("url(")?;
        let address = style[at + 4..].trim_matches(['\'', '"', ')', ';', ' ']);
        coordinates(address, "pt", true).or_else(|| coordinates(address, "ll", true))
    };
    let (latitude, longitude) = linked.or_else(drawn)?;
    Some(Location {
        latitude,
        longitude,
        title: part("tgme_widget_message_location_title").and_then(some_text),
        address: part("tgme_widget_message_location_address").and_then(some_text),
    })
}

/// A pair of degrees in an address; `swapped` where longitude comes first.
fn coordinates(address: &str, key: &str, swapped: bool) -> Option<(String, String)> {
    let address = if address.starts_with("//") {
        format!("https:{address}")
    } else {
        address.to_owned()
    };
    let url = Url::parse(&address).ok()?;
    let (_, value) = url.query_pairs().find(|(k, _)| k == key)?;
    let mut parts = value.split(',').map(str::trim);
    let (first, second) = (parts.next()?, parts.next()?);
    let (latitude, longitude) = if swapped { (second, first) } else { (first, second) };
    let within = |degrees: &str, limit: f64| degrees.parse::<f64>().is_ok_and(|d| d.abs() <= limit);
    (within(latitude, 90.0) && within(longitude, 180.0)).then(|| (latitude.to_owned(), longitude.to_owned()))
}

pub(super) fn contact(element: ElementRef<'_>) -> Contact {
    let part = |class: &str| find(element, |el| has_class(el, class));
    Contact {
        name: part("tgme_widget_message_contact_name")
            .map(plain_text)
            .unwrap_or_default(),
        phone: part("tgme_widget_message_contact_phone").and_then(some_text),
    }
}

pub(super) fn link_preview(element: ElementRef<'_>) -> LinkPreview {
    let mut preview = LinkPreview {
        url: attr(element, "href").unwrap_or_default().to_owned(),
        site: None,
        title: None,
        description: None,
        image: None,
        video: None,
    };
    // The picture's file, or the still of a film's.
    let shown = |part| background(attr(part, "style").unwrap_or_default());
    for_each_class(element, |class, part| {
        match class {
            "link_preview_image" | "link_preview_right_image" | "link_preview_video_thumb" => {
                preview.image = preview.image.take().or_else(|| shown(part));
                return Then::Descend;
            }
            "link_preview_video" => {
                preview.video = preview
                    .video
                    .take()
                    .or_else(|| attr(part, "src").and_then(file_address));
                return Then::Descend;
            }
            "link_preview_site_name" => preview.site = some_text(part),
            "link_preview_title" => preview.title = some_text(part),
            "link_preview_description" => preview.description = some_text(part),
            _ => return Then::Descend,
        }
        Then::Skip
    });
    preview
}

/// A game or an invoice: a card with a title and words, kept like the preview of a link to
/// the post itself (an empty address here).
pub(super) fn card(element: ElementRef<'_>, what: &str) -> LinkPreview {
    let part = |end: &str| {
        find(element, |el| {
            classes(el).any(|class| class.starts_with("tgme_widget_message_") && class.ends_with(end))
        })
        .and_then(some_text)
    };
    LinkPreview {
        url: attr(element, "href").unwrap_or_default().to_owned(),
        site: Some(what.to_owned()),
        title: part("_title"),
        description: part("_description"),
        image: find(element, |el| {
            classes(el).any(|class| class.starts_with("tgme_widget_message_") && class.ends_with("_image"))
        })
        .and_then(|el| background(attr(el, "style").unwrap_or_default())),
        video: None,
    }
}

/// What the post answers.
pub(super) fn reply(element: ElementRef<'_>) -> Reply {
    let link = attr(element, "href").filter(|href| !href.is_empty());
    let mut reply = Reply {
        id: link.and_then(post_id),
        link: link.map(str::to_owned),
        author: None,
        excerpt: None,
        thumbnail: None,
    };
    for_each_class(element, |class, part| {
        match class {
            "tgme_widget_message_author_name" => reply.author = some_text(part),
            "js-message_reply_text" => reply.excerpt = some_text(part),
            "tgme_widget_message_reply_thumb" => {
                reply.thumbnail = background(attr(part, "style").unwrap_or_default());
            }
            _ => return Then::Descend,
        }
        Then::Skip
    });
    reply
}

/// `https://t.me/name/19?single` is post 19.
fn post_id(link: &str) -> Option<MessageId> {
    let path = link.split(['?', '#']).next()?;
    path.trim_end_matches('/')
        .rsplit('/')
        .next()?
        .parse()
        .ok()
        .map(MessageId)
}

/// Where the post was forwarded from; hidden senders have a name and no link.
pub(super) fn forward(element: ElementRef<'_>) -> Option<Forward> {
    let part = |class: &str| find(element, |el| has_class(el, class));
    let name = part("tgme_widget_message_forwarded_from_name");
    let author = part("tgme_widget_message_forwarded_from_author").and_then(some_text);
    let from = match name {
        Some(name) => plain_text(name),
        None => plain_text(element)
            .trim_start_matches("Forwarded from")
            .trim()
            .to_owned(),
    };
    (!from.is_empty()).then(|| Forward {
        from,
        link: name.and_then(|el| attr(el, "href")).map(str::to_owned),
        author,
    })
}

/// A button under the post. Only links lead anywhere: others link back to the post.
pub(super) fn button(element: ElementRef<'_>) -> Option<Button> {
    let words = find(element, |el| {
        has_class(el, "tgme_widget_message_inline_button_text")
    })
    .unwrap_or(element);
    let is_link = has_class(element, "url_button");
    Some(Button {
        text: some_text(words)?,
        url: attr(element, "href")
            .filter(|href| is_link && !href.is_empty())
            .map(str::to_owned),
    })
}

/// Calls `visit` for every class of every element below `root`; the first answer other than
/// "descend" ends the element.
fn for_each_class<'a>(root: ElementRef<'a>, mut visit: impl FnMut(&'a str, ElementRef<'a>) -> Then) {
    walk(*root, |step| {
        let Step::Open(element) = step else {
            return Then::Descend;
        };
        if classes(element).any(|class| visit(class, element) == Then::Skip) {
            Then::Skip
        } else {
            Then::Descend
        }
    });
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use scraper::Html;

    use super::*;

    fn first<T>(html: &str, read: impl Fn(ElementRef<'_>) -> T) -> T {
        let html = Html::parse_fragment(html);
        read(find(html.root_element(), |_| true).expect("an element"))
    }

    #[test]
    fn a_poll_has_a_question_a_kind_and_shares() {
        let option = |percent: &str, text: &str| {
            format!(
                "<div class=tgme_widget_message_poll_option><div class=tgme_widget_message_poll_option_percent>{percent}\
                 </div><div class=tgme_widget_message_poll_option_value><div class=tgme_widget_message_poll_option_text>\
                 {text}</div></div></div>"
            )
        };
        let poll = first(
            &format!(
                "<div class=tgme_widget_message_poll><div class=tgme_widget_message_poll_question>Why&#39;s that\n</div>\
                 <div class=tgme_widget_message_poll_type>Anonymous Quiz</div>{}{}</div>",
                option("27%\n", "A"),
                option("", "B")
            ),
            poll,
        );
        assert_eq!(
            (poll.question.as_str(), poll.kind.as_str()),
            ("Why's that", "Anonymous Quiz")
        );
        let options: Vec<_> = poll
            .options
            .iter()
            .map(|o| (o.text.as_str(), o.percent))
            .collect();
        assert_eq!(options, [("A", Some(27)), ("B", None)]);
    }

    const MAP: &str =
        "background-image:url('https://static-maps.yandex.ru/1.x/?ll=-44.08,-23.93&pt=-44.08,-23.93,comma')";

    #[rstest]
    #[case("https://maps.google.com/maps?q=-23.930587176407,-44.086305367818&ll=1,1&z=16", "", Some(("-23.930587176407", "-44.086305367818")))]
    #[case("https://maps.google.com/maps?q=1.5%2C2.5", "", Some(("1.5", "2.5")))]
    #[case("https://foursquare.com/v/x", MAP, Some(("-23.93", "-44.08")))]
    #[case("https://maps.google.com/maps?q=91,0", "", None)]
    #[case("https://maps.google.com/maps?q=north", "", None)]
    #[case("?", "", None)]
    fn a_place_is_in_its_link_or_in_its_map(
        #[case] href: &str,
        #[case] style: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let html = format!(
            "<a class=tgme_widget_message_location_wrap href=\"{href}\"><div class=tgme_widget_message_location \
             style=\"{style}\"></div><div class=tgme_widget_message_location_title>Café</div></a>"
        );
        let place = first(&html, location);
        let degrees = place
            .as_ref()
            .map(|p| (p.latitude.as_str(), p.longitude.as_str()));
        assert_eq!(degrees, expected);
        assert!(place.is_none_or(|p| p.title.as_deref() == Some("Café")));
    }

    #[test]
    fn a_contact_has_a_name_and_a_number() {
        let contact = first(
            "<div class=tgme_widget_message_contact_wrap><div class=tgme_widget_message_contact_name>Ann</div>\
             <div class=tgme_widget_message_contact_phone>+1 555</div></div>",
            contact,
        );
        assert_eq!(
            (contact.name.as_str(), contact.phone.as_deref()),
            ("Ann", Some("+1 555"))
        );
    }

    #[test]
    fn a_hidden_sender_has_a_name_and_no_link() {
        let hidden =
            "<div>Forwarded from&nbsp;<span class=tgme_widget_message_forwarded_from_name>Ann</span></div>";
        let forward = first(hidden, forward).expect("a forward");
        assert_eq!((forward.from.as_str(), forward.link), ("Ann", None));
    }

    #[test]
    fn a_forwarded_channel_post_has_a_link_and_a_signature() {
        let channel = "<div>Forwarded from&nbsp;<a class=tgme_widget_message_forwarded_from_name \
            href='https://t.me/x/5'><span>X</span></a> (<span class=tgme_widget_message_forwarded_from_author>Ann</span>)</div>";
        let forward = first(channel, forward).expect("a forward");
        assert_eq!(forward.link.as_deref(), Some("https://t.me/x/5"));
        assert_eq!(forward.author.as_deref(), Some("Ann"));
    }

    #[rstest]
    #[case("https://t.me/x/19", Some(19))]
    #[case("https://t.me/x/19?single", Some(19))]
    #[case("https://t.me/x", None)]
    fn a_reply_knows_the_message_it_answers(#[case] link: &str, #[case] id: Option<u32>) {
        assert_eq!(post_id(link), id.map(MessageId));
    }

    #[test]
    fn only_link_buttons_lead_somewhere() {
        let button_of = |class: &str| {
            first(
                &format!(
                    "<a class='tgme_widget_message_inline_button {class}' href='https://a.org'>\
                     <span class=tgme_widget_message_inline_button_text>Go</span></a>"
                ),
                button,
            )
            .expect("a button")
        };
        assert_eq!(button_of("url_button").url.as_deref(), Some("https://a.org"));
        assert_eq!(button_of("").url, None);
    }

    #[test]
    fn a_link_preview_has_site_title_and_description() {
        let preview = first(
            "<a class=tgme_widget_message_link_preview href='https://a.org'><div class=link_preview_site_name>A\n</div>\
             <i class=link_preview_right_image style=\"background-image:url('//c/p.jpg')\"></i>\
             <div class=link_preview_title>T</div><div class=link_preview_description>one<br>two</div></a>",
            link_preview,
        );
        assert_eq!(preview.site.as_deref(), Some("A"));
        assert_eq!(preview.image.as_deref(), Some("https://c/p.jpg"));
        assert_eq!(preview.description.as_deref(), Some("one\ntwo"));
    }
}
