//! Realistic demo content, derived deterministically from a number.

use crate::catalog::CourseLevel;

/// Course subjects: subject, what the course covers, and category.
const SUBJECTS: [(&str, &str, &str); 40] = [
    ("Rust", "ownership, traits and async", "Programming"),
    ("Linear Algebra", "vectors, matrices and what they mean", "Mathematics"),
    ("Watercolour", "washes, light and patience", "Visual Arts"),
    ("Public Speaking", "structure, voice and calm", "Business"),
    ("Spanish", "conversation from the first day", "Languages"),
    ("Photography", "exposure, composition and editing", "Visual Arts"),
    ("PostgreSQL", "schemas, indexes and query plans", "Data"),
    ("Screenwriting", "scenes, dialogue and rewriting", "Writing"),
    ("Statistics", "samples, tests and doubt", "Mathematics"),
    ("Bread Baking", "flour, water, salt and time", "Home and Health"),
    ("Machine Learning", "models that you can explain", "Data"),
    ("Guitar", "rhythm, chords and first songs", "Music"),
    ("Product Design", "problems before pixels", "Business"),
    ("Japanese", "kana, kanji and small talk", "Languages"),
    ("Accounting", "the story that the books tell", "Business"),
    ("Kubernetes", "deployments that stay up", "Operations"),
    ("Music Theory", "harmony that you can hear", "Music"),
    ("Project Management", "plans that survive Monday", "Business"),
    ("Calculus", "change, one limit at a time", "Mathematics"),
    ("Creative Writing", "voice, scene and revision", "Writing"),
    ("Cybersecurity", "thinking like an attacker, building like a defender", "Operations"),
    ("Yoga", "breath, balance and strength", "Home and Health"),
    ("Organic Chemistry", "mechanisms instead of memorising", "Nature"),
    ("TypeScript", "types that help", "Programming"),
    ("Negotiation", "interests, options and no", "Business"),
    ("Astronomy", "the sky above your house", "Nature"),
    ("French", "grammar with a smile", "Languages"),
    ("Data Visualisation", "charts that tell the truth", "Data"),
    ("Woodworking", "joints, tools and safety", "Visual Arts"),
    ("Microeconomics", "choices, prices and incentives", "Business"),
    ("Swift", "apps that feel at home", "Programming"),
    ("World History", "six thousand years, one thread", "Writing"),
    ("GraphQL", "schemas that clients love", "Programming"),
    ("Drawing", "seeing first, lines second", "Visual Arts"),
    ("Personal Finance", "budgets, risk and sleep", "Business"),
    ("Game Development", "loops, levels and play", "Programming"),
    ("German", "word order without fear", "Languages"),
    ("Leadership", "trust, feedback and direction", "Business"),
    ("Human Anatomy", "how you move", "Nature"),
    ("Electronics", "circuits from battery to board", "Programming"),
];

const FORMS: [(&str, &str); 10] = [
    ("{} from Scratch", "Everything that a beginner needs"),
    ("{} in Practice", "Learn by doing"),
    ("The Complete {} Course", "From the first step to your own project"),
    ("{} for Busy People", "Twenty minutes a day"),
    ("Intermediate {}", "For those who know the basics"),
    ("{} Masterclass", "How professionals do it"),
    ("{} by Example", "One small project after another"),
    ("Understanding {}", "The ideas behind the rules"),
    ("{} for Teachers", "Learn it, then pass it on"),
    ("{} Workshop", "Hands on, with feedback"),
];

const SECTIONS: [&str; 6] =
    ["Getting Started", "The Foundations", "Going Deeper", "In Practice", "Common Mistakes", "Your Project"];

/// Lesson titles, and the text of those that are articles.
const LESSONS: [(&str, Option<&str>); 12] = [
    ("What you will learn", None),
    ("The tools you need", None),
    ("A first example", None),
    ("The vocabulary", Some("Twenty words that come up again and again. Keep this list at hand for the first weeks.")),
    ("Step by step", None),
    ("Exercise and solution", Some("Try it for half an hour before you read on. The solution is at the end.")),
    ("Questions from students", None),
    ("A closer look", None),
    ("Putting it together", None),
    ("What can go wrong", None),
    ("A larger example", None),
    ("Summary and next steps", Some("What to remember, and where to go from here.")),
];

const FIRST: [&str; 32] = [
    "Ada", "Grace", "Alan", "Emmy", "Noor", "Chidi", "Mei", "Lars", "Sofia", "Yusuf", "Priya", "Mateo", "Ingrid",
    "Kofi", "Hana", "Tomás", "Zofia", "Omar", "Leila", "Finn", "Aiko", "Diego", "Nadia", "Elias", "Ruth", "Samir",
    "Greta", "Tariq", "Yuki", "Marta", "Jonas", "Amara",
];

const LAST: [&str; 40] = [
    "Lovelace",
    "Okafor",
    "Nguyen",
    "Schmidt",
    "García",
    "Haddad",
    "Kowalski",
    "Tanaka",
    "Silva",
    "Novak",
    "Osei",
    "Larsen",
    "Rossi",
    "Patel",
    "Moreau",
    "Kaya",
    "Ivanova",
    "Chen",
    "Mbeki",
    "Andersson",
    "Fernández",
    "Nakamura",
    "Dubois",
    "Costa",
    "Rahman",
    "Weber",
    "Popescu",
    "Kim",
    "Jansen",
    "Mendes",
    "Horvat",
    "Bianchi",
    "Ali",
    "Sato",
    "Meyer",
    "Fofana",
    "Lindqvist",
    "Torres",
    "Byrne",
    "Vargas",
];

