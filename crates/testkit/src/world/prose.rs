//! Words to post: sentences that could be news and are about nobody.

use super::channel::Language;
use super::draw::Draw;

const ENGLISH: (&[&str], &[&str], &[&str]) = (
    &[
        "The harbour observatory",
        "A team of marine biologists",
        "The night ferry",
        "The city archive",
        "Volunteers from the old quarter",
        "The weather station on the ridge",
        "The school orchestra",
        "A retired lighthouse keeper",
        "The river authority",
        "The botanical garden",
        "The tram company",
        "Two students of astronomy",
    ],
    &[
        "recorded",
        "found",
        "opened",
        "mapped",
        "restored",
        "photographed",
        "measured",
        "welcomed",
        "repaired",
        "catalogued",
        "rediscovered",
        "counted",
    ],
    &[
        "a comet low over the breakwater",
        "forty-one species of moss",
        "the first timetable of 1912",
        "a colony of grey seals",
        "an unusually clear winter sky",
        "the clock of the fish market",
        "more than two hundred migrating cranes",
        "a meadow nobody had listed",
        "the missing chart of the bay",
        "a tide three hands above normal",
        "seven bells from the flooded chapel",
        "a letter that had waited ninety years",
    ],
);

const ENGLISH_ENDINGS: &[&str] = &[
    "The public can visit on Saturday from nine to four; entry is free.",
    "Results will be published next month, together with the raw data.",
    "It is the third time this year, and the earliest in the season.",
    "Visibility stays good until about 22:30 – bring a warm coat.",
    "\"We did not expect it so soon\", said the head of the project.",
    "Trams 4 & 9 run every ten minutes, the ferry <weather permitting> every hour.",
    "Photos: the station's own camera, exposure 8 s.",
    "Corrections are welcome – this channel is run by three people and a kettle ☕",
    "Last year's figure was 1,204; this year's is 1,377.",
    "More below 👇",
];

const ARABIC: &[&str] = &[
    "سجّل مرصد الميناء الليلة مذنّبًا خافتًا فوق كاسر الأمواج.",
    "أعلنت محطة الأرصاد أن الرياح ستهدأ قبل الفجر.",
    "افتُتح متحف الخرائط القديمة بعد ترميم دام عامين.",
    "وصلت أسراب الطيور المهاجرة إلى السبخة أبكر من المعتاد.",
    "تبدأ العبّارة الليلية رحلاتها الصيفية يوم الخميس.",
    "عثر المتطوعون على رسالة عمرها تسعون عامًا في أرشيف المدينة.",
    "الدخول مجاني من الساعة 9 حتى الساعة 16.",
    "ستُنشر النتائج الكاملة مع البيانات الخام الشهر المقبل.",
];

const HEBREW: &[&str] = &[
    "מצפה הנמל תיעד הלילה שביט חיוור מעל שובר הגלים.",
    "תחנת מזג האוויר צופה שמיים בהירים עד חצות.",
    "הגן הבוטני נפתח מחדש לאחר שיפוץ של שנתיים.",
    "להקות עגורים הגיעו לעמק שבועיים מוקדם מהרגיל.",
    "הכניסה חופשית בין השעות 9:00 ו-16:00.",
    "התוצאות המלאות יתפרסמו בחודש הבא.",
];

const RUSSIAN: &[&str] = &[
    "Портовая обсерватория записала слабую комету над волноломом.",
    "Ночной паром снова ходит по летнему расписанию.",
    "Ботанический сад открылся после двухлетней реставрации.",
    "Волонтёры нашли в городском архиве письмо, которое ждало девяносто лет.",
    "Метеостанция на хребте обещает ясное небо до полуночи.",
    "Журавли прилетели на две недели раньше обычного.",
    "Вход свободный, с девяти до четырёх.",
    "Полные результаты вместе с исходными данными – в следующем месяце.",
];

const JAPANESE: &[&str] = &[
    "港の天文台が今夜、防波堤の上に淡い彗星を観測しました。",
    "夜行フェリーは木曜日から夏ダイヤで運航します。",
    "植物園は二年間の修復を終えて再び開園しました。",
    "渡り鳥の群れが例年より早く干潟に到着しています。",
    "市の公文書館で九十年前の手紙が見つかりました。",
    "入場は無料、午前九時から午後四時まで。",
    "詳しい結果は来月、観測データとともに公開します。",
];

const EMOJI: &[&str] = &[
    "🔭",
    "🌊",
    "🚢",
    "🌿",
    "🕯",
    "☀️",
    "🗺",
    "🎻",
    "📷",
    "🐦",
    "👩‍🚀",
    "🇫🇮",
    "❤️",
    "🪸",
];

/// One sentence.
pub(crate) fn sentence(draw: &mut Draw, language: Language) -> String {
    let table = match language {
        Language::English => {
            let (who, did, what) = ENGLISH;
            return if draw.chance(55) {
                format!("{} {} {}.", draw.pick(who), draw.pick(did), draw.pick(what))
            } else {
                (*draw.pick(ENGLISH_ENDINGS)).to_owned()
            };
        }
        Language::Arabic => ARABIC,
        Language::Hebrew => HEBREW,
        Language::Russian => RUSSIAN,
        Language::Japanese => JAPANESE,
    };
    (*draw.pick(table)).to_owned()
}

/// A headline: the beginning of a sentence, without its full stop.
pub(crate) fn headline(draw: &mut Draw, language: Language) -> String {
    let text = match language {
        Language::English => {
            let (who, did, what) = ENGLISH;
            format!("{} {} {}", draw.pick(who), draw.pick(did), draw.pick(what))
        }
        other => sentence(draw, other),
    };
    text.trim_end_matches(['.', '。']).to_owned()
}

/// Some sentences in a row.
pub(crate) fn sentences(draw: &mut Draw, language: Language, count: u64) -> String {
    let glue = if language == Language::Japanese { "" } else { " " };
    (0..count)
        .map(|_| sentence(draw, language))
        .collect::<Vec<_>>()
        .join(glue)
}

/// One of several words.
fn word(draw: &mut Draw, from: &[&'static str]) -> &'static str {
    draw.pick::<&str>(from)
}

/// An emoji.
pub(crate) fn emoji(draw: &mut Draw) -> &'static str {
    word(draw, EMOJI)
}

/// A tag, without `#`.
pub(crate) fn tag(draw: &mut Draw, language: Language) -> &'static str {
    match language {
        Language::English => word(draw, &["harbour", "night_sky", "tides2026", "archive", "birds"]),
        Language::Arabic => word(draw, &["سماء_الليل", "الميناء"]),
        Language::Hebrew => word(draw, &["שמיים", "נמל"]),
        Language::Russian => word(draw, &["море", "архив", "небо"]),
        Language::Japanese => word(draw, &["天文", "港"]),
    }
}

/// A person.
pub(crate) fn person(draw: &mut Draw) -> &'static str {
    word(
        draw,
        &[
            "Maren Holt",
            "Ilse Ångström",
            "Tomás d'Alba",
            "Юлия Северова",
            "Amal Rashed",
            "J. & K. Brandt",
        ],
    )
}
