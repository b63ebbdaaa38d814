//! A pleasant little world to look at.

use chrono::TimeDelta;

use super::World;
use super::channel::{ChannelSpec, Language, Standing};
use super::layout::Mix;

/// Fills `world` with believable channels of about `posts` messages each: at least the first
/// `channels` of the table, numbered ones after that; then one without preview and one group.
pub fn furnish(world: World, channels: u32, posts: u32) -> World {
    let named = named(posts);
    let known = named.len() as u32;
    let numbered = (known..channels).map(|number| {
        ChannelSpec::new(
            &format!("notice_board_{number}"),
            1_300_000_000 + i64::from(number),
        )
        .title(&format!("Notice Board {number}"))
        .description("What happens in one street, told by those who live there.")
        .subscribers(40 + u64::from(number) * 17 % 9_000)
        .posts(posts)
        .mix(Mix::News)
    });
    let closed = [
        ChannelSpec::new("quiet_harbour", 1_290_000_001)
            .title("Quiet Harbour")
            .description("Posts are for the app.")
            .subscribers(812)
            .posts(posts.min(60))
            .standing(Standing::NoPreview),
        ChannelSpec::new("harbour_talk", 1_290_000_002)
            .title("Harbour Talk")
            .description("Where readers of the observatory meet.")
            .subscribers(2_304)
            .standing(Standing::Group),
    ];
    named
        .into_iter()
        .take(channels as usize)
        .chain(numbered)
        .chain(closed)
        .fold(world, World::channel)
}

fn named(posts: u32) -> Vec<ChannelSpec> {
    let channel = |name: &str, number: i64, title: &str, description: &str| {
        ChannelSpec::new(name, 1_200_000_000 + number)
            .title(title)
            .description(description)
            .posts(posts)
    };
    vec![
        channel(
            "harbour_observatory",
            1,
            "Harbour Observatory 🔭",
            "Sky, sea and weather from the end of the pier.\nEvery clear night. Ask @harbour_talk",
        )
        .subscribers(128_400)
        .verified()
        .every(TimeDelta::minutes(52)),
        channel(
            "night_ferry",
            2,
            "Night Ferry",
            "Departures, delays and what the crew saw on the way.",
        )
        .subscribers(9_750_000)
        .mix(Mix::News)
        .every(TimeDelta::minutes(21)),
        channel(
            "marsad_almina",
            3,
            "مرصد الميناء",
            "أخبار السماء والبحر من آخر الرصيف.",
        )
        .language(Language::Arabic)
        .subscribers(60_000)
        .mix(Mix::News)
        .every(TimeDelta::minutes(95)),
        channel(
            "severny_mayak",
            4,
            "Северный маяк",
            "Море, погода, архив. Пишем каждый день.",
        )
        .language(Language::Russian)
        .subscribers(43_210)
        .mix(Mix::News)
        .every(TimeDelta::minutes(64)),
        channel("minato_tenmon", 5, "港の天文台", "防波堤から見た空と海の記録。")
            .language(Language::Japanese)
            .subscribers(18_900)
            .mix(Mix::News)
            .every(TimeDelta::minutes(140)),
        channel(
            "moss_and_meadow",
            6,
            "Moss & Meadow 🌿",
            "One plant a day, with a picture.",
        )
        .subscribers(5_480)
        .mix(Mix::Photos)
        .every(TimeDelta::hours(24)),
        channel(
            "city_archive_letters",
            7,
            "Letters from the City Archive",
            "Letters nobody answered: https://example.org/letters",
        )
        .subscribers(997)
        .mix(Mix::Text)
        .without_photo()
        .every(TimeDelta::hours(7)),
        channel("mitzpe_hanamal", 8, "מצפה הנמל", "שמיים, ים ומזג אוויר.")
            .language(Language::Hebrew)
            .subscribers(7_020)
            .mix(Mix::News)
            .every(TimeDelta::hours(3)),
    ]
}