/// Returns the name and email address of user `number`. Numbers 0 to 2 are the demo accounts.
pub(super) fn person(number: usize) -> (String, String) {
    let name = format!("{} {}", pick(&FIRST, number), pick(&LAST, number / FIRST.len() + number * 7));
    let email = match number {
        0 => "admin@lyceum.example".into(),
        1 => "instructor@lyceum.example".into(),
        2 => "student@lyceum.example".into(),
        number => format!("{}.{number}@school.example", slug::slugify(&name)),
    };
    (name, email)
}

/// The category tree: each top-level category with its subcategories.
pub(super) const CATEGORIES: [(&str, &[&str]); 5] = [
    ("Technology", &["Programming", "Data", "Operations"]),
    ("Science", &["Mathematics", "Nature"]),
    ("Arts", &["Music", "Visual Arts", "Writing"]),
    ("Languages", &[]),
    ("Work and Life", &["Business", "Home and Health"]),
];

/// Returns the description of a category.
pub(super) fn description(name: &str) -> String {
    format!("Courses about **{}**, for beginners and for those who know more.", name.to_lowercase())
}

/// Returns each category's name and its parent's, parents before their subcategories.
pub(super) fn categories() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    CATEGORIES.iter().flat_map(|(parent, parts)| {
        std::iter::once((*parent, None)).chain(parts.iter().map(move |part| (*part, Some(*parent))))
    })
}

/// The catalog data of a course.
pub(super) struct Facts {
    pub(super) category: &'static str,
    pub(super) level: CourseLevel,
    pub(super) language: &'static str,
    pub(super) tags: Vec<String>,
    pub(super) benefits: Vec<String>,
    pub(super) prerequisites: Vec<String>,
    /// The price in cents, and the original price if it is reduced.
    pub(super) price: (i64, Option<i64>),
    pub(super) currency: &'static str,
}

impl Facts {
    pub(super) fn of(number: usize) -> Facts {
        let (subject, about, category) = *pick(&SUBJECTS, number);
        let level =
            *pick(&[CourseLevel::Beginner, CourseLevel::Intermediate, CourseLevel::Advanced], number / 3 + number);
        // Every fifth course is free; of the others, every third has a reduced price.
        let cents =
            if number.is_multiple_of(5) { 0 } else { *pick(&[1900, 2900, 4900, 7900, 9900, 14_900], number / 2) };
        let before = (cents > 0 && number.is_multiple_of(3)).then_some(cents * 2);
        let tags = std::iter::once(subject).chain(about.split([',', ' ']).filter(|word| word.len() > 4)).take(4);
        Facts {
            category,
            level,
            language: pick::<&str>(&["en", "en", "en", "de", "es", "pt-BR"], number / 7),
            tags: tags.map(str::to_lowercase).collect(),
            benefits: vec![format!("Understand {about}"), format!("Finish a {subject} project of your own")],
            prerequisites: match level {
                CourseLevel::Beginner => Vec::new(),
                _ => vec![format!("The basics of {subject}")],
            },
            price: (cents, before),
            currency: pick::<&str>(&["EUR", "USD"], number / 11),
        }
    }
}

/// A lesson.
pub(super) struct Lesson {
    pub(super) title: String,
    /// The text of an article; `None` for a video.
    pub(super) article: Option<String>,
    pub(super) seconds: i32,
}

/// A course's texts, and its sections with their lessons.
pub(super) struct Outline {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) description: String,
    pub(super) sections: Vec<(String, Vec<Lesson>)>,
}

impl Outline {
    pub(super) fn of(number: usize) -> Outline {
        let (subject, about, _) = *pick(&SUBJECTS, number);
        let (form, promise) = *pick(&FORMS, number / SUBJECTS.len() + number);
        let title = form.replace("{}", subject);
        let sections = (0..3 + number % 3)
            .map(|section| {
                let lessons = (0..3 + (number + section) % 3).map(|lesson| {
                    let (title, article) = *pick(&LESSONS, section * 4 + lesson);
                    let seconds = 240 + (number * 37 + section * 61 + lesson * 83) % 900;
                    Lesson {
                        title: title.into(),
                        article: article.map(|text| format!("## {title}\n\n{text}\n")),
                        seconds: i32::try_from(seconds).unwrap_or(600),
                    }
                });
                (pick(&SECTIONS, section).to_string(), lessons.collect())
            })
            .collect();
        Outline {
            subtitle: format!("{promise}: {about}."),
            description: format!(
                "## About this course\n\n**{title}** is about {about}. {promise}.\n\n- short lessons that build on each \
                 other\n- exercises with solutions\n- questions answered by the instructor\n"
            ),
            title,
            sections,
        }
    }
}

fn pick<T>(list: &[T], number: usize) -> &T {
    // The lists are non-empty constants.
    #[allow(clippy::indexing_slicing)]
    &list[number % list.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_subject_is_in_a_category_that_is_there() {
        let known: HashSet<&str> = categories().map(|(name, _)| name).collect();
        assert!(SUBJECTS.iter().all(|(_, _, category)| known.contains(category)));
        let free = (0..100).filter(|number| Facts::of(*number).price.0 == 0).count();
        assert_eq!(free, 20, "some courses cost nothing");
    }

    #[test]
    fn the_same_number_gives_the_same_and_another_one_something_else() {
        assert_eq!(Outline::of(7).title, Outline::of(7).title);
        let titles: HashSet<String> = (0..200).map(|number| Outline::of(number).title).collect();
        assert!(titles.len() > 150, "{}", titles.len());
        let emails: HashSet<String> = (0..50_000).map(|number| person(number).1).collect();
        assert_eq!(emails.len(), 50_000);
    }
}
